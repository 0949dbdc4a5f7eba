// The scan: one cell over all time steps of a batch, forward and backward. It owns the order of rows and steps, the
// threads and the recurrent product; what a cell computes from that product is the cell's own (rnn.h, gru.h, lstm.h).
//
// Shapes are row-major. T steps, B rows, H hidden units, G gates; V lanes of a vector.
#pragma once
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "panel.h"
#include "rows.h"
#include "team.h"

namespace unrolled {

struct Shape {
  int64_t steps, rows, hidden;
  const int64_t* lengths;  // [B], or null: every row has all steps
  bool reverse;            // run from the last step to the first
  int threads;

  // In processing order: whether step t is a row's first or last, and the steps before and after.
  bool first(int64_t t, int64_t length) const { return reverse ? t == length - 1 : t == 0; }
  int64_t before(int64_t t) const { return reverse ? t + 1 : t - 1; }
  int64_t after(int64_t t) const { return reverse ? t - 1 : t + 1; }
};

// Layer normalisation of the recurrent product (Ba et al. 2016), over groups of whole gates.
template <typename T> struct Norm {
  const T* gain;  // [G*H], or null: no normalisation
  T epsilon;
  // Backward only: the normalised product of every step [T, B, G*H] and 1 / deviation [T, B, groups].
  const T* normalised;
  const T* inverse_deviation;
};

// A tensor of shape [T, B, H] that may be broadcast: strides of zero repeat.
template <typename T> struct Broadcast {
  const T* data;  // or null
  int64_t step, row, unit;
  explicit operator bool() const { return data != nullptr; }
  Vec<T> at(int64_t t, int64_t b, int64_t j, int n) const {
    const T* p = data + t * step + b * row + j * unit;
    if (unit == 0) return splat<T>(*p);
    return load_first(p, n);
  }
};

// Where the pointwise part of a cell is: step, row, and the n units from j on.
struct Place {
  int64_t t, row, j;
  int n;
  bool first;  // the row's first step: what came before is the initial state
};

// Scratch memory, aligned to a cache line.
template <typename T> class Workspace {
 public:
  explicit Workspace(size_t size) : raw_(new char[size * sizeof(T) + 64]) {}
  T* data() const { return reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(raw_.get()) + 63) & ~uintptr_t(63)); }

 private:
  std::unique_ptr<char[]> raw_;
};

// Batch rows to threads need no barrier, but every thread reads the whole matrix each step; units to threads need one
// barrier a step and split the matrix. Measured crossover.
inline bool split_rows(const Shape& s, int threads, size_t matrix_bytes, bool whole_rows) {
  if (threads == 1 || whole_rows) return true;
  return (s.rows >= 4 && matrix_bytes <= (3u << 19)) || s.rows >= 64;
}

// What one thread works on: some rows and some panels of units.
struct Share {
  const int64_t* rows;  // longest first
  int64_t count;
  int panel_begin, panel_end;
  int64_t begin, end;  // the units of those panels
};

// Memory and choices of a scan, made before the threads start: a thread of the team must not throw.
template <typename T> class Plan {
 public:
  // gates: of the packed matrix; inputs: the length of its sums; scratch: elements for every row.
  Plan(const Shape& s, int gates, int64_t inputs, bool whole_rows, size_t scratch)
      : rows(s.lengths, s.steps, s.rows),
        panel_size(ptrdiff_t(gates) * inputs * kLanes<T>),
        panels(int((s.hidden + kLanes<T> - 1) / kLanes<T>)),
        packed(size_t(panel_size) * panels),
        scratch(scratch),
        sources(size_t(s.rows) * s.threads),
        shape_(s),
        whole_rows_(whole_rows),
        shares_(size_t(s.rows) * s.threads) {}

  bool by_rows(int threads) const {
    return split_rows(shape_, threads, size_t(panel_size) * panels * sizeof(T), whole_rows_);
  }
  Share share(const Member& member) {
    int64_t* mine = shares_.data() + shape_.rows * member.thread;
    if (by_rows(member.threads))
      return {mine, rows.share(member.thread, member.threads, mine), 0, panels, 0, shape_.hidden};
    const int from = int(int64_t(panels) * member.thread / member.threads);
    const int to = int(int64_t(panels) * (member.thread + 1) / member.threads);
    const int64_t end = std::min<int64_t>(shape_.hidden, int64_t(to) * kLanes<T>);
    return {mine, rows.share(0, 1, mine), from, to, int64_t(from) * kLanes<T>, end};
  }

  Rows rows;
  ptrdiff_t panel_size;
  int panels;
  Workspace<T> packed;
  Workspace<T> scratch;
  std::vector<const T*> sources;  // [threads, B]: the rows that enter a product

 private:
  Shape shape_;
  bool whole_rows_;
  std::vector<int64_t> shares_;
};

