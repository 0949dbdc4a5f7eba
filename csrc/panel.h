// A recurrent matrix, packed once a call, and the product of a few rows of states with some of its columns.
#pragma once
#include <unistd.h>

#include "vector.h"

namespace unrolled {

// A column of a packed matrix is one vector of units of one gate: packed[column][k][lane], the weight from input k to
// the unit of that lane. Lanes past the last unit are zero.
template <typename T>
void pack_column(const T* source, ptrdiff_t unit_stride, ptrdiff_t input_stride, int units, int inputs, T* packed) {
  constexpr int V = kLanes<T>;
  if (unit_stride == 1) {
    for (int k = 0; k < inputs; ++k)
      by_vectors<T>(0, units,
                    [&](int64_t, auto n) { store(packed + k * V, load_first(source + k * input_stride, n)); });
    return;
  }
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == sizeof(float))
    if (units == V && input_stride == 1) {
      int k = 0;
      for (; k + V <= inputs; k += V) {
        Vec<T> block[V];
        for (int j = 0; j < V; ++j) block[j] = load(source + j * unit_stride + k);
        transpose(block);
        for (int j = 0; j < V; ++j) store(packed + (k + j) * V, block[j]);
      }
      for (; k < inputs; ++k)
        for (int j = 0; j < V; ++j) packed[k * V + j] = source[j * unit_stride + k];
      return;
    }
#endif
  // Blocks of inputs, so that a line of the source is used while it is near.
  for (int k0 = 0; k0 < inputs; k0 += V) {
    const int end = inputs - k0 < V ? inputs : k0 + V;
    for (int j = 0; j < units; ++j)
      for (int k = k0; k < end; ++k) packed[k * V + j] = source[j * unit_stride + k * input_stride];
    for (int k = k0; k < end; ++k)
      for (int j = units; j < V; ++j) packed[k * V + j] = 0;
  }
}

// Rows of a full tile, and the columns that a tile of R rows takes at once: as many as keep the sums, one input's
// weights and a broadcast in registers, so that few rows still leave enough independent sums to hide the latency of a
// multiply-add, and many rows read the weights seldom. One row needs the weights as fast as the caches give them, and
// fewer at once leave more of them in the nearest one for the next step.
constexpr int kTileRows = kRegisters == 32 ? 8 : 4;
template <int R> constexpr int tile_columns() {
  int columns = 1;
  while (columns < (R == 1 ? 8 : 12) && (columns + 1) * (R + 1) + 1 <= kRegisters) ++columns;
  return columns;
}

// Where a product keeps the rows that entered it, in the form it multiplies.
template <typename T> struct Entered {
  T* states;
  char* odd;  // one for each row
};

// What the sums of a product begin with: [column][lane] for each row, `stride` elements apart; zeros where null.
template <typename T> struct Start {
  const T* data;
  ptrdiff_t stride;
};

// Another product, that the sums of a product begin with: of other rows with a matrix that is packed likewise. None
// where `packed` is null.
template <typename T> struct Before {
  const T* packed;
  int inputs;
  const T* const* rows;
};

