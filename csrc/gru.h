// Gated recurrent unit: the pointwise part of one step. The equations stand in cells/library/gru_reset_after.py.
#pragma once
#include <array>

#include "activation.h"
#include "state.h"

namespace unrolled {

// Shapes: T steps, B rows, H units. Gates r z n one after the other in the last dimension. Null where optional and
// absent.
template <typename T> struct GruForward : StateForward<T> {
  static constexpr int kGates = 3, kGroupCount = 2;
  static constexpr int kGroups[] = {0, 2, 3};
  static constexpr int kJoined = 2;
  static constexpr bool kAdds = false;  // the reset gate takes only the state's share of the candidate
  const T* bias_q;                      // [H], optional: inside the reset gate's product
  T* gates;                             // [N, 3H], optional; may be gates_x
  T* q;                                 // [N, H], optional: recurrent candidate

  bool whole_rows() const { return false; }
  template <typename Visits> UNROLLED_ALONE void advance(int64_t from, int64_t to, const Visits& visit) const {
    for (int64_t r = from; r < to; ++r) advance_units(visit(r));
  }
  UNROLLED_INLINE void advance_units(const Visit<T>& v) const {
    constexpr int V = kLanes<T>;
    const int64_t H = this->s.hidden, here = this->s.packed(v.t, v.row);
    const T *const old = this->previous_h(v), *const bias = this->bias;
    T *const h = this->h + this->s.state(v.t, v.row), *const out = gates ? gates + here * 3 * H : nullptr;
    const Ahead<T> ahead = this->ahead(v, 3, gates);
    // In two loops, as an LSTM's: the update gate and the candidate wait where the products were.
    by_vectors<T>(v.begin, v.end, [&](int64_t j, auto n) UNROLLED_INLINE {
      ahead.fetch(j);
      T* const u = v.product + j * 3;
      const T* const x = v.x + j * v.x_unit;
      Vec<T> r = load_first(x, n) + load(u), z = load_first(x + v.x_gate, n) + load(u + V);
      Vec<T> fresh = load_first(x + 2 * v.x_gate, n), candidate = load(u + 2 * V);
      if (bias) {
        r += load_first(bias + j, n);
        z += load_first(bias + H + j, n);
        fresh += load_first(bias + 2 * H + j, n);
      }
      if (bias_q) candidate += load_first(bias_q + j, n);
      r = sigmoid(r);
      z = sigmoid(z);
      if (out) {
        this->keep(out + j, r, n);
        this->keep(out + H + j, z, n);
      }
      if (q) this->keep(q + here * H + j, candidate, n);
      store(u + V, z);
      store(u + 2 * V, fresh + r * candidate);
    });
    by_vectors<T>(v.begin, v.end, [&](int64_t j, auto n) UNROLLED_INLINE {
      const T* const u = v.product + j * 3;
      const Vec<T> fresh = hyperbolic_tangent(load(u + 2 * V));
      if (out) this->keep(out + 2 * H + j, fresh, n);
      store_first(h + j, this->mixed(v, fresh + load(u + V) * (load_first(old + j, n) - fresh), j, n), n);
    });
  }
  void blank(int64_t t, int64_t b, int64_t from, int64_t to) const {
    this->clear_h(t, b, from, to);
  }
  void finish(int64_t b, int64_t length, int64_t from, int64_t to) const { this->finish_h(b, length, from, to); }
};

template <typename T> struct GruBackward : StateBackward<T> {
  static constexpr int kGates = 3, kGroupCount = 2;
  static constexpr int kGroups[] = {0, 2, 3};
  static constexpr int kColumns = 4;  // of both gradients in one array where nothing is normalised: n r z q
  using StateBackward<T>::s;
  const T *gates, *q;      // [N, 3H], [N, H]: from the forward
  T *dbias_ih, *dbias_hh;  // [3H], optional
  T *dgain_ih, *dgain_hh;  // [3H], with the norms

  bool whole_rows() const { return false; }
  void advance(const Visit<T>& v) const {
    const int64_t H = s.hidden, here = this->s.packed(v.t, v.row);
    const T *const gate = gates + here * 3 * H, *const old = this->previous_h(v);
    const bool joined = this->over.row == kColumns * H;  // the first three of the columns and the last three
    T *const out = v.over_input, *const over_candidate = joined ? out : out + 2 * H, *const product = v.over_recurrent;
    T* const carried = this->carry_h + v.row * H;
    Ahead<T> ahead = this->ahead(v, gates, 3);
    if (!v.first) ahead.also(q + this->s.packed(s.before(v.t), v.row) * H);
    Vec<T> squares{};
    by_vectors<T>(v.begin, v.end, [&](int64_t j, auto n) UNROLLED_INLINE {
      ahead.fetch(j);
      const Vec<T> r = load_first(gate + j, n), z = load_first(gate + H + j, n),
                   fresh = load_first(gate + 2 * H + j, n);
      const Vec<T> candidate = load_first(q + here * H + j, n);
      const Vec<T> total = this->total(v, j, n) + load_first(carried + j, n);
      this->hear(v, total, squares, n);
      const Vec<T> over = this->unmixed(v, total, j, n);
      Vec<T> bypass = over * z;
      if (this->zoneout_h) bypass += load_first(carried + j, n);
      store_first(carried + j, bypass, n);
      const Vec<T> d_n = this->clipped(over * (1 - z) * (1 - fresh * fresh));
      const Vec<T> d_r = this->clipped(d_n * candidate * r * (1 - r));
      const Vec<T> d_z = this->clipped(over * (load_first(old + j, n) - fresh) * z * (1 - z));
      const Vec<T> d_q = d_n * r;
      add(v.sums + j, d_r, n);
      add(v.sums + H + j, d_z, n);
      add(v.sums + 2 * H + j, d_n, n);
      add(v.sums + 3 * H + j, d_q, n);
      if (!joined) {
        store_first(out + j, d_r, n);
        store_first(out + H + j, d_z, n);
      }
      store_first(over_candidate + j, d_n, n);
      store_first(product + j, d_r, n);
      store_first(product + H + j, d_z, n);
      store_first(product + 2 * H + j, d_q, n);
    });
    add_squares(v, squares);
  }
  void begin(int64_t b, int64_t from, int64_t to) const { this->start(nullptr, this->carry_h, b, from, to); }
  // Of a thread: the gradients of r, z and n, that of q, then the gains'.
  int64_t sum_count() const { return 10 * s.hidden; }
  int64_t gain_x_sums() const { return 4 * s.hidden; }
  int64_t gain_h_sums() const { return 7 * s.hidden; }
  std::array<Sum<T>, 5> sums() const {
    const int64_t H = s.hidden;
    return {{{dbias_ih, 0, 3 * H},
             {dbias_hh, 0, 2 * H},
             {dbias_hh ? dbias_hh + 2 * H : nullptr, 3 * H, H},
             {dgain_ih, gain_x_sums(), 3 * H},
             {dgain_hh, gain_h_sums(), 3 * H}}};
  }
};

}  // namespace unrolled
