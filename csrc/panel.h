// A recurrent matrix, packed once a call, and the product of a few rows of states with a few of its panels.
#pragma once
#include "vector.h"

namespace unrolled {

// Packs a matrix of `gates` blocks of `units` rows, source[g * gate_stride + j * unit_stride + k * input_stride], into
// panels of one vector of units: packed[panel][k][gate][lane]. Lanes past the last unit are zero.
template <typename T>
void pack(const T* source, ptrdiff_t gate_stride, ptrdiff_t unit_stride, ptrdiff_t input_stride, int gates, int units,
          int inputs, T* packed) {
  constexpr int V = kLanes<T>;
  for (int j0 = 0; j0 < units; j0 += V) {
    const int n = units - j0 < V ? units - j0 : V;
    for (int k = 0; k < inputs; ++k)
      for (int g = 0; g < gates; ++g, packed += V) {
        const T* from = source + g * gate_stride + j0 * unit_stride + k * input_stride;
        for (int j = 0; j < n; ++j) packed[j] = from[j * unit_stride];
        for (int j = n; j < V; ++j) packed[j] = 0;
      }
  }
}

// acc[r][p * G + g] += sum_k rows[r][k] * panel[p][k][g]. Each sum runs over k in order whatever R and P are, so a
// row's result does not depend on which rows it is computed beside.
template <typename T, int R, int P, int G>
inline __attribute__((always_inline)) void multiply(const T* panel, ptrdiff_t panel_stride, int inputs,
                                                    const T* const* rows, Vec<T> (&acc)[R][P * G]) {
  constexpr int V = kLanes<T>;
  const T* row[R];
  for (int r = 0; r < R; ++r) row[r] = rows[r];
  for (int k = 0; k < inputs; ++k) {
    Vec<T> w[P * G];
#pragma GCC unroll 32
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 32
      for (int g = 0; g < G; ++g) {
        w[p * G + g] = load(panel + p * panel_stride + (k * G + g) * V);
        // Folded into each multiply-add the load would be repeated R times.
        if constexpr (R > 1) keep_in_register(w[p * G + g]);
      }
#pragma GCC unroll 32
    for (int r = 0; r < R; ++r) {
      const Vec<T> x = splat<T>(row[r][k]);
#pragma GCC unroll 32
      for (int i = 0; i < P * G; ++i) acc[r][i] += x * w[i];
    }
  }
}

// Rows of a full tile, so that the sums, one panel of weights and a broadcast fill the registers.
template <int G> constexpr int tile_rows() {
  if (kRegisters == 32) return G == 4 ? 6 : G == 3 ? 8 : 14;
  return G == 4 ? 2 : G == 3 ? 3 : 6;
}

// Panels that a tile of R rows takes at once: as many as keep the sums, one step's weights and a broadcast in
// registers, so that few rows still leave enough independent sums to hide the latency of a multiply-add.
template <int R, int G> constexpr int panels_at_once() {
  int p = 1;
  while (p < 6 && (p + 1) * G * (R > 1 ? R + 1 : 1) + 2 <= kRegisters) ++p;
  return p;
}

// For every row i < count and every panel: finish(i, panel, sums) with sums[g] = sum_k rows[i][k] * W[g][panel's
// units][k].
template <typename T, int G, typename Finish> class Product {
 public:
  Product(const T* packed, int inputs, const Finish& finish)
      : packed_(packed), inputs_(inputs), stride_(ptrdiff_t(inputs) * G * kLanes<T>), finish_(finish) {}

  void run(const T* const* rows, int count, int panel_begin, int panel_end) const {
    if (count <= 0) return;
    const int tiles = (count + tile_rows<G>() - 1) / tile_rows<G>();
    if (tiles == 1) return sweep(rows, 0, count, panel_begin, panel_end);
    for (int panel = panel_begin; panel < panel_end; ++panel)
      for (int tile = 0, from = 0; tile < tiles; ++tile) {
        const int size = (count - from + tiles - tile - 1) / (tiles - tile);
        sweep(rows, from, size, panel, panel + 1);
        from += size;
      }
  }

 private:
  void sweep(const T* const* rows, int from, int size, int begin, int end) const {
    pick<tile_rows<G>()>(rows, from, size, begin, end);
  }
  template <int R> void pick(const T* const* rows, int from, int size, int begin, int end) const {
    if constexpr (R > 1)
      if (size != R) return pick<R - 1>(rows, from, size, begin, end);
    constexpr int P = panels_at_once<R, G>();
    int panel = begin;
    for (; panel + P <= end; panel += P) tile<R, P>(rows, from, panel);
    if constexpr (P > 1)
      for (; panel < end; ++panel) tile<R, 1>(rows, from, panel);
  }
  template <int R, int P>
  inline __attribute__((always_inline)) void tile(const T* const* rows, int from, int panel) const {
    Vec<T> acc[R][P * G] = {};
    multiply<T, R, P, G>(packed_ + panel * stride_, stride_, inputs_, rows + from, acc);
    for (int p = 0; p < P; ++p)
      for (int r = 0; r < R; ++r) finish_(from + r, panel + p, &acc[r][p * G]);
  }

  const T* packed_;
  int inputs_;
  ptrdiff_t stride_;
  const Finish& finish_;
};

}  // namespace unrolled
