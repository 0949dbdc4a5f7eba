// Products over all steps at once where they are small: to hand them to torch would take longer than to make them.
#pragma once
#include <algorithm>
#include <vector>

#include "panel.h"
#include "team.h"
#include "workspace.h"

namespace unrolled {

// The rows of a matrix: one after the other or, with an index, those that it names.
template <typename T> struct RowsOf {
  T* data;
  int64_t width;
  const int64_t* index;  // or null
  T* operator[](int64_t n) const { return data + (index ? index[n] : n) * width; }
};

// to[n][o] = sum_k weight[o * output_stride + k * input_stride] * from[n][k] for the first `count` rows. A row's result does
// not depend on which rows it is computed beside.
template <typename T>
void transform_rows(const T* weight, ptrdiff_t output_stride, ptrdiff_t input_stride, const RowsOf<const T>& from,
                    const RowsOf<T>& to, int64_t count, int threads) {
  constexpr int V = kLanes<T>;
  // Columns that are packed at once, used by all rows and forgotten; and rows whose results wait to be put in their places.
  constexpr int kColumns = 3, kRows = 64;
  const int64_t inputs = from.width, outputs = to.width;
  const int columns = int((outputs + V - 1) / V);
  const bool in_place = outputs % V == 0 && !to.index;
  const ptrdiff_t column_size = inputs * V, waiting = kColumns * kRows * V;
  const Workspace<T> room(size_t(kColumns * column_size + waiting) * threads);

  run_team(threads, [&](const Member& member) {
    T* const packed = room.data() + (kColumns * column_size + waiting) * member.thread;
    const int end = columns * (member.thread + 1) / member.threads;
    for (int column = columns * member.thread / member.threads, some = 0; column < end; column += some) {
      const int turns = (end - column + kColumns - 1) / kColumns;
      some = (end - column + turns - 1) / turns;  // turns of equal width
      const int64_t first = int64_t(column) * V, wide = std::min<int64_t>(some * V, outputs - first);
      for (int c = 0; c < some; ++c)
        pack_column(weight + (first + c * V) * output_stride, output_stride, input_stride,
                    int(std::min<int64_t>(V, wide - c * V)), int(inputs), packed + c * column_size);
      for (int64_t n = 0; n < count; n += kRows) {
        const int rows = int(std::min<int64_t>(kRows, count - n));
        const T* entering[kRows];
        for (int r = 0; r < rows; ++r) entering[r] = from[n + r];
        T* const out = in_place ? to[n] + first : packed + kColumns * column_size;
        const ptrdiff_t stride = in_place ? outputs : kColumns * V;
        Product<T>(packed, int(inputs), out, stride, {}).run(entering, rows, 0, some, false);
        for (int r = 0; !in_place && r < rows; ++r) std::copy_n(out + r * stride, wide, to[n + r] + first);
      }
    }
  });
}

// Adds left[n][i] * right[n][j] for all n to R rows from i on and C vectors from j on of out[i][j]; `lanes` of the last.
template <int R, int C, typename T, typename Count>
inline void add_outer(const T* const* left, const T* const* right, int64_t count, int64_t i, int64_t j, Count lanes,
                      bool first, T* out, int64_t width) {
  constexpr int V = kLanes<T>;
  out += i * width + j;
  Vec<T> sums[R][C] = {};
  for (int r = 0; !first && r < R; ++r)
    for (int c = 0; c < C; ++c) sums[r][c] = load_first(out + r * width + c * V, lanes);
  for (int64_t n = 0; n < count; ++n) {
    const T *const a = left[n] + i, *const b = right[n] + j;
    Vec<T> row[C];
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) {
      row[c] = load_first(b + c * V, lanes);
      if constexpr (R > 1) keep_in_register(row[c]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec<T> x = splat<T>(a[r]);
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) sums[r][c] += x * row[c];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) store_first(out + r * width + c * V, sums[r][c], lanes);
}

// All rows of out from i to `end`, in pieces of R and what is left.
template <int R, int C, typename T, typename Count>
void add_outers(const T* const* left, const T* const* right, int64_t count, int64_t i, int64_t end, int64_t j,
                Count lanes, bool first, T* out, int64_t width) {
  for (; i + R <= end; i += R) add_outer<R, C>(left, right, count, i, j, lanes, first, out, width);
  if constexpr (R > 1) add_outers<R / 2, C>(left, right, count, i, end, j, lanes, first, out, width);
}

// out[i][j] = sum_n left[n][i] * right[n][j]; out [rows, width].
template <typename T>
void sum_outer_products(const std::vector<const T*>& left, const std::vector<const T*>& right, int64_t rows,
                        int64_t width, T* out, int threads) {
  constexpr int V = kLanes<T>, R = kRegisters == 32 ? 8 : 4;
  constexpr int64_t kAtOnce = 128;  // rows that stay in the nearest cache while all sums take them in
  const int64_t count = int64_t(left.size());
  run_team(threads, [&](const Member& member) {
    const int64_t begin = rows * member.thread / member.threads, end = rows * (member.thread + 1) / member.threads;
    if (!count) std::fill(out + begin * width, out + end * width, T(0));
    for (int64_t n = 0; n < count; n += kAtOnce) {
      const int64_t some = std::min(kAtOnce, count - n);
      const auto add = [&](auto columns, int64_t j, auto lanes) {
        add_outers<R, decltype(columns)::value>(left.data() + n, right.data() + n, some, begin, end, j, lanes, n == 0,
                                                out, width);
      };
      int64_t j = 0;
      for (; j + 3 * V <= width; j += 3 * V) add(std::integral_constant<int, 3>{}, j, Whole<T>{});
      for (; j + 2 * V <= width; j += 2 * V) add(std::integral_constant<int, 2>{}, j, Whole<T>{});
      for (; j + V <= width; j += V) add(std::integral_constant<int, 1>{}, j, Whole<T>{});
      if (j < width) add(std::integral_constant<int, 1>{}, j, int(width - j));
    }
  });
}

}  // namespace unrolled
