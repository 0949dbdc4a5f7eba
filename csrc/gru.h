// Gated recurrent unit: the pointwise part of one step. The equations stand in src/unrolled/ops/gru.py.
#pragma once
#include "state.h"

namespace unrolled {

// Shapes: T steps, B rows, H units. Gates r z n one after the other in the last dimension. Null where optional and
// absent.
template <typename T> struct GruForward : StateForward<T> {
  static constexpr int kGates = 3, kGroupCount = 2;
  static constexpr int kGroups[] = {0, 2, 3};
  using StateForward<T>::s;
  using StateForward<T>::at;
  const T* gates_x;  // [T, B, 3H]
  const T* bias_n;   // [H], optional: inside the reset gate's product
  T* gates;          // [T, B, 3H]
  T* q;              // [T, B, H]: recurrent candidate

  bool whole_rows() const { return false; }
  inline __attribute__((always_inline)) void pointwise(const Place& p, const Vec<T>* u) const {
    const int64_t H = s.hidden, row = at(p.t, p.row);
    const T* x = gates_x + row * 3 * H + p.j;
    T* out = gates + row * 3 * H + p.j;
    Vec<T> candidate = u[2];
    if (bias_n) candidate += load_first(bias_n + p.j, p.n);
    const Vec<T> r = sigmoid<T>(load_first(x, p.n) + u[0]);
    const Vec<T> z = sigmoid<T>(load_first(x + H, p.n) + u[1]);
    const Vec<T> n = hyperbolic_tangent<T>(load_first(x + 2 * H, p.n) + r * candidate);
    store_first(out, r, p.n);
    store_first(out + H, z, p.n);
    store_first(out + 2 * H, n, p.n);
    store_first(q + row * H + p.j, candidate, p.n);
    this->leave(p, n + z * (this->previous(this->h_0, this->h, p) - n));
  }
  void row(int64_t t, int64_t b, bool first, const T* u, T*) const {
    row_by_vectors<T>(*this, t, b, first, u, 3, s.hidden);
  }
  void blank(int64_t t, int64_t b, int64_t from, int64_t to) const {
    this->clear(this->h, 1, t, b, from, to);
    this->clear(gates, 3, t, b, from, to);
    this->clear(q, 1, t, b, from, to);
  }
  void finish(int64_t b, int64_t length, int64_t from, int64_t to) const {
    this->take_last(this->h_0, this->h, this->h_n, b, length, from, to);
  }
};

template <typename T> struct GruBackward : StateBackward<T> {
  static constexpr int kGates = 3, kGroupCount = 2;
  static constexpr int kGroups[] = {0, 2, 3};
  using StateBackward<T>::s;
  using StateBackward<T>::at;
  const T *gates, *q;            // [T, B, 3H], [T, B, H]: from the forward
  const T *grad_gates, *grad_q;  // likewise, optional

  bool whole_rows() const { return false; }
  inline __attribute__((always_inline)) void pointwise(const Place& p, const Vec<T>* arrived) const {
    const int64_t H = s.hidden, row = at(p.t, p.row);
    const T* gate = gates + row * 3 * H + p.j;
    const Vec<T> r = load_first(gate, p.n), z = load_first(gate + H, p.n), n = load_first(gate + 2 * H, p.n);
    const Vec<T> candidate = load_first(q + row * H + p.j, p.n);
    const Vec<T> fresh = this->expose(p, arrived[0]);
    T* const carry = this->grad_h_0 + p.row * H + p.j;
    store_first(carry, load_first(carry, p.n) + fresh * z, p.n);
    Vec<T> over_r{}, over_z = fresh * (this->previous(this->h_0, this->h, p) - n), over_n = fresh * (1 - z), over_q{};
    if (grad_gates) {
      const T* direct = grad_gates + row * 3 * H + p.j;
      over_r = load_first(direct, p.n);
      over_z += load_first(direct + H, p.n);
      over_n += load_first(direct + 2 * H, p.n);
    }
    if (grad_q) over_q = load_first(grad_q + row * H + p.j, p.n);
    const Vec<T> d_n = this->clipped(over_n * (1 - n * n));
    const Vec<T> d_r = this->clipped((over_r + d_n * candidate) * r * (1 - r));
    const Vec<T> d_z = this->clipped(over_z * z * (1 - z));
    T* const out = this->dgates + row * 3 * H + p.j;
    store_first(out, d_r, p.n);
    store_first(out + H, d_z, p.n);
    store_first(out + 2 * H, d_n, p.n);
    T* const product = this->du + row * 3 * H + p.j;
    store_first(product, d_r, p.n);
    store_first(product + H, d_z, p.n);
    store_first(product + 2 * H, over_q + d_n * r, p.n);
  }
  void row(int64_t t, int64_t b, bool first, const T* dh, T*) const {
    row_by_vectors<T>(*this, t, b, first, dh, 1, s.hidden);
  }
  void begin(int64_t b, int64_t from, int64_t to) const {
    this->take_first(this->grad_h_n, this->grad_h_0, b, from, to);
  }
  void blank(int64_t t, int64_t b, int64_t from, int64_t to) const {
    this->clear(this->dgates, 3, t, b, from, to);
    this->clear(this->du, 3, t, b, from, to);
    this->clear(this->dh, 1, t, b, from, to);
  }
};

}  // namespace unrolled
