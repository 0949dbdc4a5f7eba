// Long short-term memory: the pointwise part of one step. The equations stand in
// cells/library/long_short_term_memory.py.
#pragma once
#include <array>

#include "activation.h"
#include "state.h"

namespace unrolled {

// Shapes: T steps, B rows, H units. Gates i f g o one after the other in the last dimension. Null where optional and
// absent.
template <typename T> struct LstmForward : StateForward<T> {
  static constexpr int kGates = 4, kGroupCount = 1;
  static constexpr int kGroups[] = {0, 4};
  using StateForward<T>::s;
  static constexpr int kJoined = 4;
  static constexpr bool kAdds = true;
  const T* c_0;            // [B, H], or null for zeros
  const T* peephole;       // [3, H], optional: to i, f and o
  const T* cell_gain;      // [H], optional, with cell_bias
  const T* cell_bias;      // [H]
  Broadcast<T> zoneout_c;  // [T, B, H], optional
  T* c;                    // [N, H], or null where only the last is wanted
  T* c_n;                  // [B, H]
  T* gates;                // [N, 4H], optional; may be gates_x
  T epsilon;

  bool whole_rows() const { return cell_gain != nullptr; }

  const T* previous_c(const Visit<T>& v) const {
    if (v.first) return c_0 ? c_0 + v.row * s.hidden : this->zeros;
    return c ? c + s.packed(s.before(v.t), v.row) * s.hidden : c_n + v.row * s.hidden;
  }

  // What there is to do beside the cell itself, so that nothing is asked for at every vector that is not there.
  enum class Work {
    options,  // whatever is wanted
    inputs,   // adding what enters from outside, keeping the gates
    gates,    // keeping the gates: the product has all that enters
    nothing,  // as in inference
  };

  template <typename Visits> void advance(int64_t from, int64_t to, const Visits& visit) const {
    if (cell_gain)
      for (int64_t r = from; r < to; ++r) advance_normalised(visit(r));
    else if (peephole || zoneout_c || this->zoneout_h)
      advance_rows<Work::options>(from, to, visit);
    else if (this->bias || (from < to && visit(from).x))
      advance_rows<Work::inputs>(from, to, visit);
    else if (gates)
      advance_rows<Work::gates>(from, to, visit);
    else
      advance_rows<Work::nothing>(from, to, visit);
  }
  template <Work kWork, typename Visits>
  UNROLLED_ALONE void advance_rows(int64_t from, int64_t to, const Visits& visit) const {
    for (int64_t r = from; r < to; ++r) advance_units<kWork>(visit(r));
  }

  template <Work kWork> UNROLLED_INLINE void advance_units(const Visit<T>& v) const {
    const int64_t H = s.hidden, here = s.packed(v.t, v.row);
    const T* const old = previous_c(v);
    T *const c_out = c ? c + here * H : c_n + v.row * H, *const h_out = this->h + s.state(v.t, v.row);
    const Ahead<T> ahead = this->ahead(v, 4, gates);
    // In two loops: so many activations, each waiting for the one before, are more than a processor looks ahead.
    by_vectors<T>(v.begin, v.end, [&](int64_t j, auto n) UNROLLED_INLINE {
      if constexpr (kWork != Work::nothing) ahead.fetch(j);
      Vec<T> gate_o;
      const Vec<T> before = load_first(old + j, n);
      const Vec<T> fresh = enter<kWork>(v, before, gate_o, j, n);
      if constexpr (kWork != Work::options) {
        store_first(c_out + j, fresh, n);
        store(v.product + j * 4, gate_o);
      } else {
        leave(v, before, fresh, gate_o * hyperbolic_tangent(fresh), c_out, h_out, j, n);
      }
    });
    if constexpr (kWork != Work::options)
      by_vectors<T>(v.begin, v.end, [&](int64_t j, auto n) UNROLLED_INLINE {
        store_first(h_out + j, load(v.product + j * 4) * hyperbolic_tangent(load_first(c_out + j, n)), n);
      });
  }

  // Gates and the new cell (before zoneout).
  template <Work kWork, typename Count>
  inline __attribute__((always_inline)) Vec<T> enter(const Visit<T>& v, Vec<T> old, Vec<T>& gate_o, int64_t j,
                                                     Count n) const {
    constexpr int V = kLanes<T>;
    constexpr bool kOptions = kWork == Work::options, kInputs = kOptions || kWork == Work::inputs;
    const int64_t H = s.hidden, here = s.packed(v.t, v.row) * 4 * H + j;
    const T *const x = kInputs ? v.x + j * v.x_unit : nullptr, *const u = v.product + j * 4, *const bias = this->bias;
    const int64_t to_gate = v.x_gate;
    Vec<T> i = load(u), f = load(u + V), g = load(u + 2 * V), o = load(u + 3 * V);
    if (kInputs && v.x) {
      i += load_first(x, n);
      f += load_first(x + to_gate, n);
      g += load_first(x + 2 * to_gate, n);
      o += load_first(x + 3 * to_gate, n);
    }
    if (kInputs && bias) {
      i += load_first(bias + j, n);
      f += load_first(bias + H + j, n);
      g += load_first(bias + 2 * H + j, n);
      o += load_first(bias + 3 * H + j, n);
    }
    if constexpr (kOptions)
      if (peephole) {
        i += load_first(peephole + j, n) * old;
        f += load_first(peephole + H + j, n) * old;
      }
    i = sigmoid(i);
    f = sigmoid(f);
    g = hyperbolic_tangent(g);
    Vec<T> fresh = f * old + i * g;
    if constexpr (kOptions) {
      if (peephole) o += load_first(peephole + 2 * H + j, n) * fresh;
    }
    o = sigmoid(o);
    if (kWork != Work::nothing && gates) {
      T* const out = gates + here;
      this->keep(out, i, n);
      this->keep(out + H, f, n);
      this->keep(out + 2 * H, g, n);
      this->keep(out + 3 * H, o, n);
    }
    gate_o = o;
    return fresh;
  }

  template <typename Count>
  inline __attribute__((always_inline)) void leave(const Visit<T>& v, Vec<T> old, Vec<T> fresh, Vec<T> exposed,
                                                   T* c_out, T* h_out, int64_t j, Count n) const {
    Vec<T> next = fresh;
    if (zoneout_c) {
      const Vec<T> keep = zoneout_c.at(v, j, n);
      next = keep * old + (1 - keep) * fresh;
    }
    store_first(c_out + j, next, n);
    store_first(h_out + j, this->mixed(v, exposed, j, n), n);
  }

  // A whole row, for the normalisation of the cell needs all of it.
  void advance_normalised(const Visit<T>& v) const {
    const int64_t H = s.hidden, here = s.packed(v.t, v.row);
    T *const fresh = v.scratch, *const gate_o = fresh + H;
    const T* const old = previous_c(v);
    T *const c_out = c ? c + here * H : c_n + v.row * H, *const h_out = this->h + s.state(v.t, v.row);
    const Ahead<T> ahead = this->ahead(v, 4, gates);
    by_vectors<T>(0, H, [&](int64_t j, auto n) UNROLLED_INLINE {
      ahead.fetch(j);
      Vec<T> o;
      store_first(fresh + j, enter<Work::options>(v, load_first(old + j, n), o, j, n), n);
      store_first(gate_o + j, o, n);
    });
    const Moments<T> m = moments(fresh, H, epsilon);
    by_vectors<T>(0, H, [&](int64_t j, auto n) UNROLLED_INLINE {
      const Vec<T> value = load_first(fresh + j, n);
      const Vec<T> entering =
          (value - m.mean) * m.inverse * load_first(cell_gain + j, n) + load_first(cell_bias + j, n);
      leave(v, load_first(old + j, n), value, load_first(gate_o + j, n) * hyperbolic_tangent(entering), c_out, h_out, j,
            n);
    });
  }

  void blank(int64_t t, int64_t b, int64_t from, int64_t to) const {
    this->clear_h(t, b, from, to);
  }
  void finish(int64_t b, int64_t length, int64_t from, int64_t to) const {
    this->finish_h(b, length, from, to);
    if (!c && length) return;  // it has been there at every step
    const T* const last = c ? c + s.packed(this->last_step(length), b) * s.hidden : nullptr;
    this->take_last(c_0, last, c_n, b, length, from, to);
  }
};

template <typename T> struct LstmBackward : StateBackward<T> {
  static constexpr int kGates = 4, kGroupCount = 1;
  static constexpr int kGroups[] = {0, 4};
  static constexpr int kColumns = 4;  // of both gradients in one array where nothing is normalised
  using StateBackward<T>::s;
  const T* c_0;                // [B, H], or null for zeros
  const T* peephole;           // [3, H], optional
  const T* cell_gain;          // [H], optional, with cell_bias
  const T* cell_bias;          // [H]
  Broadcast<T> zoneout_c;      // [T, B, H], optional
  const T *c, *gates;          // [N, H], [N, 4H]: from the forward
  const T* grad_c_n;           // [B, H], optional
  T* grad_c_0;                 // [B, H]; on the way, the gradient of the step's c
  T *dbias_ih, *dbias_hh;      // [4H], optional
  T *dgain_ih, *dgain_hh;      // [4H], with the norms
  T* dpeephole;                // [3, H], with peephole
  T *dcell_gain, *dcell_bias;  // [H], with cell_gain
  T epsilon;

  bool whole_rows() const { return cell_gain != nullptr; }

  void advance(const Visit<T>& v) const {
    if (cell_gain) return advance_normalised(v);
    if (peephole || zoneout_c || this->zoneout_h || this->clip_step > 0)
      advance_units<false>(v);
    else
      advance_units<true>(v);
  }

  // kBare: without any option, so that none is asked for at every vector.
  template <bool kBare> void advance_units(const Visit<T>& v) const {
    const int64_t here = s.packed(v.t, v.row) * s.hidden;
    const Ahead<T> ahead = this->ahead(v, gates, 4);
    Vec<T> squares{};
    by_vectors<T>(v.begin, v.end, [&](int64_t j, auto n) UNROLLED_INLINE {
      ahead.fetch(j);
      const Vec<T> exposed = expose<kBare>(v, squares, j, n);
      const Vec<T> fresh = kBare || !zoneout_c ? load_first(c + here + j, n) : fresh_cell(v, j, n);
      const Vec<T> squashed = hyperbolic_tangent(fresh);
      const Vec<T> o = load_first(gates + here * 4 + 3 * s.hidden + j, n);
      gradients<kBare>(v, exposed, squashed, exposed * o * (1 - squashed * squashed), fresh, j, n);
    });
    add_squares(v, squares);
  }

  template <bool kBare, typename Count>
  inline __attribute__((always_inline)) Vec<T> expose(const Visit<T>& v, Vec<T>& squares, int64_t j, Count n) const {
    Vec<T> total = this->total(v, j, n);
    if constexpr (!kBare)
      if (this->zoneout_h) total += load_first(this->carry_h + v.row * s.hidden + j, n);
    this->hear(v, total, squares, n);
    return kBare ? total : this->unmixed(v, total, j, n);
  }

  const T* previous_c(const Visit<T>& v) const {
    if (!v.first) return c + s.packed(s.before(v.t), v.row) * s.hidden;
    return c_0 ? c_0 + v.row * s.hidden : this->zeros;
  }

  // The new cell, before zoneout mixed it with the old.
  template <typename Count> Vec<T> fresh_cell(const Visit<T>& v, int64_t j, Count n) const {
    const int64_t H = s.hidden;
    const T* const gate = gates + s.packed(v.t, v.row) * 4 * H + j;
    if (!zoneout_c) return load_first(c + s.packed(v.t, v.row) * H + j, n);
    return load_first(gate + H, n) * load_first(previous_c(v) + j, n) +
           load_first(gate, n) * load_first(gate + 2 * H, n);
  }

  // From the gradients of tanh's argument and of o to those of the gates and of the cell before.
  template <bool kBare, typename Count>
  inline __attribute__((always_inline)) void gradients(const Visit<T>& v, Vec<T> exposed, Vec<T> squashed, Vec<T> dnew,
                                                       Vec<T> fresh, int64_t j, Count n) const {
    const int64_t H = s.hidden, row = s.packed(v.t, v.row);
    const T* const gate = gates + row * 4 * H + j;
    const Vec<T> i = load_first(gate, n), f = load_first(gate + H, n);
    const Vec<T> g = load_first(gate + 2 * H, n), o = load_first(gate + 3 * H, n);
    const Vec<T> old = load_first(previous_c(v) + j, n);
    T* const carry = grad_c_0 + v.row * H + j;
    Vec<T> total = load_first(carry, n);

    const auto limited = [&](Vec<T> x) { return kBare ? x : this->clipped(x); };
    const Vec<T> d_o = limited(exposed * squashed * o * (1 - o));
    Vec<T> kept{};
    if constexpr (kBare) {
      dnew += total;
    } else {
      if (peephole) dnew += d_o * load_first(peephole + 2 * H + j, n);
      if (zoneout_c) {
        const Vec<T> keep = zoneout_c.at(v, j, n);
        kept = total * keep;
        total *= 1 - keep;
      }
      dnew += total;
    }
    const Vec<T> d_i = limited(dnew * g * i * (1 - i));
    const Vec<T> d_f = limited(dnew * old * f * (1 - f));
    const Vec<T> d_g = limited(dnew * i * (1 - g * g));
    kept += dnew * f;
    if constexpr (!kBare)
      if (peephole) {
        kept += d_i * load_first(peephole + j, n) + d_f * load_first(peephole + H + j, n);
        T* const sums = v.sums + peephole_sums() + j;
        add(sums, d_i * old, n);
        add(sums + H, d_f * old, n);
        add(sums + 2 * H, d_o * fresh, n);
      }
    store_first(carry, kept, n);
    const Vec<T> all[] = {d_i, d_f, d_g, d_o};
    for (int k = 0; k < 4; ++k) {
      add(v.sums + k * H + j, all[k], n);
      store_first(v.over_input + k * H + j, all[k], n);
      if (v.over_recurrent != v.over_input) store_first(v.over_recurrent + k * H + j, all[k], n);
    }
  }

  void advance_normalised(const Visit<T>& v) const {
    const int64_t H = s.hidden, row = s.packed(v.t, v.row);
    T *const exposed = v.scratch, *const dnew = exposed + H, *const fresh = dnew + H, *const squashed = fresh + H;
    by_vectors<T>(0, H, [&](int64_t j, auto n) UNROLLED_INLINE { store_first(fresh + j, fresh_cell(v, j, n), n); });
    const Moments<T> m = moments(fresh, H, epsilon);
    Vec<T> squares{};
    by_vectors<T>(0, H, [&](int64_t j, auto n) UNROLLED_INLINE {
      const Vec<T> standard = (load_first(fresh + j, n) - m.mean) * m.inverse;
      const Vec<T> tanh = hyperbolic_tangent(standard * load_first(cell_gain + j, n) + load_first(cell_bias + j, n));
      const Vec<T> e = expose<false>(v, squares, j, n), o = load_first(gates + row * 4 * H + 3 * H + j, n);
      const Vec<T> d = e * o * (1 - tanh * tanh);
      store_first(squashed + j, tanh, n);
      store_first(exposed + j, e, n);
      store_first(dnew + j, d, n);
      add(v.sums + cell_sums() + H + j, d, n);
    });
    add_squares(v, squares);
    normalise_backward(dnew, fresh, cell_gain, H, epsilon, v.sums + cell_sums());
    by_vectors<T>(0, H, [&](int64_t j, auto n) UNROLLED_INLINE {
      gradients<false>(v, load_first(exposed + j, n), load_first(squashed + j, n), load_first(dnew + j, n),
                       load_first(fresh + j, n), j, n);
    });
  }

  void begin(int64_t b, int64_t from, int64_t to) const {
    this->start(nullptr, this->carry_h, b, from, to);
    this->start(grad_c_n, grad_c_0, b, from, to);
  }
  // Of a thread: the gradients of the biases, of the norms' gains, the peepholes, the cell's gain and bias.
  int64_t gain_x_sums() const { return 4 * s.hidden; }
  int64_t gain_h_sums() const { return 8 * s.hidden; }
  int64_t peephole_sums() const { return 12 * s.hidden; }
  int64_t cell_sums() const { return 15 * s.hidden; }
  int64_t sum_count() const { return 17 * s.hidden; }
  std::array<Sum<T>, 7> sums() const {
    const int64_t H = s.hidden;
    return {{{dbias_ih, 0, 4 * H},
             {dbias_hh, 0, 4 * H},
             {dgain_ih, gain_x_sums(), 4 * H},
             {dgain_hh, gain_h_sums(), 4 * H},
             {dpeephole, peephole_sums(), 3 * H},
             {dcell_gain, cell_sums(), H},
             {dcell_bias, cell_sums() + H, H}}};
  }
};

}  // namespace unrolled