// A cell's row() may use this many rows of scratch.
constexpr int kRowScratch = 3;

// Normalises one row's product in place, group by group.
template <typename T> void normalise(T* u, const Norm<T>& norm, const int* groups, int group_count, int64_t hidden) {
  for (int g = 0; g < group_count; ++g) {
    const int64_t begin = groups[g] * hidden, end = groups[g + 1] * hidden;
    T mean = 0, variance = 0;
    for (int64_t j = begin; j < end; ++j) mean += u[j];
    mean /= T(end - begin);
    for (int64_t j = begin; j < end; ++j) variance += (u[j] - mean) * (u[j] - mean);
    const T inverse = 1 / std::sqrt(variance / T(end - begin) + norm.epsilon);
    for (int64_t j = begin; j < end; ++j) u[j] = (u[j] - mean) * inverse * norm.gain[j];
  }
}

// The gradient of one row through `normalise`, in place.
template <typename T>
void normalise_backward(T* du, const T* normalised, const T* inverse, const T* gain, const int* groups, int group_count,
                        int64_t hidden) {
  for (int g = 0; g < group_count; ++g) {
    const int64_t begin = groups[g] * hidden, end = groups[g + 1] * hidden;
    T total = 0, along = 0;
    for (int64_t j = begin; j < end; ++j) {
      du[j] *= gain[j];
      total += du[j];
      along += du[j] * normalised[j];
    }
    total /= T(end - begin);
    along /= T(end - begin);
    for (int64_t j = begin; j < end; ++j) du[j] = inverse[g] * (du[j] - total - normalised[j] * along);
  }
}

