// The processor's tiles: eight of 16 rows of 64 bytes, and the product of two of them.
#pragma once
#include "vector.h"

#if defined(UNROLLED_EMULATES_TILES)
#include "emulated_tiles.h"
#else
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

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
      shape[48 + tile] = 16;
    }
    asm volatile("ldtilecfg %0" ::"m"(shape));
  }
  ~Tiles() { asm volatile("tilerelease" ::: "memory"); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

// A tile's number stands in the instruction itself. The compiler knows nothing of what these read and write.
template <int Tile> inline __attribute__((always_inline)) void clear_tile() {
  asm volatile("tilezero %%tmm%c0" ::"i"(Tile));
}

// 16 rows of 64 bytes, `stride` bytes apart.
template <int Tile> inline __attribute__((always_inline)) void load_tile(const void* from, int64_t stride) {
  asm volatile("tileloadd (%1,%2,1), %%tmm%c0" ::"i"(Tile), "r"(from), "r"(stride));
}
template <int Tile> inline __attribute__((always_inline)) void store_tile(void* to, int64_t stride) {
  asm volatile("tilestored %%tmm%c0, (%1,%2,1)" ::"i"(Tile), "r"(to), "r"(stride) : "memory");
}

// Sum[i][j] += the sum over k of Left[i][k] * Right[k][j], of float32; k counts 16 pairs of bfloat16.
template <int Sum, int Left, int Right> inline __attribute__((always_inline)) void multiply_tiles() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(Sum), "i"(Left), "i"(Right));
}

}  // namespace unrolled
#endif

namespace unrolled {

// What was stored before is in memory after this, and what is read after it is read then.
inline __attribute__((always_inline)) void settle() { asm volatile("" ::: "memory"); }

}  // namespace unrolled
