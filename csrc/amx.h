// The processor's tiles: eight of 16 rows of 64 bytes, and the product of two of them.
#pragma once
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "split_panel.h"

namespace unrolled {

// Whether the processor has tiles. The system lets a process use them on request only; forked children may go on.
inline bool tiles_granted() {
  constexpr long kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  constexpr unsigned kTilesOfBfloat16 = 1u << 22 | 1u << 24;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & kTilesOfBfloat16) == kTilesOfBfloat16 &&
         syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
}

// Configures the calling thread's tiles, all of full size, for as long as it lives.
class Tiles {
 public:
  Tiles() {
    alignas(64) unsigned char shape[64] = {1};  // palette 1: 8 tiles
    for (int tile = 0; tile < 8; ++tile) {
      shape[16 + 2 * tile] = 64;
      shape[48 + tile] = kTile;
    }
    asm volatile("ldtilecfg %0" ::"m"(shape));
  }
  ~Tiles() { asm volatile("tilerelease" ::: "memory"); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

// The compiler knows nothing of what tiles read and write: what was stored before is in memory after this.
inline __attribute__((always_inline)) void settle() { asm volatile("" ::: "memory"); }

// Of the products of the terms those are taken that reach into the digits kept: i-th by j-th for i + j < Terms. Every
// way of multiplying takes them in the same order, so that a row's sum does not depend on which rows are beside it.

// Tiles 0 to 3 += two strips of rows times two strips of columns, over `steps` times 32 elements of the sum: rows a by
// columns c, a by d, b by c, b by d.
template <int Terms>
inline __attribute__((always_inline)) void multiply_square(const Pairs* a, const Pairs* b, const Pairs* c,
                                                           const Pairs* d, int64_t steps) {
#define UNROLLED_ROWS(term)               \
  _tile_loadd(4, a + (term) * kTile, 64); \
  _tile_loadd(5, b + (term) * kTile, 64)
#define UNROLLED_COLUMNS(term)            \
  _tile_loadd(6, c + (term) * kTile, 64); \
  _tile_loadd(7, d + (term) * kTile, 64)
#define UNROLLED_MULTIPLY() \
  _tile_dpbf16ps(0, 4, 6);  \
  _tile_dpbf16ps(1, 4, 7);  \
  _tile_dpbf16ps(2, 5, 6);  \
  _tile_dpbf16ps(3, 5, 7)
  for (int64_t i = 0; i < steps; ++i) {
    if constexpr (Terms == 3) {
      UNROLLED_ROWS(2);
      UNROLLED_COLUMNS(0);
      UNROLLED_MULTIPLY();
      UNROLLED_ROWS(1);
      UNROLLED_MULTIPLY();
      UNROLLED_COLUMNS(1);
      UNROLLED_MULTIPLY();
      UNROLLED_ROWS(0);
      UNROLLED_MULTIPLY();
      UNROLLED_COLUMNS(2);
      UNROLLED_MULTIPLY();
      UNROLLED_COLUMNS(0);
      UNROLLED_MULTIPLY();
    } else if constexpr (Terms == 2) {
      UNROLLED_ROWS(1);
      UNROLLED_COLUMNS(0);
      UNROLLED_MULTIPLY();
      UNROLLED_ROWS(0);
      UNROLLED_MULTIPLY();
      UNROLLED_COLUMNS(1);
      UNROLLED_MULTIPLY();
    } else {
      UNROLLED_ROWS(0);
      UNROLLED_COLUMNS(0);
      UNROLLED_MULTIPLY();
    }
    a += kStripStep<Terms>;
    b += kStripStep<Terms>;
    c += kStripStep<Terms>;
    d += kStripStep<Terms>;
  }
#undef UNROLLED_ROWS
#undef UNROLLED_COLUMNS
#undef UNROLLED_MULTIPLY
}

// Tiles 0 to 3 += one strip of rows times four strips of columns.
template <int Terms>
inline __attribute__((always_inline)) void multiply_row(const Pairs* a, const Pairs* const* columns, int64_t steps) {
  const Pairs *c = columns[0], *d = columns[1], *e = columns[2], *f = columns[3];
#define UNROLLED_ROWS(term) _tile_loadd(4, a + (term) * kTile, 64)
// A term of all four strips of columns, the last one's in the first one's place. A product takes as long as three
// others, so that no sum is added to twice within three.
#define UNROLLED_COLUMNS(term)            \
  _tile_loadd(6, d + (term) * kTile, 64); \
  _tile_loadd(7, e + (term) * kTile, 64); \
  _tile_loadd(5, c + (term) * kTile, 64); \
  _tile_dpbf16ps(1, 4, 6);                \
  _tile_dpbf16ps(2, 4, 7);                \
  _tile_dpbf16ps(0, 4, 5);                \
  _tile_loadd(5, f + (term) * kTile, 64); \
  _tile_dpbf16ps(3, 4, 5)
// The same term once more, after UNROLLED_COLUMNS.
#define UNROLLED_COLUMNS_AGAIN(term)      \
  _tile_dpbf16ps(1, 4, 6);                \
  _tile_dpbf16ps(2, 4, 7);                \
  _tile_dpbf16ps(3, 4, 5);                \
  _tile_loadd(5, c + (term) * kTile, 64); \
  _tile_dpbf16ps(0, 4, 5)
  for (int64_t i = 0; i < steps; ++i) {
    if constexpr (Terms == 3) {
      UNROLLED_ROWS(2);
      UNROLLED_COLUMNS(0);
      UNROLLED_ROWS(1);
      UNROLLED_COLUMNS_AGAIN(0);
      UNROLLED_COLUMNS(1);
      UNROLLED_ROWS(0);
      UNROLLED_COLUMNS_AGAIN(1);
      UNROLLED_COLUMNS(2);
      UNROLLED_COLUMNS(0);
    } else if constexpr (Terms == 2) {
      UNROLLED_ROWS(1);
      UNROLLED_COLUMNS(0);
      UNROLLED_ROWS(0);
      UNROLLED_COLUMNS_AGAIN(0);
      UNROLLED_COLUMNS(1);
    } else {
      UNROLLED_ROWS(0);
      UNROLLED_COLUMNS(0);
    }
    a += kStripStep<Terms>;
    c += kStripStep<Terms>;
    d += kStripStep<Terms>;
    e += kStripStep<Terms>;
    f += kStripStep<Terms>;
  }
#undef UNROLLED_ROWS
#undef UNROLLED_COLUMNS
#undef UNROLLED_COLUMNS_AGAIN
}

// Writes a tile, given by its number, to 16 rows of floats.
template <int Tile> inline void store_tile(float* out, ptrdiff_t stride) {
  // The number stands in the instruction itself.
  if constexpr (Tile == 0) _tile_stored(0, out, stride * 4);
  if constexpr (Tile == 1) _tile_stored(1, out, stride * 4);
  if constexpr (Tile == 2) _tile_stored(2, out, stride * 4);
  if constexpr (Tile == 3) _tile_stored(3, out, stride * 4);
}

// Only the first `rows` of them.
template <int Tile> inline void store_tile(float* out, ptrdiff_t stride, int64_t rows) {
  if (rows >= kTile) return store_tile<Tile>(out, stride);
  alignas(64) float whole[kTile * kTile];
  store_tile<Tile>(whole, kTile);
  settle();
  for (int64_t r = 0; r < rows; ++r) store(out + r * stride, load(whole + r * kTile));
}

}  // namespace unrolled
