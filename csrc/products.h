// Products over all steps at once, near the rate of the processor's multiply-adds whatever their size.
#pragma once
#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "panel.h"
#include "team.h"
#include "workspace.h"

namespace unrolled {

// The rows of a matrix, `stride` elements apart: one after the other or, with an index, those that it names.
template <typename T> struct RowsOf {
  T* data;
  int64_t stride;
  const int64_t* index;  // or null
  T* operator[](int64_t n) const { return data + (index ? index[n] : n) * stride; }
};

// to[n][o] = sum_k weight[k][o] * from[n][k] for the first `count` rows; weight [inputs, outputs]. A row's result does
// not depend on which rows it is computed beside.
template <typename T>
void transform_rows(const T* weight, int64_t inputs, int64_t outputs, const RowsOf<const T>& from, const RowsOf<T>& to,
                    int64_t count, int threads) {
  constexpr int V = kLanes<T>;
  // Rows at once: as many as the second-level cache holds beside the columns that a tile takes.
  constexpr int64_t kMost = 64, kFewest = 16, kBytes = 512 << 10;
  const int64_t at_once = std::clamp<int64_t>(kBytes / (inputs * int64_t(sizeof(T))), kFewest, kMost);
  const int columns = int((outputs + V - 1) / V);
  const bool in_place = outputs % V == 0 && to.stride == outputs && !to.index;
  const ptrdiff_t column_size = inputs * V;
  const Workspace<T> weights(size_t(columns * column_size)), waiting(in_place ? 0 : size_t(columns * at_once * V));

  run_team(threads, [&](const Member& member) {
    const int begin = columns * member.thread / member.threads, end = columns * (member.thread + 1) / member.threads;
    T* const packed = weights.data() + begin * column_size;
    const int64_t first = int64_t(begin) * V, wide = std::min<int64_t>(outputs, int64_t(end) * V) - first;
    for (int c = 0; c < end - begin; ++c)
      pack_column(weight + first + c * V, 1, outputs, int(std::min<int64_t>(V, wide - c * V)), int(inputs),
                  packed + c * column_size);
    for (int64_t n = 0; n < count; n += at_once) {
      const int rows = int(std::min(at_once, count - n));
      const T* entering[kMost];
      for (int r = 0; r < rows; ++r) entering[r] = from[n + r];
      T* const out = in_place ? to[n] + first : waiting.data() + begin * at_once * V;
      const ptrdiff_t stride = in_place ? outputs : (end - begin) * V;
      Product<T>(packed, int(inputs), out, stride, {}).run(entering, rows, 0, end - begin, n / at_once & 1);
      for (int r = 0; !in_place && r < rows; ++r) std::copy_n(out + r * stride, wide, to[n + r] + first);
    }
  });
}

// Elements `begin` to begin + width of some rows, R side by side: packed[strip][n][element of the strip], strips
// `stride` apart, zeros past the last element.
template <int R, typename T>
void pack_left(const T* const* rows, int64_t count, int64_t begin, int64_t width, T* packed, ptrdiff_t stride) {
  constexpr int kTurn = 8;  // rows at once, few enough for the hardware to follow
  const int64_t whole = width / R * R;
  int64_t n = 0;
  for (; n + kTurn <= count; n += kTurn) {
    const T* from[kTurn];
    for (int k = 0; k < kTurn; ++k) from[k] = rows[n + k] + begin;
    T* to = packed + n * R;
    for (int64_t j = 0; j < whole; j += R, to += stride)
#pragma GCC unroll 8
      for (int k = 0; k < kTurn; ++k) std::memcpy(to + k * R, from[k] + j, R * sizeof(T));
  }
  for (; n < count; ++n)
    for (int64_t j = 0; j < whole; j += R)
      std::memcpy(packed + j / R * stride + n * R, rows[n] + begin + j, R * sizeof(T));
  for (n = 0; whole < width && n < count; ++n)
    for (int64_t j = 0; j < R; ++j)
      packed[whole / R * stride + n * R + j] = whole + j < width ? rows[n][begin + whole + j] : T(0);
}

// Elements `begin` on of some rows, C vectors of them, `lanes` of the last: packed[n][vector][lane].
template <int C, typename T, typename Count>
void pack_right(const T* const* rows, int64_t count, int64_t begin, Count lanes, T* packed) {
  constexpr int V = kLanes<T>;
  for (int64_t n = 0; n < count; ++n, packed += C * V) {
    const T* const from = rows[n] + begin;
    for (int c = 0; c + 1 < C; ++c) store(packed + c * V, load(from + c * V));
    store(packed + (C - 1) * V, load_first(from + (C - 1) * V, lanes));
  }
}

// A tile of sums, R rows by C vectors, `lanes` of the last: out[i][j] (+)= sum_n left[n][i] * right[n][j] for the first
// `rows` of its rows. Both sides are packed, one element of the sum after the other.
template <int R, int C, typename T, typename Count>
UNROLLED_ALONE void add_outer(const T* left, const T* right, int64_t count, int rows, Count lanes, bool first, T* out,
                              int64_t width) {
  constexpr int V = kLanes<T>;
  const T* near = out;
  for (int r = 0; r < rows; ++r, near += width)
    for (int c = 0; c < C; ++c) __builtin_prefetch(near + c * V, 1);
  Vec<T> sums[R][C];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) sums[r][c] = Vec<T>{};
  for (int64_t n = 0; n < count; ++n) {
    Vec<T> b[C];
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) {
      Vec<T> one = load(right + (n * C + c) * V);
      keep_in_register(one);
      b[c] = one;
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec<T> a = splat<T>(left[n * R + r]);
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) sums[r][c] += a * b[c];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    if (r == rows) break;
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) {
      T* const to = out + r * width + c * V;
      if (c + 1 < C)
        store(to, first ? sums[r][c] : load(to) + sums[r][c]);
      else
        store_first(to, first ? sums[r][c] : load_first(to, lanes) + sums[r][c], lanes);
    }
  }
}

