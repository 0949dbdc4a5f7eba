// The simple recurrent network: the pointwise part of one step. The equations stand in cells/library/elman.py.
#pragma once
#include <array>

#include "activation.h"
#include "state.h"

namespace unrolled {

// Shapes: T steps, B rows, H units. Null where optional and absent.
template <typename T> struct RnnForward : StateForward<T> {
  static constexpr int kGates = 1, kGroupCount = 1;
  static constexpr int kGroups[] = {0, 1};
  static constexpr int kJoined = 1;
  static constexpr bool kAdds = true;
  T* values;  // [N, H], optional: of the activation; may be gates_x
  Activation activation;

  bool whole_rows() const { return false; }
  template <typename Visits> void advance(int64_t from, int64_t to, const Visits& visit) const {
    if (this->bias || (from < to && visit(from).x))
      advance_rows<false>(from, to, visit);
    else
      advance_rows<true>(from, to, visit);
  }
  template <bool kSummed, typename Visits>
  UNROLLED_ALONE void advance_rows(int64_t from, int64_t to, const Visits& visit) const {
    for (int64_t r = from; r < to; ++r) advance_units<kSummed>(visit(r));
  }
  // kSummed: the product has all that enters.
  template <bool kSummed> UNROLLED_INLINE void advance_units(const Visit<T>& v) const {
    const int64_t here = this->s.packed(v.t, v.row) * this->s.hidden;
    T* const h = this->h + this->s.state(v.t, v.row);
    const Ahead<T> ahead = kSummed ? Ahead<T>(this->s.hidden) : this->ahead(v, 1, values);
    const T *const bias = this->bias, *const entering = v.x, *const product = v.product;
    by_vectors<T>(v.begin, v.end, [&](int64_t j, auto n) UNROLLED_INLINE {
      Vec<T> x = load(product + j);
      if constexpr (!kSummed) {
        ahead.fetch(j);
        if (entering) x += load_first(entering + j * v.x_unit, n);
        if (bias) x += load_first(bias + j, n);
      }
      const Vec<T> value = activate<T>(activation, x);
      if (values) this->keep(values + here + j, value, n);
      store_first(h + j, this->mixed(v, value, j, n), n);
    });
  }
  void blank(int64_t t, int64_t b, int64_t from, int64_t to) const {
    this->clear_h(t, b, from, to);
  }
  void finish(int64_t b, int64_t length, int64_t from, int64_t to) const { this->finish_h(b, length, from, to); }
};

template <typename T> struct RnnBackward : StateBackward<T> {
  static constexpr int kGates = 1, kGroupCount = 1;
  static constexpr int kGroups[] = {0, 1};
  static constexpr int kColumns = 1;  // of both gradients in one array where nothing is normalised
  using StateBackward<T>::s;
  const T* values;         // [N, H], or null where the states h are the values
  T *dbias_ih, *dbias_hh;  // [H], optional
  T *dgain_ih, *dgain_hh;  // [H], with the norms
  Activation activation;

  bool whole_rows() const { return false; }
  inline __attribute__((always_inline)) Vec<T> slope(Vec<T> value) const {
    switch (activation) {
      case Activation::tanh:
        return 1 - value * value;
      case Activation::relu:
        return value > T(0) ? splat<T>(1) : Vec<T>{};
      case Activation::sigmoid:
        return value * (1 - value);
      case Activation::identity:
        break;
    }
    return splat<T>(1);
  }
  void advance(const Visit<T>& v) const {
    const int64_t here = this->s.packed(v.t, v.row) * s.hidden;
    const T* const value = values ? values + here : this->h + s.state(v.t, v.row);
    Vec<T> squares{};
    by_vectors<T>(v.begin, v.end, [&](int64_t j, auto n) UNROLLED_INLINE {
      Vec<T> total = this->total(v, j, n);
      if (this->zoneout_h) total += load_first(this->carry_h + v.row * s.hidden + j, n);
      this->hear(v, total, squares, n);
      const Vec<T> over = this->unmixed(v, total, j, n);
      const Vec<T> entering = this->clipped(over * slope(load_first(value + j, n)));
      add(v.sums + j, entering, n);
      store_first(v.over_input + j, entering, n);
      if (v.over_recurrent != v.over_input) store_first(v.over_recurrent + j, entering, n);
    });
    add_squares(v, squares);
  }
  void begin(int64_t b, int64_t from, int64_t to) const { this->start(nullptr, this->carry_h, b, from, to); }
  // Of a thread: the biases' gradient, then the gains'.
  int64_t sum_count() const { return 3 * s.hidden; }
  int64_t gain_x_sums() const { return s.hidden; }
  int64_t gain_h_sums() const { return 2 * s.hidden; }
  std::array<Sum<T>, 4> sums() const {
    const int64_t H = s.hidden;
    return {{{dbias_ih, 0, H}, {dbias_hh, 0, H}, {dgain_ih, H, H}, {dgain_hh, 2 * H, H}}};
  }
};

}  // namespace unrolled
