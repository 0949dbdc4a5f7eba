// Long short-term memory: the pointwise part of one step. The equations stand in src/unrolled/ops/lstm.py.
#pragma once
#include "state.h"

namespace unrolled {

// Shapes: T steps, B rows, H units. Gates i f g o one after the other in the last dimension. Null where optional and
// absent.
template <typename T> struct LstmForward : StateForward<T> {
  static constexpr int kGates = 4, kGroupCount = 1;
  static constexpr int kGroups[] = {0, 4};
  using StateForward<T>::s;
  using StateForward<T>::at;
  const T* gates_x;        // [T, B, 4H]
  const T* c_0;            // [B, H]
  const T* peephole;       // [3, H], optional: to i, f and o
  const T* cell_gain;      // [H], optional, with cell_bias
  const T* cell_bias;      // [H]
  Broadcast<T> zoneout_c;  // [T, B, H], optional
  Broadcast<T> probe_c;    // [T, B, H], optional
  T* c;                    // [T, B, H]
  T* c_n;                  // [B, H]
  T* gates;                // [T, B, 4H]
  T epsilon;

  bool whole_rows() const { return cell_gain != nullptr; }

  // Gates and the new cell (before zoneout).
  inline __attribute__((always_inline)) Vec<T> enter(const Place& p, const Vec<T>* u, Vec<T>& gate_o) const {
    const int64_t H = s.hidden, row = at(p.t, p.row);
    const T* x = gates_x + row * 4 * H + p.j;
    T* out = gates + row * 4 * H + p.j;
    const Vec<T> old = this->previous(c_0, c, p);
    Vec<T> i = load_first(x, p.n) + u[0], f = load_first(x + H, p.n) + u[1];
    Vec<T> g = load_first(x + 2 * H, p.n) + u[2], o = load_first(x + 3 * H, p.n) + u[3];
    if (peephole) {
      i += load_first(peephole + p.j, p.n) * old;
      f += load_first(peephole + H + p.j, p.n) * old;
    }
    i = sigmoid<T>(i);
    f = sigmoid<T>(f);
    g = hyperbolic_tangent<T>(g);
    Vec<T> fresh = f * old + i * g;
    if (probe_c) fresh += probe_c.at(p.t, p.row, p.j, p.n);
    if (peephole) o += load_first(peephole + 2 * H + p.j, p.n) * fresh;
    o = sigmoid<T>(o);
    store_first(out, i, p.n);
    store_first(out + H, f, p.n);
    store_first(out + 2 * H, g, p.n);
    store_first(out + 3 * H, o, p.n);
    gate_o = o;
    return fresh;
  }

  inline __attribute__((always_inline)) void leave(const Place& p, Vec<T> fresh, Vec<T> gate_o, Vec<T> squashed) const {
    Vec<T> next = fresh;
    if (zoneout_c) {
      const Vec<T> keep = zoneout_c.at(p.t, p.row, p.j, p.n);
      // The probe belongs to c_t as a whole: take it out of the new cell and put it on the mixture.
      const Vec<T> probe = probe_c ? probe_c.at(p.t, p.row, p.j, p.n) : Vec<T>{};
      next = keep * this->previous(c_0, c, p) + (1 - keep) * (fresh - probe) + probe;
    }
    store_first(c + at(p.t, p.row) * s.hidden + p.j, next, p.n);
    StateForward<T>::leave(p, gate_o * squashed);
  }

  inline __attribute__((always_inline)) void pointwise(const Place& p, const Vec<T>* u) const {
    Vec<T> gate_o;
    const Vec<T> fresh = enter(p, u, gate_o);
    leave(p, fresh, gate_o, hyperbolic_tangent<T>(fresh));
  }

  void row(int64_t t, int64_t b, bool first, const T* product, T* scratch) const {
    if (!whole_rows()) return row_by_vectors<T>(*this, t, b, first, product, 4, s.hidden);
    constexpr int V = kLanes<T>;
    const int64_t H = s.hidden;
    T *const fresh = scratch, *const normal = fresh + H;
    for (int64_t j = 0; j < H; j += V) {
      const Place p{t, b, j, int(std::min<int64_t>(V, H - j)), first};
      Vec<T> u[4] = {}, gate_o;
      for (int g = 0; g < 4; ++g) u[g] = load_first(product + g * H + j, p.n);
      store_first(fresh + j, enter(p, u, gate_o), p.n);
    }
    std::copy(fresh, fresh + H, normal);
    const int whole[] = {0, 1};
    normalise(normal, Norm<T>{cell_gain, epsilon, nullptr, nullptr}, whole, 1, H);
    for (int64_t j = 0; j < H; j += V) {
      const Place p{t, b, j, int(std::min<int64_t>(V, H - j)), first};
      const Vec<T> squashed = hyperbolic_tangent<T>(load_first(normal + j, p.n) + load_first(cell_bias + j, p.n));
      leave(p, load_first(fresh + j, p.n), load_first(gates + at(t, b) * 4 * H + 3 * H + j, p.n), squashed);
    }
  }

  void blank(int64_t t, int64_t b, int64_t from, int64_t to) const {
    this->clear(this->h, 1, t, b, from, to);
    this->clear(c, 1, t, b, from, to);
    this->clear(gates, 4, t, b, from, to);
  }
  void finish(int64_t b, int64_t length, int64_t from, int64_t to) const {
    this->take_last(this->h_0, this->h, this->h_n, b, length, from, to);
    this->take_last(c_0, c, c_n, b, length, from, to);
  }
};

template <typename T> struct LstmBackward : StateBackward<T> {
  static constexpr int kGates = 4, kGroupCount = 1;
  static constexpr int kGroups[] = {0, 4};
  using StateBackward<T>::s;
  using StateBackward<T>::at;
  using StateBackward<T>::dgates;
  using StateBackward<T>::du;
  const T* c_0;            // [B, H]
  const T* peephole;       // [3, H], optional
  const T* cell_gain;      // [H], optional, with cell_bias
  const T* cell_bias;      // [H]
  Broadcast<T> zoneout_c;  // [T, B, H], optional
  Broadcast<T> probe_c;    // [T, B, H], optional
  Broadcast<T> grad_c;     // [T, B, H], optional
  const T *c, *gates;      // [T, B, H], [T, B, 4H]: from the forward
  const T* grad_gates;     // [T, B, 4H], optional
  const T* cell_standard;  // [T, B, H]: with cell_gain
  const T* cell_scale;     // [T, B]
  T* dc;                   // [T, B, H], optional: total gradient of every c_t
  T* dnormed;              // [T, B, H]: gradient of the normalised cell, with cell_gain
  const T* grad_c_n;       // [B, H], optional
  T* grad_c_0;             // [B, H]; on the way, the gradient of the step's c

  bool whole_rows() const { return cell_gain != nullptr; }

  Vec<T> fresh_cell(const Place& p) const {
    const int64_t H = s.hidden;
    const T* gate = gates + at(p.t, p.row) * 4 * H + p.j;
    if (!zoneout_c) return load_first(c + at(p.t, p.row) * H + p.j, p.n);
    Vec<T> fresh =
        load_first(gate + H, p.n) * this->previous(c_0, c, p) + load_first(gate, p.n) * load_first(gate + 2 * H, p.n);
    if (probe_c) fresh += probe_c.at(p.t, p.row, p.j, p.n);
    return fresh;
  }

  inline __attribute__((always_inline)) void gradients(const Place& p, Vec<T> exposed, Vec<T> squashed,
                                                       Vec<T> dnew) const {
    const int64_t H = s.hidden, row = at(p.t, p.row);
    const T* gate = gates + row * 4 * H + p.j;
    const Vec<T> i = load_first(gate, p.n), f = load_first(gate + H, p.n);
    const Vec<T> g = load_first(gate + 2 * H, p.n), o = load_first(gate + 3 * H, p.n);
    const Vec<T> old = this->previous(c_0, c, p);
    T* const carry = grad_c_0 + p.row * H + p.j;
    Vec<T> total = load_first(carry, p.n);
    if (grad_c) total += grad_c.at(p.t, p.row, p.j, p.n);

    Vec<T> over_i{}, over_f{}, over_g{}, over_o = exposed * squashed;
    if (grad_gates) {
      const T* direct = grad_gates + row * 4 * H + p.j;
      over_i = load_first(direct, p.n);
      over_f = load_first(direct + H, p.n);
      over_g = load_first(direct + 2 * H, p.n);
      over_o += load_first(direct + 3 * H, p.n);
    }
    const Vec<T> d_o = this->clipped(over_o * o * (1 - o));
    if (peephole) dnew += d_o * load_first(peephole + 2 * H + p.j, p.n);
    if (dc) store_first(dc + row * H + p.j, total + dnew, p.n);
    Vec<T> kept{};
    if (zoneout_c) {
      const Vec<T> keep = zoneout_c.at(p.t, p.row, p.j, p.n);
      kept = total * keep;
      dnew += total * (1 - keep);
    } else {
      dnew += total;
    }
    const Vec<T> d_i = this->clipped((over_i + dnew * g) * i * (1 - i));
    const Vec<T> d_f = this->clipped((over_f + dnew * old) * f * (1 - f));
    const Vec<T> d_g = this->clipped((over_g + dnew * i) * (1 - g * g));
    kept += dnew * f;
    if (peephole) kept += d_i * load_first(peephole + p.j, p.n) + d_f * load_first(peephole + H + p.j, p.n);
    store_first(carry, kept, p.n);
    const Vec<T> all[] = {d_i, d_f, d_g, d_o};
    for (int k = 0; k < 4; ++k) {
      store_first(dgates + row * 4 * H + k * H + p.j, all[k], p.n);
      if (du != dgates) store_first(du + row * 4 * H + k * H + p.j, all[k], p.n);
    }
  }

  inline __attribute__((always_inline)) void pointwise(const Place& p, const Vec<T>* arrived) const {
    const Vec<T> exposed = this->expose(p, arrived[0]);
    const Vec<T> squashed = hyperbolic_tangent<T>(fresh_cell(p));
    const Vec<T> o = load_first(gates + at(p.t, p.row) * 4 * s.hidden + 3 * s.hidden + p.j, p.n);
    gradients(p, exposed, squashed, exposed * o * (1 - squashed * squashed));
  }

  void row(int64_t t, int64_t b, bool first, const T* arrived, T* scratch) const {
    if (!whole_rows()) return row_by_vectors<T>(*this, t, b, first, arrived, 1, s.hidden);
    constexpr int V = kLanes<T>;
    const int64_t H = s.hidden, row = at(t, b);
    T *const exposed = scratch, *const squashed = exposed + H, *const dnew = squashed + H;
    for (int64_t j = 0; j < H; j += V) {
      const Place p{t, b, j, int(std::min<int64_t>(V, H - j)), first};
      const Vec<T> e = this->expose(p, load_first(arrived + j, p.n));
      const Vec<T> squash =
          hyperbolic_tangent<T>(load_first(cell_standard + row * H + j, p.n) * load_first(cell_gain + j, p.n) +
                                load_first(cell_bias + j, p.n));
      const Vec<T> o = load_first(gates + row * 4 * H + 3 * H + j, p.n);
      const Vec<T> d = e * o * (1 - squash * squash);
      store_first(exposed + j, e, p.n);
      store_first(squashed + j, squash, p.n);
      store_first(dnew + j, d, p.n);
      store_first(dnormed + row * H + j, d, p.n);
    }
    const int whole[] = {0, 1};
    normalise_backward(dnew, cell_standard + row * H, cell_scale + row, cell_gain, whole, 1, H);
    for (int64_t j = 0; j < H; j += V) {
      const Place p{t, b, j, int(std::min<int64_t>(V, H - j)), first};
      gradients(p, load_first(exposed + j, p.n), load_first(squashed + j, p.n), load_first(dnew + j, p.n));
    }
  }

  void begin(int64_t b, int64_t from, int64_t to) const {
    this->take_first(this->grad_h_n, this->grad_h_0, b, from, to);
    this->take_first(grad_c_n, grad_c_0, b, from, to);
  }
  void blank(int64_t t, int64_t b, int64_t from, int64_t to) const {
    this->clear(dgates, 4, t, b, from, to);
    if (du != dgates) this->clear(du, 4, t, b, from, to);
    this->clear(this->dh, 1, t, b, from, to);
    this->clear(dc, 1, t, b, from, to);
    this->clear(dnormed, 1, t, b, from, to);
  }
};

}  // namespace unrolled
