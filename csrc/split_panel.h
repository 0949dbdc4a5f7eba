// Matrices and rows of states as strips of split numbers, which tiles multiply.
#pragma once
#include <algorithm>

#include "split.h"

namespace unrolled {

// A strip is 16 rows (or columns) of one side of a product, split into terms: [step][term], a tile each. This many
// Pairs make a step, which is 32 elements of the sum.
template <int Terms> constexpr ptrdiff_t kStripStep = ptrdiff_t(Terms) * kTile;

inline int64_t steps_of(int64_t depth) { return (depth + kDepth - 1) / kDepth; }

// One side of a product: `count` rows of C or columns, each with the elements `first` to `last` of the sum; the others
// count as zero. `stride` lies between neighbours in memory's outer dimension; in the inner one they follow the sum, or
// else they are neighbouring rows. A side along the sum has all of its elements.
struct Side {
  const float* data;  // of element `first`
  int64_t count, stride;
  bool along_sum;
  int64_t first, last;
};

// Writes 32 elements of the sum from k on, of the 16 rows (columns) from `from` on. Upright: tile rows follow the sum,
// as the right-hand side wants them; else they are the side's rows.
template <int Terms, bool Upright>
inline void pack_tile(const Side& side, int64_t from, int64_t k, Pairs* out, Range& range) {
  const int64_t rows = std::clamp<int64_t>(side.count - from, 0, kTile);
  Floats low[kTile], high[kTile];
  if (side.along_sum) {
    const float* p = side.data + from * side.stride + k;
    const int64_t depth = side.last - k;
    for (int i = 0; i < kTile; ++i) {
      low[i] = i < rows ? load_some(p + i * side.stride, depth) : Floats{};
      high[i] = i < rows ? load_some(p + i * side.stride + kTile, depth - kTile) : Floats{};
    }
  } else {
    const auto element = [&](int64_t of_sum) {
      if (of_sum < side.first || of_sum >= side.last) return Floats{};
      return load_some(side.data + (of_sum - side.first) * side.stride + from, rows);
    };
    for (int i = 0; i < kTile; ++i) {
      low[i] = element(k + i);
      high[i] = element(k + kTile + i);
    }
  }
  if (side.along_sum == Upright) {
    transpose(low);
    transpose(high);
  }
  for (int i = 0; i < kTile; ++i) {
    range.see(low[i]);
    range.see(high[i]);
    split<Terms>(low[i], high[i], out + i, kTile);
  }
}

// Writes `strips` strips from row (column) `from` on, `stride` apart, each of `steps` times 32 elements of the sum from
// `begin` on; in the order in which the side lies in memory.
template <int Terms, bool Upright>
void pack_strips(const Side& side, int64_t from, int64_t strips, int64_t begin, int64_t steps, Pairs* out,
                 ptrdiff_t stride, Range& range) {
  const auto pack = [&](int64_t strip, int64_t step) {
    pack_tile<Terms, Upright>(side, from + strip * kTile, begin + step * kDepth,
                              out + strip * stride + step * kStripStep<Terms>, range);
  };
  if (side.along_sum)
    for (int64_t strip = 0; strip < strips; ++strip)
      for (int64_t step = 0; step < steps; ++step) pack(strip, step);
  else
    for (int64_t step = 0; step < steps; ++step)
      for (int64_t strip = 0; strip < strips; ++strip) pack(strip, step);
}

// Writes one row of a strip of states.
template <int Terms> void pack_row(const float* x, int64_t depth, int row, Pairs* strip, Range& range) {
  Pairs* line = strip + row;
  for (int64_t k = 0; k < depth; k += kDepth, line += kStripStep<Terms>) {
    const Floats low = load_some(x + k, depth - k), high = load_some(x + k + kTile, depth - k - kTile);
    range.see(low);
    range.see(high);
    split<Terms>(low, high, line, kTile);
  }
}

}  // namespace unrolled
