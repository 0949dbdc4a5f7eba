// A float32 as a sum of bfloat16 terms, which the processor's tiles multiply many times as fast. One term keeps 8 bits
// of the significand, two keep 16, three all 24.
//
// Tiles multiply pairs of neighbours along the sum. The order of a sum is free so long as both sides keep to it, so
// within every 32 of its elements k and k + 16 make a pair: two vectors are joined lane by lane, and nothing is
// shuffled.
#pragma once
#include "vector.h"

namespace unrolled {

constexpr int kTile = 16;          // rows of a tile, and pairs in a row
constexpr int kDepth = 2 * kTile;  // elements of the sum in a tile
using Floats = Vec<float>;
using Pairs = Bits<float>;                   // 16 pairs of bfloat16
constexpr int64_t kTileRow = sizeof(Pairs);  // bytes of a tile's row, which lie side by side where it is packed

// Whether numbers may be split: the sums of their terms are those of the numbers themselves only while nothing
// overflows, and infinities and NaN have no terms at all.
class Range {
 public:
  void see(Floats x) {
    const Pairs magnitude = (Pairs)x & 0x7fffffff;
    largest_ = magnitude > largest_ ? magnitude : largest_;
  }
  bool splits() const {
    const auto beyond = largest_ >= 0x71800000;  // 2^100
    for (int lane = 0; lane < kTile; ++lane)
      if (beyond[lane]) return false;
    return true;
  }

 private:
  Pairs largest_{};
};

// The nearest bfloat16, as the float32 that it stands for.
inline __attribute__((always_inline)) Floats leading_term(Floats x) {
  return (Floats)(((Pairs)x + 0x8000) & 0xffff0000u);
}

// terms[i * stride]: the i-th term of every element of low and high, low's in the lower halves. The largest come first.
template <int Terms>
inline __attribute__((always_inline)) void split(Floats low, Floats high, Pairs* terms, ptrdiff_t stride) {
#pragma GCC unroll 3
  for (int i = 0; i < Terms; ++i) {
    const Floats a = leading_term(low), b = leading_term(high);
    terms[i * stride] = ((Pairs)a >> 16) | (Pairs)b;
    low -= a;
    high -= b;
  }
}

// The first n of 16 elements and zeros after them; n may be beyond either end.
inline __attribute__((always_inline)) Floats load_some(const float* p, int64_t n) {
  if (n >= kTile) return load(p);
  if (n <= 0) return Floats{};
  return (Floats)_mm512_maskz_loadu_ps(__mmask16((1u << n) - 1), p);
}

}  // namespace unrolled