// Forward. A cell gives: kGates and kGroups (borders of the normalised groups of gates), its states h [T, B, H] and
// h_0 [B, H]; pointwise(place, u) on one vector of units, whole_rows() and row(t, b, first, u, scratch) on a whole row;
// blank(t, b, begin, end) for a step past a row's end and finish(b, length, begin, end) after the last step.
template <typename T, typename Cell>
void scan_forward(const Shape& s, const T* weight_hh, const T* hidden_mask, const Norm<T>& norm, Cell& cell) {
  constexpr int V = kLanes<T>, G = Cell::kGates;
  const int64_t H = s.hidden, B = s.rows;
  const bool whole_rows = norm.gain || cell.whole_rows();
  Plan<T> plan(s, G, H, whole_rows, whole_rows ? B * (G + kRowScratch) * H : 0);
  const Rows& rows = plan.rows;
  Workspace<T> masked(hidden_mask ? 2 * B * H : 0);  // the masked states of this step and the one before

  run_team(s.threads, [&](const Member& member) {
    for (int p = member.thread; p < plan.panels; p += member.threads) {
      const int n = int(std::min<int64_t>(V, H - int64_t(p) * V));
      pack(weight_hh + int64_t(p) * V * H, H * H, H, 1, G, n, int(H), plan.packed.data() + p * plan.panel_size);
    }
    const bool by_rows = plan.by_rows(member.threads);
    const Share mine = plan.share(member);
    const T** const states = plan.sources.data() + B * member.thread;
    member.wait();

    const int64_t total = by_rows ? (mine.count ? rows.length(mine.rows[0]) : 0) : s.steps;
    int64_t active = s.reverse ? 0 : mine.count;
    for (int64_t i = 0; i < total; ++i) {
      const int64_t t = s.reverse ? total - 1 - i : i;
      while (s.reverse && active < mine.count && rows.length(mine.rows[active]) > t) ++active;
      while (!s.reverse && active > 0 && rows.length(mine.rows[active - 1]) <= t) --active;
      T* const masked_now = masked.data() + (i & 1) * B * H;
      for (int64_t r = 0; r < active; ++r) {
        const int64_t row = mine.rows[r];
        const bool first = s.first(t, rows.length(row));
        const T* previous = first ? cell.h_0 + row * H : cell.h + (s.before(t) * B + row) * H;
        if (hidden_mask) {
          for (int64_t j = 0; j < H; ++j) masked_now[row * H + j] = previous[j] * hidden_mask[row * H + j];
          previous = masked_now + row * H;
        }
        states[r] = previous;
      }
      if (whole_rows) {
        const auto product_of = [&](int64_t row) { return plan.scratch.data() + row * (G + kRowScratch) * H; };
        auto keep = [&](int r, int p, const Vec<T>* u) {
          const int n = int(std::min<int64_t>(V, H - int64_t(p) * V));
          for (int g = 0; g < G; ++g) store_first(product_of(mine.rows[r]) + g * H + int64_t(p) * V, u[g], n);
        };
        Product<T, G, decltype(keep)>(plan.packed.data(), int(H), keep).run(states, int(active), 0, plan.panels);
        for (int64_t r = 0; r < active; ++r) {
          const int64_t row = mine.rows[r];
          T* const u = product_of(row);
          if (norm.gain) normalise(u, norm, Cell::kGroups, Cell::kGroupCount, H);
          cell.row(t, row, s.first(t, rows.length(row)), u, u + G * H);
        }
      } else {
        auto finish = [&](int r, int p, const Vec<T>* u) {
          const int64_t row = mine.rows[r], j = int64_t(p) * V;
          cell.pointwise(Place{t, row, j, int(std::min<int64_t>(V, H - j)), s.first(t, rows.length(row))}, u);
        };
        Product<T, G, decltype(finish)>(plan.packed.data(), int(H), finish)
            .run(states, int(active), mine.panel_begin, mine.panel_end);
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
  });
}

// Backward. A cell gives: kGates and kGroups; du [T, B, G*H], the gradient of the recurrent product, filled by
// pointwise(place, dh) or row(t, b, first, dh, scratch), where dh is what arrives through the product of the step
// after; grad_h_0 [B, H]; begin(b, begin, end) before the first step and blank as in the forward.
template <typename T, typename Cell>
void scan_backward(const Shape& s, const T* weight_hh, const T* hidden_mask, const Norm<T>& norm, Cell& cell) {
  constexpr int V = kLanes<T>, G = Cell::kGates;
  const int64_t H = s.hidden, B = s.rows;
  const bool whole_rows = norm.gain || cell.whole_rows();
  Plan<T> plan(s, 1, G * H, whole_rows, whole_rows ? B * (1 + kRowScratch) * H : 0);
  const Rows& rows = plan.rows;

  run_team(s.threads, [&](const Member& member) {
    // Transposed: the units of a panel are the columns of W_hh and the sum runs over its G*H rows.
    for (int p = member.thread; p < plan.panels; p += member.threads) {
      const int n = int(std::min<int64_t>(V, H - int64_t(p) * V));
      pack(weight_hh + int64_t(p) * V, 0, 1, H, 1, n, int(G * H), plan.packed.data() + p * plan.panel_size);
    }
    const bool by_rows = plan.by_rows(member.threads);
    const Share mine = plan.share(member);
    const T** const gradients = plan.sources.data() + B * member.thread;
    for (int64_t r = 0; r < mine.count; ++r) cell.begin(mine.rows[r], mine.begin, mine.end);
    member.wait();

    const auto masked = [&](int64_t row, int64_t j, int n, Vec<T> dh) {
      return hidden_mask ? dh * load_first(hidden_mask + row * H + j, n) : dh;
    };
    const auto arrived = [&](int64_t row) { return plan.scratch.data() + row * (1 + kRowScratch) * H; };
    const auto active_at = [&](int64_t t) {
      return std::partition_point(mine.rows, mine.rows + mine.count,
                                  [&](int64_t row) { return rows.length(row) > t; }) -
             mine.rows;
    };
    const int64_t total = by_rows ? (mine.count ? rows.length(mine.rows[0]) : 0) : s.steps;
    for (int64_t i = 0; i < total; ++i) {
      const int64_t t = s.reverse ? i : total - 1 - i;
      const int64_t active = active_at(t);
      // The rows for which a later step has sent a gradient back: the first `fed` of the active ones.
      const int64_t after = s.after(t);
      const int64_t fed = after < 0 || after >= total ? 0 : s.reverse ? active : active_at(after);
      const auto receive = [&](int r, int p, const Vec<T>* sums) {
        const int64_t row = mine.rows[r], j = int64_t(p) * V;
        const int n = int(std::min<int64_t>(V, H - j));
        const Vec<T> dh = masked(row, j, n, sums[0]);
        if (whole_rows) return store_first(arrived(row) + j, dh, n);
        cell.pointwise(Place{t, row, j, n, s.first(t, rows.length(row))}, &dh);
      };
      for (int64_t r = 0; r < fed; ++r) gradients[r] = cell.du + (after * B + mine.rows[r]) * G * H;
      Product<T, 1, decltype(receive)>(plan.packed.data(), int(G * H), receive)
          .run(gradients, int(fed), mine.panel_begin, mine.panel_end);
      const Vec<T> nothing{};
      for (int64_t r = fed; r < active; ++r)
        for (int p = mine.panel_begin; p < mine.panel_end; ++p) receive(int(r), p, &nothing);
      for (int64_t r = 0; whole_rows && r < active; ++r) {
        const int64_t row = mine.rows[r], at = t * B + row;
        cell.row(t, row, s.first(t, rows.length(row)), arrived(row), arrived(row) + H);
        if (norm.gain)
          normalise_backward(cell.du + at * G * H, norm.normalised + at * G * H,
                             norm.inverse_deviation + at * Cell::kGroupCount, norm.gain, Cell::kGroups,
                             Cell::kGroupCount, H);
      }
      for (int64_t r = active; r < mine.count; ++r) cell.blank(t, mine.rows[r], mine.begin, mine.end);
      if (!by_rows) member.wait();
    }
    for (int64_t t = total; t < s.steps; ++t)
      for (int64_t r = 0; r < mine.count; ++r) cell.blank(t, mine.rows[r], mine.begin, mine.end);

    // What reaches the initial state. A reversed scan starts every row at its own last step.
    int64_t started = 0;
    for (; started < mine.count && rows.length(mine.rows[started]) > 0; ++started) {
      const int64_t row = mine.rows[started], first = s.reverse ? rows.length(row) - 1 : 0;
      gradients[started] = cell.du + (first * B + row) * G * H;
    }
    const auto initial = [&](int r, int p, const Vec<T>* sums) {
      const int64_t row = mine.rows[r], j = int64_t(p) * V;
      const int n = int(std::min<int64_t>(V, H - j));
      T* const carry = cell.grad_h_0 + row * H + j;
      store_first(carry, masked(row, j, n, sums[0]) + load_first(carry, n), n);
    };
    Product<T, 1, decltype(initial)>(plan.packed.data(), int(G * H), initial)
        .run(gradients, int(started), mine.panel_begin, mine.panel_end);
  });
}

}  // namespace unrolled