// add(vectors, j, lanes) for turns of nearly equal width, C vectors of `width` elements at most.
template <int C, int V, typename Add> void by_turns(int64_t width, const Add& add) {
  const int64_t vectors = (width + V - 1) / V, turns = (vectors + C - 1) / C;
  for (int64_t turn = 0, at = 0; turn < turns; ++turn) {
    const int64_t wide = (vectors - at + turns - turn - 1) / (turns - turn), last = width - (at + wide - 1) * V;
    const auto pick = [&](auto self, auto columns) {
      constexpr int W = decltype(columns)::value;
      if constexpr (W > 1)
        if (wide != W) return self(self, std::integral_constant<int, W - 1>{});
      last >= V ? add(columns, at * V, std::integral_constant<int, V>{}) : add(columns, at * V, int(last));
    };
    pick(pick, std::integral_constant<int, C>{});
    at += wide;
  }
}

// One of the sums over the same left sides: out[i][j] = sum_n left[n][first + i] * rows[n][j]; out [.., width].
template <typename T> struct OuterSum {
  const std::vector<const T*>* rows;
  int64_t width;
  T* out;
};

// Those for the elements `first` to first + count of the left sides.
template <typename T>
void sum_outer_products(const std::vector<const T*>& left, int64_t first, int64_t count,
                        std::initializer_list<OuterSum<T>> rights, int threads) {
  constexpr int V = kLanes<T>, R = kRegisters == 32 ? 8 : 4, C = tile_columns<R>();
  // Elements of the sums at once, and rows: with these, and with the C vectors beside them, the nearer caches are full.
  constexpr int64_t kDeep = 128, kHigh = 512;
  const int64_t terms = int64_t(left.size()), deep = std::min(kDeep, terms), tiles = (count + R - 1) / R;
  const int64_t high = std::min(kHigh / R, (tiles + threads - 1) / threads) * R;
  const int64_t strip = deep * R + V;  // not a power of two: those would all want the same few places of the cache
  const int64_t own = high / R * strip + deep * C * V;
  const Workspace<T> room(size_t(own) * threads);

  run_team(threads, [&](const Member& member) {
    T *const strips = room.data() + own * member.thread, *const panel = strips + high / R * strip;
    const int64_t begin = tiles * member.thread / member.threads * R;
    const int64_t end = std::min(count, tiles * (member.thread + 1) / member.threads * R);
    for (const auto& right : rights)
      if (right.out && !terms && begin < end)
        std::fill(right.out + begin * right.width, right.out + end * right.width, T(0));
    for (int64_t n = 0; n < terms; n += deep)
      for (int64_t i = begin; i < end; i += high) {
        const int64_t some = std::min(deep, terms - n), here = std::min(high, end - i);
        pack_left<R>(left.data() + n, some, first + i, here, strips, strip);
        for (const auto& right : rights) {
          if (!right.out) continue;
          const auto add = [&](auto vectors, int64_t j, auto lanes) {
            constexpr int W = decltype(vectors)::value;
            pack_right<W>(right.rows->data() + n, some, j, lanes, panel);
            for (int64_t r = 0; r < here; r += R)
              add_outer<R, W>(strips + r / R * strip, panel, some, int(std::min<int64_t>(R, here - r)), lanes, n == 0,
                              right.out + (i + r) * right.width + j, right.width);
          };
          by_turns<C, V>(right.width, add);
        }
      }
  });
}

}  // namespace unrolled
