// The C functions that Python calls. The whole library is compiled once for every instruction set, into a file of its
// own: linked together, an inline function compiled for AVX-512 could be the one that an older processor is given.
#include <memory>
#include <new>
#include <optional>

#include "arguments.h"
#include "draws.h"
#include "gru.h"
#include "lstm.h"
#include "ragged.h"
#include "rnn.h"
#if defined(UNROLLED_TILES)
#include "matmul.h"
#include "split_product.h"
#endif

namespace unrolled {

std::atomic<const Runtime*> current_runtime{nullptr};

namespace {

template <typename T> Broadcast<T> broadcast(const Strided& s) { return {in<T>(s.data), s.step, s.row, s.unit}; }
// The steps that are computed.
int64_t count(const Head& a, const Ragged& r) { return r.offsets ? r.count : a.steps * a.rows; }
Shape shape(const Head& a, const Ragged& r, int gates) {
  Shape s{a.steps,   a.rows,  a.hidden,     a.h_row,          r.lengths,   a.reverse != 0, int(a.threads),
          r.offsets, r.ranks, r.threads_of, r.layout_threads, count(a, r), false};
  s.threads = useful_threads(s, gates * a.hidden * a.hidden);
  s.apart = threads_apart(s.threads);
  return s;
}

// What stands for an initial state of zeros.
template <typename T> Workspace<T> zeros(const Head& a) {
  Workspace<T> row(a.hidden);
  std::fill_n(row.data(), a.hidden, T(0));
  return row;
}

// Whether rows of so many elements are whole vectors, each of which lies where a vector is stored at once.
template <typename T> bool whole_vectors(int64_t row, const void* p) {
  return row % kLanes<T> == 0 && reinterpret_cast<uintptr_t>(p) % sizeof(Vec<T>) == 0;
}

// Calls scan(Way()) with the way in which this scan's products are fastest.
template <typename T, typename Scan>
void choose_way([[maybe_unused]] const Head& a, [[maybe_unused]] int gates, [[maybe_unused]] int threads,
                [[maybe_unused]] const void* weight_hh, const Scan& scan) {
#if defined(UNROLLED_TILES)
  if constexpr (sizeof(T) == sizeof(float))
    if (tiles_pay(a.rows, a.hidden, a.terms, threads) && splits(in<float>(weight_hh), gates * a.hidden * a.hidden)) {
      if (a.terms == 3) return scan(ByTiles<3>());
      if (a.terms == 2) return scan(ByTiles<2>());
      if (a.terms == 1) return scan(ByTiles<1>());
    }
#endif
  scan(ByVectors<T>());
}

// What the biases add to the gates: both of the first kJoined, of the others the input's alone.
template <typename T, typename Cell> Workspace<T> joined_biases(const ForwardRecord& r) {
  const int64_t H = r.head.hidden;
  Workspace<T> joined(Cell::kGates * H);
  for (int64_t j = 0; j < Cell::kGates * H; ++j)
    joined.data()[j] =
        (r.bias_ih ? in<T>(r.bias_ih)[j] : T(0)) + (r.bias_hh && j < Cell::kJoined * H ? in<T>(r.bias_hh)[j] : T(0));
  return joined;
}

// The product with the inputs of so many steps at a time, in the way that is fastest for it.
template <typename T>
std::unique_ptr<InputProduct<T>> input_product(const Shape& s, const ForwardRecord& r, const T* bias, int gates,
                                               int64_t steps) {
  const int64_t I = r.head.width, rows = steps * s.rows;
  const T* const weight = in<T>(r.inputs.weight_ih);
#if defined(UNROLLED_TILES)
  if constexpr (sizeof(T) == sizeof(float))
    if (tiles_pay_for_inputs(s.all, I, gates * s.hidden) && splits(weight, gates * s.hidden * I)) {
      if (r.head.terms == 3) return std::make_unique<InputProductBy<ByTiles<3>>>(s, weight, bias, gates, I, rows);
      if (r.head.terms == 2) return std::make_unique<InputProductBy<ByTiles<2>>>(s, weight, bias, gates, I, rows);
      if (r.head.terms == 1) return std::make_unique<InputProductBy<ByTiles<1>>>(s, weight, bias, gates, I, rows);
    }
#endif
  return std::make_unique<InputProductBy<ByVectors<T>>>(s, weight, bias, gates, I, rows);
}

template <typename T, typename Cell> void forward(Cell& cell, const ForwardRecord& r) {
  const Workspace<T> nothing = zeros<T>(r.head);
  const Options& options = r.options;
  cell.s = shape(r.head, options.ragged, Cell::kGates);
  cell.gates_x = r.inputs.values ? nullptr : in<T>(r.gates_x);
  const Workspace<T> bias = joined_biases<T, Cell>(r);
  cell.bias = r.bias_ih || r.bias_hh ? bias.data() : nullptr;
  cell.h_0 = in<T>(r.h_0);
  cell.zeros = nothing.data();
  cell.zoneout_h = broadcast<T>(options.zoneout_h);
  cell.h = out<T>(r.h);
  cell.h_n = out<T>(r.h_n);
  const size_t kept = cell.s.all * Cell::kGates * r.head.hidden * sizeof(T);
  cell.far = r.gates && r.gates != r.gates_x && kept > own_cache() && whole_vectors<T>(r.head.hidden, r.gates) &&
             whole_vectors<T>(r.head.hidden, r.by_unit);
  const Norm<T, T*> norm{in<T>(options.norm_ih_gain), in<T>(options.norm_hh_gain), T(r.head.epsilon),
                         out<T>(r.products)};
  std::optional<Feed<T>> feed;
  std::unique_ptr<InputProduct<T>> of_x;
  if (r.inputs.values) {
    feed.emplace(cell.s, in<T>(r.inputs.values), r.head.width, product_stride<T>(r.head.hidden, Cell::kGates));
    of_x = input_product<T>(cell.s, r, norm.gain_x ? nullptr : cell.bias, Cell::kGates, feed->steps());
    if (of_x->biased()) cell.bias = nullptr;
  }
  const Entrance<T> entrance{of_x.get(), feed ? &*feed : nullptr, of_x ? out<T>(r.gates_x) : nullptr};
  choose_way<T>(r.head, Cell::kGates, cell.s.threads, r.weight_hh, [&](auto way) {
    scan_forward<decltype(way)>(cell.s, in<T>(r.weight_hh), in<T>(options.hidden_mask), norm, entrance, cell);
  });
}

template <typename T, typename Cell> void backward(Cell& cell, const BackwardRecord& r) {
  const Options& options = r.options;
  const Workspace<T> nothing = zeros<T>(r.head);
  const int64_t H = r.head.hidden, wide = Cell::kGates * H;
  const bool apart = options.norm_ih_gain || options.norm_hh_gain;
  const Workspace<T> carry(r.head.rows * r.head.hidden);
  cell.s = shape(r.head, options.ragged, Cell::kGates);
  cell.h_0 = in<T>(r.h_0);
  cell.zeros = nothing.data();
  cell.h = in<T>(r.h);
  cell.zoneout_h = broadcast<T>(options.zoneout_h);
  cell.grad_h = {in<T>(r.grad_h), r.grad_h_step, r.grad_h_row, r.grad_h_unit};
  cell.clip_step = T(r.head.clip_step);
  const Factors<T> factors{r.head.width,
                           in<T>(r.inputs.values),
                           in<T>(r.inputs.weight_ih),
                           cell.h,
                           cell.h_0,
                           cell.zeros,
                           in<T>(options.hidden_mask),
                           out<T>(r.dvalues),
                           out<T>(r.dweight_ih),
                           out<T>(r.dweight_hh),
                           r.adds != 0,
                           Cell::kGates,
                           apart ? Cell::kGates : Cell::kColumns,
                           apart,
                           int(r.head.threads)};
  cell.over = {out<T>(r.dgates), out<T>(r.du), r.joined ? Cell::kColumns * H : wide};
  cell.dh_norms = out<T>(r.dh_norms);
  cell.grad_h_n = in<T>(r.grad_h_n);
  cell.grad_h_0 = out<T>(r.grad_h_0);
  cell.carry_h = carry.data();
  cell.dbias_ih = out<T>(r.dbias_ih);
  cell.dbias_hh = out<T>(r.dbias_hh);
  cell.gates_x = in<T>(r.gates_x);
  cell.dgain_ih = out<T>(r.dgain_ih);
  cell.dgain_hh = out<T>(r.dgain_hh);
  const Norm<T, const T*> norm{in<T>(options.norm_ih_gain), in<T>(options.norm_hh_gain), T(r.head.epsilon),
                               in<T>(r.products)};
  choose_way<T>(r.head, Cell::kGates, cell.s.threads, r.weight_hh, [&](auto way) {
    scan_backward<decltype(way)>(cell.s, in<T>(r.weight_hh), in<T>(options.hidden_mask), norm, cell,
                                 r.inputs.values ? &factors : nullptr);
  });
}

// Each cell's own fields, and then what is every cell's.
template <typename T> void run(RnnForward<T> cell, const ForwardRecord& r) {
  cell.activation = Activation(r.head.activation);
  cell.values = out<T>(r.gates);
  forward<T>(cell, r);
}
template <typename T> void run(RnnBackward<T> cell, const BackwardRecord& r) {
  cell.activation = Activation(r.head.activation);
  cell.values = in<T>(r.gates);
  backward<T>(cell, r);
}
template <typename T> void run(GruForward<T> cell, const ForwardRecord& r) {
  cell.bias_q = r.bias_hh ? in<T>(r.bias_hh) + 2 * r.head.hidden : nullptr;
  cell.gates = out<T>(r.gates);
  cell.q = out<T>(r.by_unit);
  forward<T>(cell, r);
}
template <typename T> void run(GruBackward<T> cell, const BackwardRecord& r) {
  cell.gates = in<T>(r.gates);
  cell.q = in<T>(r.by_unit);
  backward<T>(cell, r);
}
template <typename T> void run(LstmForward<T> cell, const ForwardRecord& r) {
  cell.c_0 = in<T>(r.c_0);
  cell.peephole = in<T>(r.options.peephole);
  cell.cell_gain = in<T>(r.options.norm_cell_gain);
  cell.cell_bias = in<T>(r.options.norm_cell_bias);
  cell.zoneout_c = broadcast<T>(r.options.zoneout_c);
  cell.c = out<T>(r.by_unit);
  cell.c_n = out<T>(r.c_n);
  cell.gates = out<T>(r.gates);
  cell.epsilon = T(r.head.epsilon);
  forward<T>(cell, r);
}
template <typename T> void run(LstmBackward<T> cell, const BackwardRecord& r) {
  // On the way it holds the gradient of every step's cell, so there must be one.
  const Workspace<T> carry(r.grad_c_0 ? 0 : r.head.rows * r.head.hidden);
  cell.c = in<T>(r.by_unit);
  cell.gates = in<T>(r.gates);
  cell.c_0 = in<T>(r.c_0);
  cell.peephole = in<T>(r.options.peephole);
  cell.cell_gain = in<T>(r.options.norm_cell_gain);
  cell.cell_bias = in<T>(r.options.norm_cell_bias);
  cell.zoneout_c = broadcast<T>(r.options.zoneout_c);
  cell.grad_c_n = in<T>(r.grad_c_n);
  cell.grad_c_0 = r.grad_c_0 ? out<T>(r.grad_c_0) : carry.data();
  cell.dpeephole = out<T>(r.dpeephole);
  cell.dcell_gain = out<T>(r.dcell_gain);
  cell.dcell_bias = out<T>(r.dcell_bias);
  cell.epsilon = T(r.head.epsilon);
  backward<T>(cell, r);
}

// 0, or 1 where there was no memory.
template <typename T, template <typename> typename Cell, typename Record> int run_as(const Record& r) noexcept {
  try {
    run<T>(Cell<T>{}, r);
  } catch (const std::bad_alloc&) {
    return 1;
  }
  return 0;
}

// Whether each of two directions is worth a thread of its own: where there are just two, which then need not meet.
bool at_once(const Head& a, int64_t count) {
  return count == 2 && a.threads == 2 && a.steps * a.rows * a.hidden * (a.hidden + a.width) >= kStart;
}

// The directions of one layer, each on a thread of its own. The second has its own gradient of the input meanwhile.
template <typename T, template <typename> typename Cell, typename Record> int run_at_once(const Record* records) {
  Record each[] = {records[0], records[1]};
  T* together = nullptr;
  int64_t size = 0;
  if constexpr (std::is_same_v<Record, BackwardRecord>)
    if (each[1].adds && each[0].dvalues)
      together = out<T>(each[0].dvalues), size = each[0].head.steps * each[0].head.rows * each[0].head.width;
  const Workspace<T> apart(size);
  if constexpr (std::is_same_v<Record, BackwardRecord>) {
    if (together) each[1].dvalues = apart.data();
    each[1].adds = 0;
    if (each[0].options.ragged.lengths) std::fill_n(apart.data(), size, T(0));
  }
  int failed[] = {0, 0};
  run_team(2, [&](const Member& member) {
    for (int i = member.thread; i < 2; i += member.threads) {
      each[i].head.threads = 1;
      failed[i] = run_as<T, Cell>(each[i]);
    }
    member.wait();
    add_elements(member.part(), together, apart.data(), size);
  });
  return failed[0] || failed[1];
}

// One record, or two: of the directions of one layer.
template <typename T, template <typename> typename Cell, typename Record>
int run_all(const Record* records, int64_t count) noexcept {
  try {
    if (at_once(records[0].head, count)) return run_at_once<T, Cell>(records);
  } catch (const std::bad_alloc&) {
    return 1;
  }
  int failed = 0;
  for (int64_t i = 0; i < count && !failed; ++i) failed = run_as<T, Cell>(records[i]);
  return failed;
}

#if defined(UNROLLED_TILES)
// 0; 1 where there was no memory; 2 where the numbers do not split and nothing useful was written.
int multiply(const MatmulRecord& r) noexcept {
  const auto side = [](const MatmulSide& s) {
    return Side{in<float>(s.data), s.count, s.stride, s.along_sum != 0, s.first, s.last};
  };
  const auto product = r.terms == 3 ? matmul<3> : r.terms == 2 ? matmul<2> : matmul<1>;
  try {
    std::vector<Right> rights;
    for (int64_t i = 0; i < r.rights; ++i) {
      const MatmulRight& right = r.right[i];
      rights.push_back({side(right.b), {out<float>(right.c), r.a.count, right.b.count}});
    }
    return product(side(r.a), rights, int(r.threads)) ? 0 : 2;
  } catch (const std::bad_alloc&) {
    return 1;
  }
}
#endif

}  // namespace
}  // namespace unrolled

