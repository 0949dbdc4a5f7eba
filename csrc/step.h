// One step of a layer for a few rows, without a gradient: what streaming runs. Here the weights are read once for every
// element of a sequence, so nothing counts but reading them at the cache's full rate and doing little else.
#pragma once
#include <algorithm>

#include "activation.h"
#include "norm.h"

namespace unrolled {

// Vectors of sums that are made at once: enough independent chains of multiply-adds to hide their latency.
constexpr int kAtOnce = 8;
// Rows that share a read of the weights, as many as their sums and one step's weights fit in registers.
constexpr int kSharing = kRegisters == 32 ? 2 : 1;
// How far ahead of their use weights are fetched: some hardware follows their stream at half the cache's rate.
constexpr int kAheadBytes = 2048;

template <typename T> int64_t rounded_up(int64_t count) { return (count + kLanes<T> - 1) / kLanes<T> * kLanes<T>; }

// Packs weight[outputs][inputs] into packed[block][input][output of the block]: one product reads it from its beginning
// to its end. A block is kAtOnce vectors wide, the last one as narrow as whole vectors allow, filled up with zeros.
template <typename T> void pack_for_step(const T* weight, int64_t outputs, int64_t inputs, T* packed) {
  const int64_t all = rounded_up<T>(outputs), width = kAtOnce * kLanes<T>;
  for (int64_t from = 0; from < all; from += width)
    for (int64_t k = 0; k < inputs; ++k)
      for (int64_t j = from; j < std::min(from + width, all); ++j)
        *packed++ = j < outputs ? weight[j * inputs + k] : T(0);
}

// sums[row][output] = sum_k rows[row][k] * weight[output][k], always over k in order; sums are `stride` apart.
template <typename T> class StepProduct {
 public:
  StepProduct(const T* packed, int64_t outputs, int64_t inputs) : packed_(packed), inputs_(inputs) {
    vectors_ = rounded_up<T>(outputs) / kLanes<T>;
  }
  // back: the blocks from the last to the first.
  void run(const T* rows, int64_t count, T* sums, int64_t stride, bool back) const {
    int64_t row = 0;
    for (; row + kSharing <= count; row += kSharing)
      sweep<kSharing>(rows + row * inputs_, sums + row * stride, stride, back);
    for (; row < count; ++row) sweep<1>(rows + row * inputs_, sums + row * stride, stride, back);
  }

 private:
  template <int R> void sweep(const T* rows, T* sums, int64_t stride, bool back) const {
    const int64_t blocks = (vectors_ + kAtOnce - 1) / kAtOnce;
    for (int64_t i = 0; i < blocks; ++i) {
      const int64_t from = (back ? blocks - 1 - i : i) * kAtOnce;
      pick<R, kAtOnce>(packed_ + from * inputs_ * kLanes<T>, vectors_ - from, rows, sums + from * kLanes<T>, stride);
    }
  }
  template <int R, int P> void pick(const T* block, int64_t left, const T* rows, T* sums, int64_t stride) const {
    if constexpr (P > 1)
      if (left < P) return pick<R, P - 1>(block, left, rows, sums, stride);
    Vec<T> acc[R][P];
#pragma GCC unroll 2
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) acc[r][p] = Vec<T>{};
    for (int64_t k = 0; k < inputs_; ++k, block += P * kLanes<T>) {
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) {
        __builtin_prefetch(reinterpret_cast<const char*>(block + p * kLanes<T>) + kAheadBytes);
        Vec<T> w = load(block + p * kLanes<T>);
        if constexpr (R > 1) keep_in_register(w);
#pragma GCC unroll 2
        for (int r = 0; r < R; ++r) acc[r][p] += splat<T>(rows[r * inputs_ + k]) * w;
      }
    }
#pragma GCC unroll 2
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) store(sums + r * stride + p * kLanes<T>, acc[r][p]);
  }

  const T* packed_;
  int64_t inputs_, vectors_;
};

// values = gain * (values - mean) / sqrt(variance + epsilon)
template <typename T> void normalise_step(T* values, int64_t count, const T* gain, T epsilon) {
  const Moments<T> m = moments(values, count, epsilon);
  by_vectors<T>(0, count, [&](int64_t j, auto n) {
    store_first(values + j, (load_first(values + j, n) - m.mean) * m.inverse * load_first(gain + j, n), n);
  });
}

