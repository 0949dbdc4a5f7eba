// What every cell does with its hidden state: where it comes from, zoneout, the probe, and the way back through them.
#pragma once
#include "scan.h"

namespace unrolled {

// Shapes: T steps, B rows, H units.
template <typename T> struct StateForward {
  Shape s;
  const T* h_0;            // [B, H]
  Broadcast<T> zoneout_h;  // [T, B, H], optional
  Broadcast<T> probe_h;    // [T, B, H], optional
  T* h;                    // [T, B, H]
  T* h_n;                  // [B, H]

  int64_t at(int64_t t, int64_t b) const { return t * s.rows + b; }
  Vec<T> previous(const T* initial, const T* states, const Place& p) const {
    const T* row = p.first ? initial + p.row * s.hidden : states + at(s.before(p.t), p.row) * s.hidden;
    return load_first(row + p.j, p.n);
  }
  inline __attribute__((always_inline)) void leave(const Place& p, Vec<T> fresh) const {
    if (zoneout_h) {
      const Vec<T> keep = zoneout_h.at(p.t, p.row, p.j, p.n);
      fresh = keep * previous(h_0, h, p) + (1 - keep) * fresh;
    }
    if (probe_h) fresh += probe_h.at(p.t, p.row, p.j, p.n);
    store_first(h + at(p.t, p.row) * s.hidden + p.j, fresh, p.n);
  }

  void clear(T* values, int gates, int64_t t, int64_t b, int64_t from, int64_t to) const {
    for (int g = 0; g < gates; ++g) std::fill_n(values + (at(t, b) * gates + g) * s.hidden + from, to - from, T(0));
  }
  void take_last(const T* initial, const T* states, T* last, int64_t b, int64_t length, int64_t from,
                 int64_t to) const {
    const T* row = length ? states + at(s.reverse ? 0 : length - 1, b) * s.hidden : initial + b * s.hidden;
    std::copy(row + from, row + to, last + b * s.hidden + from);
  }
};

template <typename T> struct StateBackward {
  Shape s;
  const T* h_0;            // [B, H]
  const T* h;              // [T, B, H]
  Broadcast<T> zoneout_h;  // [T, B, H], optional
  Broadcast<T> grad_h;     // [T, B, H], optional
  T clip_step;             // 0: none
  T* dgates;               // [T, B, G*H]: gradient of gates_x
  T* du;                   // [T, B, G*H]: gradient of the recurrent product; dgates itself where the two are one
  T* dh;                   // [T, B, H], optional: total gradient of every h_t
  const T* grad_h_n;       // [B, H], optional
  T* grad_h_0;             // [B, H]; on the way, what bypasses the recurrent product

  int64_t at(int64_t t, int64_t b) const { return t * s.rows + b; }
  Vec<T> previous(const T* initial, const T* states, const Place& p) const {
    const T* row = p.first ? initial + p.row * s.hidden : states + at(s.before(p.t), p.row) * s.hidden;
    return load_first(row + p.j, p.n);
  }
  Vec<T> clipped(Vec<T> x) const { return clip_step > 0 ? clamp<T>(x, -clip_step, clip_step) : x; }

  // The total gradient of h_t is recorded, zoneout's share kept for the step before, the rest goes on to the new state.
  inline __attribute__((always_inline)) Vec<T> expose(const Place& p, Vec<T> total) const {
    T* const carry = grad_h_0 + p.row * s.hidden + p.j;
    total += load_first(carry, p.n);
    if (grad_h) total += grad_h.at(p.t, p.row, p.j, p.n);
    if (dh) store_first(dh + at(p.t, p.row) * s.hidden + p.j, total, p.n);
    if (!zoneout_h) {
      store_first(carry, Vec<T>{}, p.n);
      return total;
    }
    const Vec<T> keep = zoneout_h.at(p.t, p.row, p.j, p.n);
    store_first(carry, total * keep, p.n);
    return total * (1 - keep);
  }

  void take_first(const T* last, T* carry, int64_t b, int64_t from, int64_t to) const {
    if (last)
      std::copy(last + b * s.hidden + from, last + b * s.hidden + to, carry + b * s.hidden + from);
    else
      std::fill(carry + b * s.hidden + from, carry + b * s.hidden + to, T(0));
  }
  void clear(T* values, int gates, int64_t t, int64_t b, int64_t from, int64_t to) const {
    if (!values) return;
    for (int g = 0; g < gates; ++g) std::fill_n(values + (at(t, b) * gates + g) * s.hidden + from, to - from, T(0));
  }
};

// A whole row, vector by vector: it was needed in one piece only to normalise the product.
template <typename T, typename Cell>
void row_by_vectors(const Cell& cell, int64_t t, int64_t b, bool first, const T* values, int count, int64_t hidden) {
  constexpr int V = kLanes<T>;
  for (int64_t j = 0; j < hidden; j += V) {
    const Place p{t, b, j, int(std::min<int64_t>(V, hidden - j)), first};
    Vec<T> u[4] = {};
    for (int g = 0; g < count; ++g) u[g] = load_first(values + g * hidden + j, p.n);
    cell.pointwise(p, u);
  }
}

}  // namespace unrolled
