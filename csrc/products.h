// Products over all steps at once, near the rate of the processor's multiply-adds whatever their size.
#pragma once
#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "plan.h"

namespace unrolled {

// to[n][o] = sum_k weight[k][o] * from[n][k]; weight [inputs, outputs]. A row's result does not depend on which rows it
// is computed beside.
template <typename T> class RowTransform {
 public:
  // apart: what one thread has packed takes long to reach another.
  RowTransform(const T* weight, int64_t inputs, int64_t outputs, int threads, bool apart)
      : weight_(weight),
        inputs_(inputs),
        outputs_(outputs),
        columns_((outputs + V - 1) / V),
        at_once_(std::clamp<int64_t>(kBytes / (inputs * int64_t(sizeof(T))), kFewest, kMost)),
        packed_(outputs, inputs, 1, threads, apart),
        waiting_(size_t(columns_ * at_once_ * V * threads)) {}

  // What a thread reads: its part of the columns, or all, of which each thread packs some; then all must have packed
  // before any runs.
  void pack(const Member& member, const Part& part) const {
    packed_.fill(member, int(part.begin(columns_)), int(part.end(columns_)), part.of == 1, [&](int c, int, T* to) {
      pack_column(weight_ + c * V, 1, outputs_, int(std::min<int64_t>(V, outputs_ - c * V)), int(inputs_), to);
    });
  }
  // A part of the outputs of `count` rows; to(n): where row n goes, or what it is added to.
  template <typename To>
  void run(const Member& member, const Part& part, const T* const* from, int64_t count, bool adds, const To& to) const {
    const int64_t begin = part.begin(columns_), columns = part.end(columns_) - begin, first = begin * V;
    const int64_t wide = std::min(outputs_, first + columns * V) - first;
    const T* const packed = packed_.of(member) + begin * inputs_ * V;
    for (int64_t n = 0; n < count; n += at_once_) {
      const int rows = int(std::min(at_once_, count - n));
      const bool in_place = !adds && outputs_ % V == 0 && side_by_side(n, rows, to);
      T* const out = in_place ? to(n) + first : waiting_.data() + columns_ * at_once_ * V * member.thread;
      const ptrdiff_t stride = in_place ? outputs_ : columns * V;
      Product<T>(packed, int(inputs_), out, stride, {}).run(from + n, rows, 0, int(columns), n / at_once_ & 1);
      for (int r = 0; !in_place && r < rows; ++r)
        by_vectors<T>(0, wide, [&](int64_t i, auto lanes) {
          T* const goes = to(n + r) + first + i;
          const Vec<T> found = load_first(out + r * stride + i, lanes);
          store_first(goes, adds ? load_first(goes, lanes) + found : found, lanes);
        });
    }
  }

 private:
  static constexpr int V = kLanes<T>;
  // Whether rows go where one follows the other. Each is asked: of a ragged batch the first and the last may lie as far
  // apart as if they did, and others between them elsewhere.
  template <typename To> bool side_by_side(int64_t first, int rows, const To& to) const {
    for (int r = 1; r < rows; ++r)
      if (to(first + r) != to(first) + r * outputs_) return false;
    return true;
  }
  // Rows at once: as many as the second-level cache holds beside the columns that a tile takes.
  static constexpr int64_t kMost = 64, kFewest = 16, kBytes = 512 << 10;

  const T* weight_;
  int64_t inputs_, outputs_, columns_;
  int64_t at_once_;
  Packed<ByVectors<T>> packed_;
  Workspace<T> waiting_;
};

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

// Elements `begin` on of some rows, C vectors of them, `lanes` of the last: packed[n][vector][lane]. masks: what each
// row is multiplied by, element by element, or null.
template <int C, typename T, typename Count>
void pack_right(const T* const* rows, const T* const* masks, int64_t count, int64_t begin, Count lanes, T* packed) {
  constexpr int V = kLanes<T>;
  for (int64_t n = 0; n < count; ++n, packed += C * V) {
    const T* const from = rows[n] + begin;
    for (int c = 0; c + 1 < C; ++c) store(packed + c * V, load(from + c * V));
    store(packed + (C - 1) * V, load_first(from + (C - 1) * V, lanes));
    if (!masks) continue;
    const T* const mask = masks[n] + begin;
    for (int c = 0; c + 1 < C; ++c) store(packed + c * V, load(packed + c * V) * load(mask + c * V));
    store(packed + (C - 1) * V, load(packed + (C - 1) * V) * load_first(mask + (C - 1) * V, lanes));
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

// One of the sums over the same left sides: out[i][j] = sum_n left[n][i] * rows[n][j] * masks[n][j]; out [.., width].
template <typename T> struct OuterSum {
  const T *const *rows, *const *masks;  // no masks: null
  int64_t width;
  T* out;  // or null
};

// Sums of outer products, over some terms at a time.
template <typename T> class OuterProducts {
 public:
  // most: terms at a time; count: elements of the left sides.
  OuterProducts(int64_t most, int64_t count, int threads)
      : deep_(std::min(kDeep, most)),
        strip_(deep_ * R + V),
        strips_(std::min(kHigh, count) / R + 1),
        own_(strips_ * strip_ + deep_ * C * V),
        room_(size_t(own_) * threads) {}

  // A part of the sums, for the elements `first` to first + count of the left sides. fresh: nothing is in them yet.
  void add(const Member& member, const Part& part, const T* const* left, int64_t terms, int64_t first, int64_t count,
           std::initializer_list<OuterSum<T>> rights, bool fresh) const {
    const int64_t tiles = (count + R - 1) / R, begin = part.begin(tiles) * R,
                  end = std::min(count, part.end(tiles) * R);
    const int64_t high = std::min(kHigh / R, (tiles + part.of - 1) / part.of) * R;
    T *const strips = room_.data() + own_ * member.thread, *const panel = strips + strips_ * strip_;
    for (const auto& right : rights)
      if (right.out && fresh && !terms && begin < end)
        std::fill(right.out + begin * right.width, right.out + end * right.width, T(0));
    for (int64_t n = 0; n < terms; n += deep_)
      for (int64_t i = begin; i < end; i += high) {
        const int64_t some = std::min(deep_, terms - n), here = std::min(high, end - i);
        pack_left<R>(left + n, some, first + i, here, strips, strip_);
        for (const auto& right : rights) {
          if (!right.out) continue;
          const auto add = [&](auto vectors, int64_t j, auto lanes) {
            constexpr int W = decltype(vectors)::value;
            pack_right<W>(right.rows + n, right.masks ? right.masks + n : nullptr, some, j, lanes, panel);
            // Meanwhile the rows' next elements come near, of a few rows with each tile.
            const int64_t next = j + W * V < right.width ? j + W * V : 0, each = (some * R + here - 1) / here;
            int64_t fetched = next ? 0 : some;
            for (int64_t r = 0; r < here; r += R) {
              for (const int64_t stop = std::min(some, fetched + each); fetched < stop; ++fetched)
                for (int c = 0; c < C; ++c) __builtin_prefetch(right.rows[n + fetched] + next + c * V, 0, 2);
              add_outer<R, W>(strips + r / R * strip_, panel, some, int(std::min<int64_t>(R, here - r)), lanes,
                              fresh && n == 0, right.out + (i + r) * right.width + j, right.width);
            }
          };
          by_turns<C, V>(right.width, add);
        }
      }
  }

 private:
  static constexpr int V = kLanes<T>, R = kRegisters == 32 ? 8 : 4, C = tile_columns<R>();
  // Terms at once, and elements of the left sides: with these, and with the C vectors beside them, the nearer caches
  // are full.
  static constexpr int64_t kDeep = 128, kHigh = 512;
  int64_t deep_;
  int64_t strip_;  // not a power of two: those would all want the same few places of the cache
  int64_t strips_, own_;
  Workspace<T> room_;
};

}  // namespace unrolled