// out[i][column][lane] = start[i][column][lane] + sum_k rows[i][k] * packed[column][k][lane]. Each sum runs over k in
// order whatever the tile is, so a row's result does not depend on which rows it is computed beside.
template <typename T> class Product {
 public:
  // out_stride: elements from one row of `out` to the next.
  Product(const T* packed, int inputs, T* out, ptrdiff_t out_stride, const Entered<T>&)
      : packed_(packed), inputs_(inputs), out_(out), stride_(out_stride) {}

  // Before the products with rows that are new.
  void enter(const T* const*, int64_t) const {}

  // back: the columns in the opposite order, so that what was read last is read first, from the nearest cache. rows:
  // null where there is nothing but what the sums begin with.
  void run(const T* const* rows, int count, int column_begin, int column_end, bool back, const Start<T>& start = {},
           const Before<T>& before = {}) const {
    if (count <= 0) return;
    const int tiles = (count + kTileRows - 1) / kTileRows;
    const int largest = (count + tiles - 1) / tiles;
    pick_columns<kTileRows>(largest, {rows, count, tiles, back, start, before}, column_begin, column_end);
  }

 private:
  struct Work {
    const T* const* rows;
    int count, tiles;
    bool back;
    const Start<T>& start;
    const Before<T>& before;
  };

  // How many columns at once is decided by the largest tile.
  template <int R> void pick_columns(int largest, const Work& work, int begin, int end) const {
    if constexpr (R > 1)
      if (largest != R) return pick_columns<R - 1>(largest, work, begin, end);
    sweep<R, tile_columns<R>()>(work, begin, end);
  }
  // Turns of C columns and of one less, for a narrow tile has too few independent sums.
  template <int R, int C> void sweep(const Work& work, int begin, int end) const {
    const int turns = (end - begin + C - 1) / C, narrow = turns * C - (end - begin),
              border = begin + (turns - narrow) * C;
    if constexpr (C == 1) {
      take_turns<R, C>(work, begin, turns);
    } else if (narrow > turns) {
      sweep<R, C - 1>(work, begin, end);
    } else {
      if (work.back) take_turns<R, C - 1>(work, border, narrow);
      take_turns<R, C>(work, begin, turns - narrow);
      if (!work.back) take_turns<R, C - 1>(work, border, narrow);
    }
  }
  template <int R, int C> void take_turns(const Work& work, int begin, int turns) const {
    for (int turn = 0; turn < turns; ++turn)
      for (int tile = 0, from = 0; tile < work.tiles; ++tile) {
        const int size = (work.count - from + work.tiles - tile - 1) / (work.tiles - tile);
        const int column = begin + (work.back ? turns - 1 - turn : turn) * C;
        if (size == R)
          multiply<R, C>(work, from, column);
        else if constexpr (R > 1)
          multiply<R - 1, C>(work, from, column);
        from += size;
      }
  }

  template <int R, int C> UNROLLED_ALONE void multiply(const Work& work, int from, int column) const {
    constexpr int V = kLanes<T>;
    // Every loop over the sums is unrolled; with one that is not, they would go to memory and back.
    Vec<T> sums[R][C];
    if (work.start.data) {
      const T* start = work.start.data + from * work.start.stride + column * V;
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r, start += work.start.stride)
#pragma GCC unroll 16
        for (int c = 0; c < C; ++c) sums[r][c] = load(start + c * V);
    } else {
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
        for (int c = 0; c < C; ++c) sums[r][c] = Vec<T>{};
    }
    const auto add = [&](const T* packed, int inputs, const T* const* rows) UNROLLED_INLINE {
      const ptrdiff_t column_size = ptrdiff_t(inputs) * V;
      const T* const weights = packed + column * column_size;
      const T* row[R];
      for (int r = 0; r < R; ++r) row[r] = rows[from + r];
      for (int k = 0; k < inputs; ++k) {
        Vec<T> w[C];
#pragma GCC unroll 16
        for (int c = 0; c < C; ++c) {
          Vec<T> one = load(weights + c * column_size + k * V);
          // Folded into each multiply-add the load would be repeated R times.
          if constexpr (R > 1) keep_in_register(one);
          w[c] = one;
        }
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
          const Vec<T> x = splat<T>(row[r][k]);
#pragma GCC unroll 16
          for (int c = 0; c < C; ++c) sums[r][c] += x * w[c];
        }
      }
    };
    if (work.before.packed) add(work.before.packed, work.before.inputs, work.before.rows);
    if (work.rows) add(packed_, inputs_, work.rows);
    T* out = out_ + from * stride_ + column * V;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r, out += stride_)
#pragma GCC unroll 16
      for (int c = 0; c < C; ++c) store(out + c * V, sums[r][c]);
  }

  const T* packed_;
  int inputs_;
  T* out_;
  ptrdiff_t stride_;
};

// Bytes of a matrix from which on a core's reading it at every step is felt, however many rows it is read for.
constexpr size_t kFarAway = 8 << 20;

// Bytes of the cache that a core has for itself.
inline size_t own_cache() {
#if defined(_SC_LEVEL2_CACHE_SIZE)
  static const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
  if (bytes > 0) return size_t(bytes);
#endif
  return 2 << 20;
}

// How a scan multiplies: with the processor's vectors.
template <typename T> struct ByVectors {
  using Number = T;
  using Product = unrolled::Product<T>;
  static constexpr bool kStarts = true;  // its sums can begin with something
  // Bytes of products that are to wait for the cell in the fastest cache; 0: it has all of a step first, for the matrix
  // has passed through that cache meanwhile.
  static constexpr int64_t kProductBytes = 0;
  static ptrdiff_t column_size(int64_t inputs) { return inputs * kLanes<T>; }
  static ptrdiff_t states_size(int64_t, int64_t) { return 0; }
  static void pack(const T* source, ptrdiff_t unit_stride, ptrdiff_t input_stride, int units, int inputs, T* packed) {
    pack_column(source, unit_stride, input_stride, units, inputs, packed);
  }
  // Rows to threads need no barrier, but every thread reads the whole matrix at each step; units to threads need one
  // barrier a step and split the matrix. Measured crossover.
  static bool rows_to_threads(int64_t rows, int64_t threads, size_t matrix_bytes) {
    constexpr size_t kNear = 3 << 19;  // bytes
    return (rows >= 4 && matrix_bytes <= kNear) || (rows >= 64 && threads > 2 && matrix_bytes <= kFarAway);
  }
};

}  // namespace unrolled
