// Sums of products of strips on the processor's tiles.
#pragma once
#include "split_panel.h"
#include "tiles.h"

namespace unrolled {

// Tiles 0 to 3, where all sums are made.
inline __attribute__((always_inline)) void clear_sums() {
  clear_tile<0>();
  clear_tile<1>();
  clear_tile<2>();
  clear_tile<3>();
}

// Of the products of the terms those are taken that reach into the digits kept: i-th by j-th for i + j < Terms. Every
// way of multiplying takes them in the same order, so that a row's sum does not depend on which rows are beside it.

// Tiles 0 to 3 += two strips of rows times two strips of columns, over `steps` times 32 elements of the sum: rows a by
// columns c, a by d, b by c, b by d.
template <int Terms>
inline __attribute__((always_inline)) void multiply_square(const Pairs* a, const Pairs* b, const Pairs* c,
                                                           const Pairs* d, int64_t steps) {
  const auto rows = [&](int term) UNROLLED_INLINE {
    load_tile<4>(a + term * kTile, kTileRow);
    load_tile<5>(b + term * kTile, kTileRow);
  };
  const auto columns = [&](int term) UNROLLED_INLINE {
    load_tile<6>(c + term * kTile, kTileRow);
    load_tile<7>(d + term * kTile, kTileRow);
  };
  const auto multiply = []() UNROLLED_INLINE {
    multiply_tiles<0, 4, 6>();
    multiply_tiles<1, 4, 7>();
    multiply_tiles<2, 5, 6>();
    multiply_tiles<3, 5, 7>();
  };
  for (int64_t i = 0; i < steps; ++i) {
    if constexpr (Terms == 3) {
      rows(2);
      columns(0);
      multiply();
      rows(1);
      multiply();
      columns(1);
      multiply();
      rows(0);
      multiply();
      columns(2);
      multiply();
      columns(0);
      multiply();
    } else if constexpr (Terms == 2) {
      rows(1);
      columns(0);
      multiply();
      rows(0);
      multiply();
      columns(1);
      multiply();
    } else {
      rows(0);
      columns(0);
      multiply();
    }
    a += kStripStep<Terms>;
    b += kStripStep<Terms>;
    c += kStripStep<Terms>;
    d += kStripStep<Terms>;
  }
}

// Tiles 0 to 3 += one strip of rows times four strips of columns.
template <int Terms>
inline __attribute__((always_inline)) void multiply_row(const Pairs* a, const Pairs* const* columns, int64_t steps) {
  const Pairs *c = columns[0], *d = columns[1], *e = columns[2], *f = columns[3];
  const auto row = [&](int term) UNROLLED_INLINE { load_tile<4>(a + term * kTile, kTileRow); };
  // A term of all four strips of columns, the last one's in the first one's place. A product takes as long as three
  // others, so that no sum is added to twice within three.
  const auto strips = [&](int term) UNROLLED_INLINE {
    load_tile<6>(d + term * kTile, kTileRow);
    load_tile<7>(e + term * kTile, kTileRow);
    load_tile<5>(c + term * kTile, kTileRow);
    multiply_tiles<1, 4, 6>();
    multiply_tiles<2, 4, 7>();
    multiply_tiles<0, 4, 5>();
    load_tile<5>(f + term * kTile, kTileRow);
    multiply_tiles<3, 4, 5>();
  };
  // The same term once more, after `strips`.
  const auto strips_again = [&](int term) UNROLLED_INLINE {
    multiply_tiles<1, 4, 6>();
    multiply_tiles<2, 4, 7>();
    multiply_tiles<3, 4, 5>();
    load_tile<5>(c + term * kTile, kTileRow);
    multiply_tiles<0, 4, 5>();
  };
  for (int64_t i = 0; i < steps; ++i) {
    if constexpr (Terms == 3) {
      row(2);
      strips(0);
      row(1);
      strips_again(0);
      strips(1);
      row(0);
      strips_again(1);
      strips(2);
      strips(0);
    } else if constexpr (Terms == 2) {
      row(1);
      strips(0);
      row(0);
      strips_again(0);
      strips(1);
    } else {
      row(0);
      strips(0);
    }
    a += kStripStep<Terms>;
    c += kStripStep<Terms>;
    d += kStripStep<Terms>;
    e += kStripStep<Terms>;
    f += kStripStep<Terms>;
  }
}

// Writes the first `rows` rows of a tile, 16 floats each and `stride` apart.
template <int Tile> inline void store_rows(float* out, ptrdiff_t stride, int64_t rows) {
  if (rows >= kTile) return store_tile<Tile>(out, stride * 4);
  alignas(64) float whole[kTile * kTile];
  store_tile<Tile>(whole, kTileRow);
  settle();
  for (int64_t r = 0; r < rows; ++r) store(out + r * stride, load(whole + r * kTile));
}

}  // namespace unrolled
