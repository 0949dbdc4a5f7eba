// A program over all time steps of a batch, forward or back: the code that src/unrolled/ops/cells/lowering.py writes of
// a cell's equations, operation by operation on vectors that lie in the nearest cache.
//
// Shapes are row-major. T steps, B rows, H hidden units, P matrices; V lanes of a vector; W: H rounded up to whole
// vectors, the width of whatever lies here.
#pragma once
#include <optional>
#include <vector>

#include "arguments.h"
#include "elementary.h"
#include "norm.h"
#include "plan.h"

namespace unrolled {

// In the order in which Python numbers them.
enum class Operation : int64_t {
  copy,
  add,
  sub,
  mul,
  div,
  neg,
  sigmoid,
  tanh,
  relu,
  softplus,
  exp,
  log,
  sqrt,
  abs,
  minimum,
  maximum,
  less,
  where,
  normalise,
  sign,
  clamp,
  sigmoid_gradient,
  tanh_gradient,
  relu_gradient,
  normalise_gradient,
  accumulate,
  norm,
  sigmoid_of_2,
  sigmoid_of_3,
  tanh_of_2,
  tanh_of_3,
  sum_of_3,
  add_product,
  subtract_product,
  product_less,
  mean,
  count
};

// The code, taken apart. Places are those of a row's table: scratch, units, constants, the row's own, memory, sums.
struct Instructions {
  struct Step {
    Operation operation;
    int to, from[3];
  };
  struct Multiplication {
    int first, count;  // matrices, or the group
    bool in_memory;    // what is multiplied: a place of the memory or of the row
    int operand, to;   // to: of the row
  };
  struct Stage {
    std::vector<int> rows, read, written;
    std::vector<Step> steps;
    std::vector<Multiplication> products;
  };
  std::vector<Stage> stages;

  // False where the code is none: a number that is no operation, a place that does not exist, an end too soon.
  bool read(const ProgramRecord& r) {
    const int64_t* at = r.code;
    const int64_t* const end = r.code + r.code_size;
    bool fine = true;
    const auto next = [&](int64_t limit) -> int {
      if (at == end || *at < 0 || *at >= limit) {
        fine = false;
        return 0;
      }
      return int(*at++);
    };
    const int64_t places = r.scratch + r.units + r.constants + r.own + r.memories + r.sums;
    const auto list = [&](std::vector<int>& to, int64_t limit) {
      for (int n = next(kMost); fine && n > 0; --n) to.push_back(next(limit));
    };
    for (int n = next(kMost); fine && n > 0; --n) {
      Stage& stage = stages.emplace_back();
      list(stage.rows, r.own);
      list(stage.read, r.memories);
      list(stage.written, r.memories);
      for (int k = next(kMost); fine && k > 0; --k) {
        Step step{Operation(next(int64_t(Operation::count))), next(places), {}};
        for (int& from : step.from) from = next(places);
        // Units and constants are every row's.
        fine = fine && (step.to < r.scratch || step.to >= r.scratch + r.units + r.constants);
        stage.steps.push_back(step);
      }
      for (int k = next(kMost); fine && k > 0; --k) {
        Multiplication m{next(r.groups), 0, false, 0, 0};
        m.count = next(r.groups - m.first + 1);
        m.in_memory = next(2);
        m.operand = next(m.in_memory ? r.memories : r.own);
        m.to = next(r.own - m.count + 1);
        stage.products.push_back(m);
      }
    }
    return fine && at == end;
  }

