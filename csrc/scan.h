// The scan: one cell over all time steps of a batch, forward and backward. It owns the order of rows and steps, the
// threads and the recurrent product; what a cell computes from that product is the cell's own (rnn.h, gru.h, lstm.h).
//
// Shapes are row-major. T steps, B rows, H hidden units, G gates; V lanes of a vector; [N, ...] stands for what belongs
// to the steps, one row a step and row of the batch, with padding or without (`Shape`).
#pragma once
#include <cmath>
#include <optional>

#include "gradients.h"
#include "input.h"
#include "norm.h"
#if defined(UNROLLED_TILES)
#include "amx.h"
#endif

namespace unrolled {

// What a thread of a scan holds meanwhile.
#if defined(UNROLLED_TILES)
using Thread = Tiles;
#else
struct Thread {};
#endif

// Layer normalisation of the input's and of the recurrent product, over groups of whole gates.
template <typename T, typename Kept> struct Norm {
  const T *gain_x, *gain_h;  // [G*H], or null: no normalisation
  T epsilon;
  Kept products;  // [N, G*H], recurrent, before the normalisation: written by the forward where not null
};

// One row at one step: what a cell advances.
template <typename T> struct Visit {
  int64_t t, row;
  bool first;              // the row's first step: what came before is the initial state
  int64_t begin, end;      // the units to compute
  const T* x;              // forward: what enters the gates from the input, or null where it is in the product; the
  int64_t x_unit, x_gate;  // vector of units from j on of gate g at j * x_unit + g * x_gate
  T* product;              // forward: W_hh h as [panel][gate][lane]; backward: what arrived at h as [unit]
  T* scratch;              // kCellRows rows of units
  // Backward: this thread's sums; the gradients of the row's gates, to be filled (GateGradients); where those of the
  // step that comes next go, or null; where |dL/dh|^2 of this row and step is added to, or null.
  T *sums = nullptr, *over_input = nullptr, *over_recurrent = nullptr;
  const T* over_next = nullptr;
  T* squares = nullptr;
};

// Where the products with the inputs come from, if they are not given.
template <typename T> struct Entrance {
  const InputProduct<T>* product;  // or null
  const Feed<T>* feed;
  T* kept;  // [N, G*H], the products before any normalisation, or null where nobody asks for them
};

// Forward. A cell gives: kGates, kGroups (borders of the normalised groups of gates) and kGroupCount; kAdds: what
// enters a gate is the sum of both products; gates_x [N, G*H], the input's product where it is given; its states h [T,
// B, H] and h_0 [B, H], null for zeros; whole_rows(): whether advance() needs all units of a row at once;
// advance(begin, end, visit) for those of a thread's rows, visit(r) each: in one call, so that what the loop over the
// units needs is loaded once; blank(t, row, begin, end) for a step past a row's end and finish(row, length, begin, end)
// after the last step.
template <typename Way, typename Cell, typename T = typename Way::Number>
void scan_forward(const Shape& s, const T* weight_hh, const T* hidden_mask, const Norm<T, T*>& norm,
                  const Entrance<T>& entrance, const Cell& cell) {
  constexpr int V = kLanes<T>, G = Cell::kGates;
  const int64_t H = s.hidden, B = s.rows;
  const bool whole_rows = norm.gain_x || norm.gain_h || cell.whole_rows();
  Plan<Way> plan(s, G, H, whole_rows, 0, kCellRows + (norm.gain_x ? G : 0));
  const Rows& rows = plan.rows;
  // The recurrent product begins with the input's.
  const bool adds = Way::kStarts && Cell::kAdds && entrance.feed && !norm.gain_x && !norm.gain_h;
  Workspace<T> masked(hidden_mask ? 2 * B * H : 0);  // the masked states of this step and the one before

  run_team(s.threads, [&](const Member& member) {
    [[maybe_unused]] const Thread thread;
    const bool by_rows = plan.by_rows(member.threads);
    const Share<T> mine = plan.share(member);
    plan.packed.fill(member, mine.panel_begin, mine.panel_end, by_rows, [&](int p, int gate, T* to) {
      const int n = int(std::min<int64_t>(V, H - int64_t(p) * V));
      Way::pack(weight_hh + (gate * H + int64_t(p) * V) * H, H, 1, n, int(H), to);
    });
    if (entrance.product) entrance.product->pack(member, mine, by_rows);
    const typename Way::Product product(plan.packed.of(member), int(H), mine.products, plan.product_stride,
                                        mine.entered);
    const Before<T> inputs = adds ? entrance.feed->before(s, *entrance.product, mine, member) : Before<T>{};
    T* const normed = mine.scratch + kCellRows * H;
    const auto keep = [&](const T* u, T* out) {  // from [panel][gate][lane] to [gate][unit]
      by_vectors<T>(0, H, [&](int64_t j, auto n) {
        for (int g = 0; g < G; ++g) store_first(out + g * H + j, load(u + j * G + g * V), n);
      });
    };
    member.wait();

    const int64_t total = by_rows ? (mine.count ? rows.length(mine.rows[0]) : 0) : s.steps;
    int64_t active = s.reverse ? 0 : mine.count;
    for (int64_t i = 0; i < total; ++i) {
      const int64_t t = s.reverse ? total - 1 - i : i;
      const int64_t place = entrance.feed ? i % entrance.feed->steps() : 0;
      if (inputs.packed)
        entrance.feed->enter(s, mine, member, t);
      else if (entrance.feed && place == 0)
        entrance.feed->fill(
            s, *entrance.product, mine, by_rows, member, std::min(entrance.feed->steps(), total - i),
            [&](int64_t k) { return s.reverse ? t - k : t + k; },
            [&](int64_t step) { return mine.active(rows, step); });
      const bool back = t & 1;  // every other step reads the matrix from its end
      const int64_t continuing = s.reverse ? active : i ? mine.count : 0;
      while (s.reverse && active < mine.count && rows.length(mine.rows[active]) > t) ++active;
      while (!s.reverse && active > 0 && rows.length(mine.rows[active - 1]) <= t) --active;
      // The product of a zero state is zero.
      const int64_t entering = cell.h_0 ? active : std::min(continuing, active);
      T* const masked_now = masked.data() + (i & 1) * B * H;
      for (int64_t r = 0; r < entering; ++r) {
        const int64_t row = mine.rows[r];
        const T* state = state_before<T>(s, cell.h, cell.h_0, cell.zeros, t, row, s.first(t, rows.length(row)));
        if (hidden_mask) {
          for (int64_t j = 0; j < H; ++j) masked_now[row * H + j] = state[j] * hidden_mask[row * H + j];
          state = masked_now + row * H;
        }
        mine.entering[r] = state;
      }
      product.enter(mine.entering, entering);
      const auto made_for = [&](int64_t r) { return entrance.feed->row(s, by_rows, member, place, r); };
      const int at_once = plan.panels_at_once(active), turns = plan.turns(mine, at_once);
      for (int turn = 0; turn < turns; ++turn) {
        const int from = mine.panel_begin + (back ? turns - 1 - turn : turn) * at_once;
        const int to = std::min(from + at_once, mine.panel_end);
        if constexpr (Way::kStarts) {
          const Start<T> start = inputs.packed ? entrance.product->start(member)
                                 : adds        ? Start<T>{made_for(0), entrance.feed->stride()}
                                               : Start<T>{};
          product.run(entering ? mine.entering : nullptr, int(inputs.packed ? active : entering), from * G, to * G,
                      back, start, inputs);
        } else
          product.run(mine.entering, int(entering), from * G, to * G, back);
        const int64_t begin = int64_t(from) * V, end = std::min<int64_t>(H, int64_t(to) * V);
        const auto made_at = [&](int64_t r) { return entrance.feed && !inputs.packed ? made_for(r) : nullptr; };
        const auto visit = [&](int64_t r) UNROLLED_INLINE {
          const int64_t row = mine.rows[r], at = s.packed(t, row) * G * H;
          const bool first = s.first(t, rows.length(row));
          const T* const made = adds ? nullptr : made_at(r);
          const T* const x = adds || made ? made : norm.gain_x ? normed : cell.gates_x + at;
          T* const u = mine.products + r * plan.product_stride;
          return Visit<T>{t, row, first, begin, end, x, made ? G : 1, made ? V : H, u, mine.scratch};
        };
        // What a row needs before the cell has it.
        const auto prepare = [&](int64_t r) {
          const int64_t at = s.packed(t, mine.rows[r]) * G * H;
          T *const u = mine.products + r * plan.product_stride, *const made = made_at(r);
          if (r >= entering && !inputs.packed) {
            const int64_t left = int64_t(from) * G * V, right = int64_t(to) * G * V;
            if (adds)
              std::copy(made + left, made + right, u + left);
            else
              std::fill(u + left, u + right, T(0));
          }
          if (norm.products) keep(u, norm.products + at);
          if (entrance.kept) keep(made, entrance.kept + at);
          for (int g = 0; g < Cell::kGroupCount; ++g) {
            const int first = Cell::kGroups[g], gates = Cell::kGroups[g + 1] - first;
            if (norm.gain_h) normalise(u, G, first, gates, H, norm.gain_h, norm.epsilon);
            if (norm.gain_x && made)
              normalise(made, G, first, gates, H, norm.gain_x, norm.epsilon);
            else if (norm.gain_x)
              normalise(cell.gates_x + at + first * H, gates * H, norm.gain_x + first * H, norm.epsilon,
                        normed + first * H);
          }
        };
        if (norm.gain_x || norm.gain_h || norm.products || entrance.kept) {
          for (int64_t r = 0; r < active; ++r) {
            prepare(r);
            cell.advance(r, r + 1, visit);
          }
        } else {
          for (int64_t r = inputs.packed ? active : entering; r < active; ++r) prepare(r);
          cell.advance(0, active, visit);
        }
      }
      for (int64_t r = active; r < mine.count; ++r) cell.blank(t, mine.rows[r], mine.begin, mine.end);
      if (!by_rows) member.wait();
    }
    for (int64_t t = total; t < s.steps; ++t)
      for (int64_t r = 0; r < mine.count; ++r) cell.blank(t, mine.rows[r], mine.begin, mine.end);
    for (int64_t r = 0; r < mine.count; ++r) {
      const int64_t row = mine.rows[r];
      cell.finish(row, rows.length(row), mine.begin, mine.end);
    }
    settle_streams();
  });
}

// A sum over all steps and rows that the backward pass returns: `count` elements from element `from` of a thread's
// sums on.
template <typename T> struct Sum {
  T* out;  // or null
  int64_t from, count;
};

// Backward. A cell gives: kGates, kGroups and kGroupCount; over, the gradients of what the input and the recurrent
// product bring to the gates, which advance(visit) fills: of all steps, unless there are `factors`, with which they are
// used; gates_x; grad_h_n [B, H], or null for zeros; carry_h [B, H], what bypasses the product on its way to the step
// before; grad_h_0 [B, H], or null where nobody asks; begin(row, begin, end) before the first step; dh_norms [T, B], or
// null; the sums it returns, sum_count() elements of them, those of the norms' gains from gain_x_sums() and
// gain_h_sums() on.
template <typename Way, typename Cell, typename T = typename Way::Number>
void scan_backward(const Shape& s, const T* weight_hh, const T* hidden_mask, const Norm<T, const T*>& norm, Cell cell,
                   const Factors<T>* factors) {
  constexpr int V = kLanes<T>, G = Cell::kGates;
  const int64_t H = s.hidden;
  const bool whole_rows = norm.gain_x || norm.gain_h || cell.whole_rows();
  Plan<Way> plan(s, 1, G * H, whole_rows, cell.sum_count(), kCellRows);
  const Rows& rows = plan.rows;
  std::optional<ProductGradients<T>> used;
  if (factors) used.emplace(s, *factors, plan.always_by_rows());
  // Each thread uses its own on the way, and goes back to the beginning of its room when there were enough.
  ProductGradients<T>* const gradients = used && used->on_the_way() ? &*used : nullptr;
  if (used) cell.over = used->room({0, 1, nullptr});
  const Workspace<T> squares(cell.dh_norms ? s.steps * s.rows * s.threads : 0);  // [threads, T, B]
  // Of every row's first step: what its initial state is given.
  const Workspace<T> firsts(cell.grad_h_0 ? s.rows * G * H : 0);

  run_team(s.threads, [&](const Member& member) {
    [[maybe_unused]] const Thread thread;
    const bool by_rows = plan.by_rows(member.threads);
    const Share<T> mine = plan.share(member);
    // Transposed: the units of a panel are the columns of W_hh and the sum runs over its G*H rows.
    plan.packed.fill(member, mine.panel_begin, mine.panel_end, by_rows, [&](int p, int, T* to) {
      const int n = int(std::min<int64_t>(V, H - int64_t(p) * V));
      Way::pack(weight_hh + int64_t(p) * V, 1, H, n, int(G * H), to);
    });
    if (gradients) gradients->pack(member);
    const GateGradients<T> over = gradients ? gradients->room(member) : cell.over;
    const typename Way::Product product(plan.packed.of(member), int(G * H), mine.products, plan.product_stride,
                                        mine.entered);
    std::fill_n(mine.sums, cell.sum_count(), T(0));
    T* const own_squares = cell.dh_norms ? squares.data() + member.thread * s.steps * s.rows : nullptr;
    if (own_squares) std::fill_n(own_squares, s.steps * s.rows, T(0));
    for (int64_t r = 0; r < mine.count; ++r) cell.begin(mine.rows[r], mine.begin, mine.end);
    member.wait();

    const auto mask = [&](int64_t row, T* dh, int64_t begin, int64_t end) {
      for (int64_t j = begin; hidden_mask && j < end; ++j) dh[j] *= hidden_mask[row * H + j];
    };
    const auto active_at = [&](int64_t t) { return mine.active(rows, t); };
    // Where in `over` the r-th row is, of a step that begins at `place`.
    const auto within = [&](int64_t place, int64_t t, int64_t r) {
      return (place + (gradients ? r : s.within(t, mine.rows[r]))) * over.row;
    };
    const int64_t total = by_rows ? (mine.count ? rows.length(mine.rows[0]) : 0) : s.steps;
    int64_t place = 0, held = 0;  // of the step before; rows that have not been used
    for (int64_t i = 0; i < total; ++i) {
      const int64_t t = s.reverse ? i : total - 1 - i;
      const bool back = t & 1;
      const int64_t active = active_at(t);
      // The rows for which a later step has sent a gradient back: the first `fed` of the active ones.
      const int64_t after = s.after(t), before = s.before(t);
      const int64_t fed = after < 0 || after >= total ? 0 : s.reverse ? active : active_at(after);
      for (int64_t r = 0; r < fed; ++r) mine.entering[r] = over.of_recurrent + within(place, after, r);
      product.enter(mine.entering, fed);
      place = gradients ? held : s.begin(t);
      held = place + active;
      const bool last = i + 1 == total, enough = gradients && gradients->enough(held);
      const int64_t place_next = gradients ? held : last ? 0 : s.begin(before);
      const int at_once = plan.panels_at_once(active), turns = plan.turns(mine, at_once);
      for (int turn = 0; turn < turns; ++turn) {
        const int from = mine.panel_begin + (back ? turns - 1 - turn : turn) * at_once;
        const int to = std::min(from + at_once, mine.panel_end);
        const int64_t begin = int64_t(from) * V, end = std::min<int64_t>(H, int64_t(to) * V);
        product.run(mine.entering, int(fed), from, to, back);
        for (int64_t r = 0; r < active; ++r) {
          const int64_t row = mine.rows[r];
          T* const dh = mine.products + r * plan.product_stride;
          if (r < fed)
            mask(row, dh, begin, end);
          else if (cell.grad_h_n)
            std::copy(cell.grad_h_n + row * H + begin, cell.grad_h_n + row * H + end, dh + begin);
          else
            std::fill(dh + begin, dh + end, T(0));
          if (norm.gain_h && r + 1 < active) {  // more arrays at once than the hardware follows
            const int64_t next = s.packed(t, mine.rows[r + 1]) * G * H;
            for (int64_t j = 0; j < G * H; j += 64 / int64_t(sizeof(T))) {
              __builtin_prefetch(norm.products + next + j);
              __builtin_prefetch(cell.gates_x + next + j);
            }
          }
          const int64_t own = within(place, t, r), length = rows.length(row);
          T *const over_input = over.of_input + own, *const over_recurrent = over.of_recurrent + own;
          const bool first = s.first(t, length);
          const T* const over_next = first || enough ? nullptr : over.of_input + within(place_next, before, r);
          cell.advance(Visit<T>{t, row, first, begin, end, nullptr, 0, 0, dh, mine.scratch, mine.sums, over_input,
                                over_recurrent, over_next, own_squares ? own_squares + s.padded(t, row) : nullptr});
          for (int g = 0; g < Cell::kGroupCount; ++g) {
            const int64_t gate = Cell::kGroups[g] * H, at = s.packed(t, row) * G * H + gate;
            const int64_t count = (Cell::kGroups[g + 1] - Cell::kGroups[g]) * H;
            if (norm.gain_h)
              normalise_backward(over_recurrent + gate, norm.products + at, norm.gain_h + gate, count, norm.epsilon,
                                 mine.sums + cell.gain_h_sums() + gate);
            if (norm.gain_x)
              normalise_backward(over_input + gate, cell.gates_x + at, norm.gain_x + gate, count, norm.epsilon,
                                 mine.sums + cell.gain_x_sums() + gate);
          }
          for (int64_t g = 0; cell.grad_h_0 && first && g < G; ++g)
            std::copy(over_recurrent + g * H + begin, over_recurrent + g * H + end,
                      firsts.data() + (row * G + g) * H + begin);
        }
      }
      for (int64_t k = 0; gradients && k < active; ++k) {
        const int64_t r = s.reverse ? k : active - 1 - k;
        gradients->collect(member, t, mine.rows[r], over.of_input + within(place, t, r));
      }
      if (enough) {
        gradients->use(member);
        held = 0;
      }
      if (!by_rows) member.wait();
    }
    if (gradients) gradients->use(member);

    if (cell.grad_h_0) {
      int64_t started = 0;
      for (; started < mine.count && rows.length(mine.rows[started]) > 0; ++started)
        mine.entering[started] = firsts.data() + mine.rows[started] * G * H;
      product.enter(mine.entering, started);
      product.run(mine.entering, int(started), mine.panel_begin, mine.panel_end, false);
      for (int64_t r = 0; r < mine.count; ++r) {
        const int64_t row = mine.rows[r];
        const T* arrived = mine.products + r * plan.product_stride;
        if (r < started)
          mask(row, mine.products + r * plan.product_stride, mine.begin, mine.end);
        else
          arrived = cell.grad_h_n ? cell.grad_h_n + row * H : nullptr;
        for (int64_t j = mine.begin; j < mine.end; ++j)
          cell.grad_h_0[row * H + j] = cell.carry_h[row * H + j] + (arrived ? arrived[j] : T(0));
      }
    }
    member.wait();
    if (gradients) gradients->add_sums(member);
    if (cell.dh_norms) {
      const Part part = member.part();
      const int64_t all = s.steps * s.rows, begin = part.begin(all), end = part.end(all);
      std::copy(squares.data() + begin, squares.data() + end, cell.dh_norms + begin);
      for (int thread = 1; thread < member.threads; ++thread)
        add_elements(part, cell.dh_norms, squares.data() + thread * all, all);
      for (int64_t n = begin; n < end; ++n) cell.dh_norms[n] = std::sqrt(cell.dh_norms[n]);
    }
    if (member.thread == 0)
      for (const Sum<T>& sum : cell.sums())
        if (sum.out) plan.add_sums(member.threads, sum.from, sum.count, sum.out);
  });
  if (used && !gradients) used->use_all();
}

}  // namespace unrolled