// One layer. Shapes: B rows, I inputs, H units, G gates; null where optional and absent.
template <typename T> struct StepLayer {
  int64_t gates, rows, inputs, hidden;
  Activation activation;       // of the simple recurrent network
  const T* weight_ih;          // [G*H, I], packed
  const T* weight_hh;          // [G*H, H], packed
  const T *bias_ih, *bias_hh;  // [G*H], optional
  const T* norm_ih_gain;       // [G*H], optional
  const T* norm_hh_gain;       // [G*H], optional
  const T* peephole;           // [3, H], optional: to i, f and o
  const T* norm_cell_gain;     // [H], optional, with norm_cell_bias
  const T* norm_cell_bias;     // [H]
  T zoneout_h, zoneout_c;      // share of the old state that is kept
  T epsilon;
  T *h, *c;            // [B, H]: the old state, and then the new one
  T *sums_x, *sums_h;  // [B, G*H rounded up to whole vectors]

  // back: reads the weights in the opposite order. In turns, what was read last is read first, from the nearest cache.
  void step(const T* x, bool back) const {
    const int64_t wide = gates * hidden, stride = rounded_up<T>(wide);
    const StepProduct<T> of_x(weight_ih, wide, inputs), of_h(weight_hh, wide, hidden);
    if (!back) of_x.run(x, rows, sums_x, stride, back);
    of_h.run(h, rows, sums_h, stride, back);
    if (back) of_x.run(x, rows, sums_x, stride, back);
    for (int64_t b = 0; b < rows; ++b) {
      T *const from_x = sums_x + b * stride, *const from_h = sums_h + b * stride, *const own_h = h + b * hidden;
      normalise(from_x, norm_ih_gain);
      normalise(from_h, norm_hh_gain);
      if (gates == 4)
        lstm(from_x, from_h, own_h, c + b * hidden);
      else if (gates == 3)
        gru(from_x, from_h, own_h);
      else
        rnn(from_x, from_h, own_h);
    }
  }

 private:
  // A GRU's candidate is normalised by itself, for the reset gate comes in between.
  void normalise(T* sums, const T* gain) const {
    if (!gain) return;
    const int64_t first = (gates == 3 ? 2 : gates) * hidden, all = gates * hidden;
    normalise_step(sums, first, gain, epsilon);
    if (first < all) normalise_step(sums + first, all - first, gain + first, epsilon);
  }

  template <typename Count> static Vec<T> biased(const T* sums, const T* bias, int64_t j, Count n) {
    const Vec<T> sum = load_first(sums + j, n);
    return bias ? sum + load_first(bias + j, n) : sum;
  }
  template <typename Count> Vec<T> entering(const T* from_x, const T* from_h, int64_t j, Count n) const {
    return biased(from_x, bias_ih, j, n) + biased(from_h, bias_hh, j, n);
  }
  static Vec<T> kept(Vec<T> old, Vec<T> fresh, T keep) { return keep > 0 ? keep * old + (1 - keep) * fresh : fresh; }

  void rnn(const T* from_x, const T* from_h, T* own_h) const {
    by_vectors<T>(0, hidden, [&](int64_t j, auto n) {
      const Vec<T> fresh = activate<T>(activation, entering(from_x, from_h, j, n));
      store_first(own_h + j, kept(load_first(own_h + j, n), fresh, zoneout_h), n);
    });
  }

  void gru(const T* from_x, const T* from_h, T* own_h) const {
    by_vectors<T>(0, hidden, [&](int64_t j, auto n) {
      const int64_t z_at = hidden + j, n_at = 2 * hidden + j;
      const Vec<T> reset = sigmoid(entering(from_x, from_h, j, n));
      const Vec<T> update = sigmoid(entering(from_x, from_h, z_at, n));
      const Vec<T> candidate = biased(from_h, bias_hh, n_at, n);
      const Vec<T> fresh = hyperbolic_tangent(biased(from_x, bias_ih, n_at, n) + reset * candidate);
      const Vec<T> old = load_first(own_h + j, n);
      store_first(own_h + j, kept(old, fresh + update * (old - fresh), zoneout_h), n);
    });
  }

  // The output gate is left where its sums stood, the new cell, before zoneout, where the input gate's did.
  void lstm(T* from_x, const T* from_h, T* own_h, T* own_c) const {
    T *const fresh_c = from_x, *const gate_o = from_x + 3 * hidden;
    by_vectors<T>(0, hidden, [&](int64_t j, auto n) {
      const auto gate = [&](int g) { return entering(from_x, from_h, g * hidden + j, n); };
      const auto seen = [&](int g, Vec<T> cell) { return load_first(peephole + g * hidden + j, n) * cell; };
      const Vec<T> old = load_first(own_c + j, n);
      Vec<T> i = gate(0), f = gate(1), o = gate(3);
      const Vec<T> g = hyperbolic_tangent(gate(2));
      if (peephole) {
        i += seen(0, old);
        f += seen(1, old);
      }
      const Vec<T> fresh = sigmoid(f) * old + sigmoid(i) * g;
      if (peephole) o += seen(2, fresh);
      store_first(fresh_c + j, fresh, n);
      store_first(gate_o + j, sigmoid(o), n);
      store_first(own_c + j, kept(old, fresh, zoneout_c), n);
    });
    if (norm_cell_gain) normalise_step(fresh_c, hidden, norm_cell_gain, epsilon);
    by_vectors<T>(0, hidden, [&](int64_t j, auto n) {
      Vec<T> shown = load_first(fresh_c + j, n);
      if (norm_cell_gain) shown += load_first(norm_cell_bias + j, n);
      const Vec<T> fresh = load_first(gate_o + j, n) * hyperbolic_tangent(shown);
      store_first(own_h + j, kept(load_first(own_h + j, n), fresh, zoneout_h), n);
    });
  }
};

}  // namespace unrolled
