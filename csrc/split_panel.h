// Matrices and rows of states as strips of split numbers, which tiles multiply.
#pragma once
#include <algorithm>

#include "split.h"

namespace unrolled {

// A strip is 16 rows (or columns) of one side of a product, split into terms: [step][term], a tile each. This many Pairs
// make a step, which is 32 elements of the sum.
template <int Terms> constexpr ptrdiff_t kStripStep = ptrdiff_t(Terms) * kTile;

inline int64_t steps_of(int64_t depth) { return (depth + kDepth - 1) / kDepth; }

// One side of a product: `count` rows of C or columns, each with `depth` elements of the sum. `stride` lies between
// neighbours in memory's outer dimension; in the inner one they follow the sum, or else they are neighbouring rows.
struct Side {
  const float* data;
  int64_t count, depth, stride;
  bool along_sum;
};

// Writes a strip of the rows (columns) from `from` on and `steps` times 32 elements of the sum from `begin` on. Upright:
// tile rows follow the sum, as the right-hand side wants them; else they are the side's rows.
template <int Terms, bool Upright>
void pack_strip(const Side& side, int64_t from, int64_t begin, int64_t steps, Pairs* out, Range& range) {
  const int64_t rows = std::clamp<int64_t>(side.count - from, 0, kTile);
  for (int64_t k = begin; k < begin + steps * kDepth; k += kDepth, out += kStripStep<Terms>) {
    const int64_t depth = std::clamp<int64_t>(side.depth - k, 0, kDepth);
    Floats low[kTile], high[kTile];
    if (side.along_sum) {
      const float* p = side.data + from * side.stride + k;
      for (int i = 0; i < kTile; ++i) {
        low[i] = i < rows ? load_some(p + i * side.stride, depth) : Floats{};
        high[i] = i < rows ? load_some(p + i * side.stride + kTile, depth - kTile) : Floats{};
      }
    } else {
      const float* p = side.data + k * side.stride + from;
      for (int i = 0; i < kTile; ++i) {
        low[i] = i < depth ? load_some(p + i * side.stride, rows) : Floats{};
        high[i] = i + kTile < depth ? load_some(p + (i + kTile) * side.stride, rows) : Floats{};
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
