// The simple recurrent network: the pointwise part of one step. The equations stand in src/unrolled/ops/rnn.py.
#pragma once
#include "activation.h"
#include "state.h"

namespace unrolled {

// Shapes: T steps, B rows, H units. Null where optional and absent.
template <typename T> struct RnnForward : StateForward<T> {
  static constexpr int kGates = 1, kGroupCount = 1;
  static constexpr int kGroups[] = {0, 1};
  using StateForward<T>::s;
  using StateForward<T>::at;
  const T* gates_x;  // [T, B, H]
  T* values;         // [T, B, H]: of the activation
  Activation activation;

  bool whole_rows() const { return false; }
  inline __attribute__((always_inline)) void pointwise(const Place& p, const Vec<T>* u) const {
    const int64_t at_row = at(p.t, p.row) * s.hidden + p.j;
    const Vec<T> value = activate<T>(activation, load_first(gates_x + at_row, p.n) + u[0]);
    store_first(values + at_row, value, p.n);
    this->leave(p, value);
  }
  void row(int64_t t, int64_t b, bool first, const T* u, T*) const {
    row_by_vectors<T>(*this, t, b, first, u, 1, s.hidden);
  }
  void blank(int64_t t, int64_t b, int64_t from, int64_t to) const {
    this->clear(this->h, 1, t, b, from, to);
    this->clear(values, 1, t, b, from, to);
  }
  void finish(int64_t b, int64_t length, int64_t from, int64_t to) const {
    this->take_last(this->h_0, this->h, this->h_n, b, length, from, to);
  }
};

template <typename T> struct RnnBackward : StateBackward<T> {
  static constexpr int kGates = 1, kGroupCount = 1;
  static constexpr int kGroups[] = {0, 1};
  using StateBackward<T>::s;
  using StateBackward<T>::at;
  const T* values;       // [T, B, H]: from the forward
  const T* grad_values;  // [T, B, H], optional
  Activation activation;

  bool whole_rows() const { return false; }
  Vec<T> slope(Vec<T> value) const {
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
  inline __attribute__((always_inline)) void pointwise(const Place& p, const Vec<T>* arrived) const {
    const int64_t at_row = at(p.t, p.row) * s.hidden + p.j;
    Vec<T> over = this->expose(p, arrived[0]);
    if (grad_values) over += load_first(grad_values + at_row, p.n);
    const Vec<T> entering = this->clipped(over * slope(load_first(values + at_row, p.n)));
    store_first(this->dgates + at_row, entering, p.n);
    if (this->du != this->dgates) store_first(this->du + at_row, entering, p.n);
  }
  void row(int64_t t, int64_t b, bool first, const T* dh, T*) const {
    row_by_vectors<T>(*this, t, b, first, dh, 1, s.hidden);
  }
  void begin(int64_t b, int64_t from, int64_t to) const {
    this->take_first(this->grad_h_n, this->grad_h_0, b, from, to);
  }
  void blank(int64_t t, int64_t b, int64_t from, int64_t to) const {
    this->clear(this->dgates, 1, t, b, from, to);
    if (this->du != this->dgates) this->clear(this->du, 1, t, b, from, to);
    this->clear(this->dh, 1, t, b, from, to);
  }
};

}  // namespace unrolled