 private:
  static constexpr int64_t kMost = 4096;
};

// One operation on a row's units.
template <typename T>
void operate(Operation operation, T* to, const T* a, const T* b, const T* c, int64_t width, int64_t hidden,
             const ProgramRecord& r) {
  constexpr int V = kLanes<T>;
  const auto one = [&](auto&& of) UNROLLED_INLINE {
    for (int64_t j = 0; j < width; j += V) store(to + j, of(load(a + j)));
  };
  const auto two = [&](auto&& of) UNROLLED_INLINE {
    for (int64_t j = 0; j < width; j += V) store(to + j, of(load(a + j), load(b + j)));
  };
  const auto three = [&](auto&& of) UNROLLED_INLINE {
    for (int64_t j = 0; j < width; j += V) store(to + j, of(load(a + j), load(b + j), load(c + j)));
  };
  using X = Vec<T>;
  switch (operation) {
    case Operation::copy:
      return one([](X x) UNROLLED_INLINE { return x; });
    case Operation::add:
      return two([](X x, X y) UNROLLED_INLINE { return x + y; });
    case Operation::sub:
      return two([](X x, X y) UNROLLED_INLINE { return x - y; });
    case Operation::mul:
      return two([](X x, X y) UNROLLED_INLINE { return x * y; });
    case Operation::div:
      return two([](X x, X y) UNROLLED_INLINE { return x / y; });
    case Operation::neg:
      return one([](X x) UNROLLED_INLINE { return -x; });
    case Operation::sigmoid:
      return one([](X x) UNROLLED_INLINE { return sigmoid(x); });
    case Operation::tanh:
      return one([](X x) UNROLLED_INLINE { return hyperbolic_tangent(x); });
    case Operation::relu:
      return one([](X x) UNROLLED_INLINE { return x < T(0) ? X{} : x; });
    case Operation::softplus:
      return one([](X x) UNROLLED_INLINE { return softplus<T>(x); });
    case Operation::exp:
      return one([](X x) UNROLLED_INLINE { return exponential_of<T>(x); });
    case Operation::log:
      return one([](X x) UNROLLED_INLINE { return logarithm<T>(x); });
    case Operation::sqrt:
      return one([](X x) UNROLLED_INLINE { return square_root<T>(x); });
    case Operation::abs:
      return one([](X x) UNROLLED_INLINE { return absolute<T>(x); });
    case Operation::minimum:  // NaN from either, as torch has it
      return two([](X x, X y) UNROLLED_INLINE { return x != x || x < y ? x : y; });
    case Operation::maximum:
      return two([](X x, X y) UNROLLED_INLINE { return x != x || x > y ? x : y; });
    case Operation::less:
      return two([](X x, X y) UNROLLED_INLINE { return x < y ? splat<T>(1) : X{}; });
    case Operation::where:
      return three([](X x, X y, X z) UNROLLED_INLINE { return x != T(0) ? y : z; });
    case Operation::sign:
      return one([](X x) UNROLLED_INLINE {
        return x > T(0) ? splat<T>(1) : (x < T(0) ? splat<T>(-1) : X{});
      });
    case Operation::clamp: {
      const T bound = T(r.bound);
      return one([bound](X x) UNROLLED_INLINE { return clamp<T>(x, -bound, bound); });
    }
    case Operation::sigmoid_gradient:
      return two([](X g, X y) UNROLLED_INLINE { return g * y * (1 - y); });
    case Operation::tanh_gradient:
      return two([](X g, X y) UNROLLED_INLINE { return g * (1 - y * y); });
    case Operation::relu_gradient:
      return two([](X g, X y) UNROLLED_INLINE { return y > T(0) ? g : X{}; });
    case Operation::accumulate:
      for (int64_t j = 0; j < width; j += V) store(to + j, load(to + j) + load(a + j));
      return;
    case Operation::sigmoid_of_2:
      return two([](X x, X y) UNROLLED_INLINE { return sigmoid(x + y); });
    case Operation::sigmoid_of_3:
      return three([](X x, X y, X z) UNROLLED_INLINE { return sigmoid(x + y + z); });
    case Operation::tanh_of_2:
      return two([](X x, X y) UNROLLED_INLINE { return hyperbolic_tangent(x + y); });
    case Operation::tanh_of_3:
      return three([](X x, X y, X z) UNROLLED_INLINE { return hyperbolic_tangent(x + y + z); });
    case Operation::sum_of_3:
      return three([](X x, X y, X z) UNROLLED_INLINE { return x + y + z; });
    case Operation::add_product:
      return three([](X x, X y, X z) UNROLLED_INLINE { return x * y + z; });
    case Operation::subtract_product:
      return three([](X x, X y, X z) UNROLLED_INLINE { return z - x * y; });
    case Operation::product_less:
      return three([](X x, X y, X z) UNROLLED_INLINE { return x * y - z; });
    case Operation::mean:
      std::fill_n(to, width, mean_of<T>(hidden, each_of(a, hidden)));
      return;
    case Operation::normalise: {
      const Moments<T> m = moments(a, hidden, T(r.epsilon));
      return by_vectors<T>(0, hidden, [&](int64_t j, auto n) {
        store_first(to + j, (load_first(a + j, n) - m.mean) * m.inverse, n);
      });
    }
    case Operation::normalise_gradient:
      return normalise_gradient(to, a, b, hidden, T(r.epsilon));
    case Operation::norm: {
      X squares{};
      by_vectors<T>(0, hidden, [&](int64_t j, auto n) {
        const X x = load_first(a + j, n);
        squares += x * x;
      });
      *to = std::sqrt(sum_of_lanes<T>(squares));
      return;
    }
    case Operation::count:
      return;
  }
}

// A run of a program.
template <typename T> class ProgramScan {
 public:
  // Throws std::bad_alloc.
  ProgramScan(const ProgramRecord& r, const Instructions& code)
      : r_(r),
        code_(code),
        rows_(r.lengths, r.steps, r.rows, threads()),
        panels_((r.hidden + V - 1) / V),
        W_(panels_ * V),
        aligned_(r.hidden % V == 0),
        stride_(r.own * W_ + V),
        own_size_((r.scratch + r.memories + r.sums) * W_),
        units_(size_t((r.units + r.constants) * W_)),
        own_(size_t(own_size_) * threads()),
        files_(size_t(stride_ * (r.rows + threads()))),
        shares_(size_t(r.rows) * threads()),
        entering_(size_t(r.rows) * threads()),
        tables_(size_t(r.scratch + r.units + r.constants + r.own + r.memories + r.sums) * threads()),
        entrance_stride_(r.inputs * W_ + V),
        entrance_(size_t(r.inputs ? (r.rows + 1) * entrance_stride_ : 0)) {
    const int groups = r.backward ? int(r.groups) : 1;
    for (int g = 0; g < groups; ++g) {
      const int64_t outputs = r.backward ? r.hidden : r.groups * W_;
      const int64_t inputs = r.backward ? r.group_sizes[g] * r.hidden : r.hidden;
      packed_.emplace_back(outputs, inputs, 1, threads(), threads_apart(threads()));
    }
    std::fill_n(own_.data(), own_size_ * threads(), T(0));
    std::fill_n(files_.data(), stride_ * (r.rows + threads()), T(0));
    for (int64_t u = 0; u < r.units + r.constants; ++u) {
      T* const to = units_.data() + u * W_;
      std::fill_n(to, W_, u < r.units ? T(0) : T(r.constant[u - r.units]));
      if (u < r.units) std::copy_n(in<T>(r.unit[u]), r.hidden, to);
    }
  }

  // For single steps, on the calling thread.
  void prepare() {
    const Member alone{0, 1, &barrier_};
    pack(alone);
    into_.emplace(r_.inputs * W_, r_.width, 1, 1, false);
    const int64_t H = r_.hidden;
    into_->fill(alone, 0, int(r_.inputs * panels_), true, [&](int column, int, T* to) {
      const int64_t gate = column / panels_, panel = column % panels_;
      pack_column(in<T>(r_.weight_ih) + (gate * H + panel * V) * r_.width, r_.width, 1,
                  int(std::min<int64_t>(V, H - panel * V)), int(r_.width), to);
    });
    std::fill_n(entrance_.data(), (r_.rows + 1) * entrance_stride_, T(0));
    for (int64_t gate = 0; r_.bias_ih && gate < r_.inputs; ++gate)
      std::copy_n(in<T>(r_.bias_ih) + gate * H, H, bias() + gate * W_);
  }
  // values: [B, width]; output: [B, H], or null.
  void step(const T* values, T* output) {
    const Member alone{0, 1, &barrier_};
    for (int64_t row = 0; row < r_.rows; ++row) entering_[row] = values + row * r_.width;
    back_ = !back_;
    Product<T>(into_->of(alone), int(r_.width), entrance_.data(), entrance_stride_, {})
        .run(entering_.data(), int(r_.rows), 0, int(r_.inputs * panels_), back_, {bias(), 0});
    work(alone);
    if (output) std::copy_n(in<T>(r_.state[0].end), r_.rows * r_.hidden, output);
  }

  void run() {
    int granted = 1;
    run_team(threads(), [&](const Member& member) {
      if (member.thread == 0) granted = member.threads;
      pack(member);
      member.wait();
      work(member);
    });
    for (int64_t s = 0; s < r_.sums; ++s) {
      T* const to = out<T>(r_.sum[s]);
      if (!to) continue;
      std::fill_n(to, r_.hidden, T(0));
      for (int thread = 0; thread < granted; ++thread)
        add_elements(Part{0, 1}, to, own_.data() + own_size_ * thread + (r_.scratch + r_.memories + s) * W_,
                     r_.hidden);
    }
  }

 private:
  static constexpr int V = kLanes<T>;

  // Each has rows of its own: a step's products may need one another.
  int threads() const {
    const Shape s{r_.steps, r_.rows, r_.hidden, 0, r_.lengths, false, int(r_.threads), nullptr, nullptr, nullptr, 0, 0,
                  false};
    return int(std::min<int64_t>(r_.rows, useful_threads(s, std::max<int64_t>(1, r_.matrices) * r_.hidden * r_.hidden)));
  }

  void pack(const Member& member) const {
    const T* const weight = in<T>(r_.weight);
    const int64_t H = r_.hidden;
    const auto units = [&](int64_t panel) { return int(std::min<int64_t>(V, H - panel * V)); };
    if (!r_.backward) {
      packed_[0].fill(member, 0, int(r_.groups * panels_), true, [&](int column, int, T* to) {
        const int64_t gate = column / panels_, panel = column % panels_;
        pack_column(weight + (gate * H + panel * V) * H, H, 1, units(panel), int(H), to);
      });
      return;
    }
    // Transposed: the units of a panel are the columns of each matrix, and the sum runs over the rows of all.
    const int64_t* gate = r_.group_gates;
    for (int64_t g = 0; g < r_.groups; gate += r_.group_sizes[g++])
      packed_[g].fill(member, 0, int(panels_), true, [&](int panel, int, T* to) {
        for (int64_t k = 0; k < r_.group_sizes[g]; ++k)
          pack_column(weight + gate[k] * H * H + panel * V, 1, H, units(panel), int(H), to + k * H * V);
      });
  }

  // What the products with the inputs begin with: after those of all rows.
  T* bias() const { return entrance_.data() + r_.rows * entrance_stride_; }

  bool first(int64_t t, int64_t row) const {
    return (r_.reverse ? t == rows_.length(row) - 1 : t == 0) || (r_.resets && r_.resets[t * r_.rows + row]);
  }

  // Where a place of the memory is, at the i-th step of a run, step t.
  T* address(const ProgramMemory& m, int64_t i, int64_t t, int64_t row) const {
    T* const base = out<T>(const_cast<void*>(m.data));
    switch (m.kind) {
      case ProgramMemory::before:
        if (first(t, row)) return out<T>(const_cast<void*>(m.initial)) + row * r_.hidden;
        return base + (m.turns ? (i + 1) % 2 : r_.reverse ? t + 1 : t - 1) * m.step + row * m.row;
      case ProgramMemory::share:
        return entrance_.data() + row * entrance_stride_ + m.row * W_;
      case ProgramMemory::last:
        return base + (i + 1) % 2 * m.step + row * m.row;
      default:
        return base + (m.turns ? i % 2 : t) * m.step + row * m.row;
    }
  }
  bool direct(const ProgramMemory& m) const {
    return m.kind == ProgramMemory::number || m.kind == ProgramMemory::share || (aligned_ && m.unit == 1);
  }

  void work(const Member& member) {
    const int64_t H = r_.hidden;
    int64_t* const mine = shares_.data() + r_.rows * member.thread;
    const int64_t count = rows_.share(member.thread, member.threads, mine);
    const int64_t slot = (r_.rows + member.threads - 1) / member.threads * member.thread;
    T* const file = files_.data() + stride_ * slot;
    const T** const entering = entering_.data() + r_.rows * member.thread;
    T* const own = own_.data() + own_size_ * member.thread;
    T* const staged = own + r_.scratch * W_;
    T** const scratch = tables_.data() + member.thread * (r_.scratch + r_.units + r_.constants + r_.own + r_.memories +
                                                          r_.sums);
    T **const units = scratch + r_.scratch, **const places = units + r_.units + r_.constants;
    T **const memory = places + r_.own, **const sums = memory + r_.memories;
    for (int64_t i = 0; i < r_.scratch; ++i) scratch[i] = own + i * W_;
    for (int64_t i = 0; i < r_.units + r_.constants; ++i) units[i] = units_.data() + i * W_;
    for (int64_t i = 0; i < r_.sums; ++i) sums[i] = staged + (r_.memories + i) * W_;

    const int64_t total = count ? rows_.length(mine[0]) : 0;
    const bool down = (r_.reverse != 0) != (r_.backward != 0);
    for (int64_t i = 0; i < total; ++i) {
      const int64_t t = down ? total - 1 - i : i;
      const int64_t active =
          std::partition_point(mine, mine + count, [&](int64_t row) { return rows_.length(row) > t; }) - mine;
      for (const auto& stage : code_.stages) {
        for (int64_t k = 0; k < active && !stage.steps.empty(); ++k) {
          const int64_t row = mine[k];
          for (const int p : stage.rows) places[p] = file + k * stride_ + p * W_;
          for (const int m : stage.read) {
            const ProgramMemory& from = r_.memory[m];
            T* const at = address(from, i, t, row);
            if (direct(from)) {
              memory[m] = at;
              continue;
            }
            memory[m] = staged + m * W_;
            if (from.unit)
              std::copy_n(at, H, memory[m]);
            else
              std::fill_n(memory[m], W_, *at);
          }
          for (const int m : stage.written)
            memory[m] = direct(r_.memory[m]) ? address(r_.memory[m], i, t, row) : staged + m * W_;
          for (const auto& step : stage.steps)
            operate<T>(step.operation, scratch[step.to], scratch[step.from[0]], scratch[step.from[1]],
                       scratch[step.from[2]], W_, H, r_);
          for (const int m : stage.written)
            if (!direct(r_.memory[m])) std::copy_n(staged + m * W_, H, address(r_.memory[m], i, t, row));
        }
        for (const auto& m : stage.products) {
          for (int64_t k = 0; k < active; ++k)
            entering[k] = m.in_memory ? address(r_.memory[m.operand], i, t, mine[k])
                                      : file + k * stride_ + m.operand * W_;
          const bool back = back_ != bool(t & 1);
          if (r_.backward)
            Product<T>(packed_[m.first].of(member), int(r_.group_sizes[m.first] * H), file + m.to * W_, stride_, {})
                .run(entering, int(active), 0, int(panels_), back);
          else
            Product<T>(packed_[0].of(member), int(H), file + (m.to - m.first) * W_, stride_, {})
                .run(entering, int(active), int(m.first * panels_), int((m.first + m.count) * panels_), back);
        }
      }
      if (r_.backward) begin_anew(mine, active, i, t);
    }
    if (!r_.backward) finish(mine, count, total);
  }

  // What arrived before a row's first step, and before every step at which it began anew, is its initial state's.
  void begin_anew(const int64_t* mine, int64_t active, int64_t i, int64_t t) const {
    for (int64_t k = 0; k < active; ++k) {
      if (!first(t, mine[k])) continue;
      for (int64_t s = 0; s < r_.states; ++s) {
        T* const passed = address(r_.memory[r_.state[s].memory], i, t, mine[k]);
        T* const to = out<T>(r_.state[s].end) + mine[k] * r_.hidden;
        for (int64_t j = 0; j < r_.hidden; ++j) {
          to[j] += passed[j];
          passed[j] = 0;
        }
      }
    }
  }

  void finish(const int64_t* mine, int64_t count, int64_t total) const {
    for (int64_t k = 0; k < count; ++k) {
      const int64_t length = rows_.length(mine[k]);
      for (int64_t s = 0; s < r_.states; ++s) {
        const int64_t t = r_.reverse ? 0 : length - 1, i = r_.reverse ? total - 1 : length - 1;
        const T* const last = length ? address(r_.memory[r_.state[s].memory], i, t, mine[k])
                                     : in<T>(r_.state[s].initial) + mine[k] * r_.hidden;
        std::copy_n(last, r_.hidden, out<T>(r_.state[s].end) + mine[k] * r_.hidden);
      }
    }
  }

  const ProgramRecord& r_;
  const Instructions& code_;
  Rows rows_;
  int64_t panels_, W_;
  bool aligned_;
  ptrdiff_t stride_, own_size_;
  Workspace<T> units_;
  Workspace<T> own_;
  Workspace<T> files_;
  std::vector<int64_t> shares_;
  std::vector<const T*> entering_;
  std::vector<T*> tables_;
  ptrdiff_t entrance_stride_;
  Workspace<T> entrance_;  // the input's shares of one step, [B][gate][W], and the bias
  std::optional<Packed<ByVectors<T>>> into_;
  Barrier barrier_;
  bool back_ = false;  // which way the matrices are read
  std::vector<Packed<ByVectors<T>>> packed_;
};

}  // namespace unrolled