#define UNROLLED_EXPORT __attribute__((visibility("default")))
// `records` are of arguments.h, one or two.
#define UNROLLED_FUNCTION(name, Cell, Record)                                                                 \
  UNROLLED_EXPORT int unrolled_##name(const unrolled::Record* records, int64_t count) {                       \
    using namespace unrolled;                                                                                 \
    return records->head.wide ? run_all<double, Cell>(records, count) : run_all<float, Cell>(records, count); \
  }

extern "C" {

// See ragged.h. -1 where there was no memory.
UNROLLED_EXPORT int64_t unrolled_lay_out(const void* lengths, int64_t steps, int64_t rows, int threads, void* offsets,
                                         void* ranks, void* threads_of, void* real, void* places) {
  using unrolled::in, unrolled::out;
  try {
    return unrolled::lay_out(in<int64_t>(lengths), steps, rows, threads, out<int64_t>(offsets), out<int64_t>(ranks),
                             out<int64_t>(threads_of), out<int64_t>(real), out<int64_t>(places));
  } catch (const std::bad_alloc&) {
    return -1;
  }
}
UNROLLED_EXPORT void unrolled_copy_rows(const void* source, const void* index, int64_t shift, int64_t count,
                                        int64_t bytes, void* to, int threads) {
  unrolled::copy_rows(unrolled::in<char>(source), unrolled::in<int64_t>(index), shift, count, bytes,
                      unrolled::out<char>(to), threads);
}

// See draws.h; `wide`: float64 instead of float32.
UNROLLED_EXPORT void unrolled_draw(int64_t seed, int limit, int64_t count, void* to, int threads, int wide) {
  using namespace unrolled;
  wide ? draw(uint64_t(seed), limit, count, out<double>(to), threads)
       : draw(uint64_t(seed), limit, count, out<float>(to), threads);
}

// Memory of so many bytes, aligned to a cache line; null where there is none.
UNROLLED_EXPORT void* unrolled_take(int64_t bytes) {
  try {
    return unrolled::Blocks::take(size_t(bytes));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
UNROLLED_EXPORT void unrolled_give_back(void* data) { unrolled::Blocks::give_back(static_cast<char*>(data)); }

UNROLLED_EXPORT int unrolled_layout() { return unrolled::kLayout; }

// Addresses of GOMP_parallel, omp_get_thread_num and omp_get_num_threads of the runtime that is in the process already.
// All null: run on the calling thread alone.
UNROLLED_EXPORT void unrolled_use_runtime(void* parallel, void* thread_number, void* thread_count) {
  using unrolled::Runtime;
  static Runtime runtime;
  runtime = {reinterpret_cast<decltype(Runtime::parallel)>(parallel),
             reinterpret_cast<decltype(Runtime::thread_number)>(thread_number),
             reinterpret_cast<decltype(Runtime::thread_count)>(thread_count)};
  unrolled::current_runtime.store(parallel ? &runtime : nullptr, std::memory_order_release);
}

#if defined(UNROLLED_TILES)
// Whether the processor has tiles and the system lets this process use them.
UNROLLED_EXPORT int unrolled_tiles() { return unrolled::tiles_granted(); }
UNROLLED_EXPORT int unrolled_matmul(const void* record) {
  return unrolled::multiply(*static_cast<const unrolled::MatmulRecord*>(record));
}
#endif

UNROLLED_FUNCTION(rnn_forward, RnnForward, ForwardRecord)
UNROLLED_FUNCTION(rnn_backward, RnnBackward, BackwardRecord)
UNROLLED_FUNCTION(gru_forward, GruForward, ForwardRecord)
UNROLLED_FUNCTION(gru_backward, GruBackward, BackwardRecord)
UNROLLED_FUNCTION(lstm_forward, LstmForward, ForwardRecord)
UNROLLED_FUNCTION(lstm_backward, LstmBackward, BackwardRecord)
}
