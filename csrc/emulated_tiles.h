// Tiles in plain C++: for processors that have none, and for sanitizers, which do not see what tile instructions read
// and write. scripts/check-native builds with them.
#pragma once
#include <cassert>

namespace unrolled {

inline bool tiles_granted() { return true; }

// The calling thread's.
struct EmulatedTiles {
  bool configured = false;
  Bits<float> rows[8][16] = {};
};
inline thread_local EmulatedTiles emulated_tiles;

inline Bits<float> (&emulated_tile(int tile))[16] {
  assert(emulated_tiles.configured);  // else the processor would not know the instruction
  return emulated_tiles.rows[tile];
}

class Tiles {
 public:
  Tiles() {
    assert(!emulated_tiles.configured);
    emulated_tiles = {true, {}};
  }
  ~Tiles() { emulated_tiles.configured = false; }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

template <int Tile> inline void clear_tile() {
  for (auto& row : emulated_tile(Tile)) row = Bits<float>{};
}
template <int Tile> inline void load_tile(const void* from, int64_t stride) {
  for (int r = 0; r < 16; ++r)
    std::memcpy(&emulated_tile(Tile)[r], static_cast<const char*>(from) + r * stride, sizeof(Bits<float>));
}
template <int Tile> inline void store_tile(void* to, int64_t stride) {
  for (int r = 0; r < 16; ++r)
    std::memcpy(static_cast<char*>(to) + r * stride, &emulated_tile(Tile)[r], sizeof(Bits<float>));
}

// As the manual has it: the first and the second of the pairs summed up by themselves, multiply-adds that take
// subnormal numbers as zeros and leave none.
template <int Sum, int Left, int Right> inline void multiply_tiles() {
  constexpr unsigned kSubnormalsAreZero = 0x8040;
  const auto first = [](Bits<float> pairs) { return (Vec<float>)(pairs << 16); };
  const auto second = [](Bits<float> pairs) { return (Vec<float>)(pairs & 0xffff0000u); };
  auto &sums = emulated_tile(Sum), &left = emulated_tile(Left), &right = emulated_tile(Right);
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | kSubnormalsAreZero);
  asm volatile("" ::: "memory");
  for (int r = 0; r < 16; ++r) {
    Vec<float> of_first{}, of_second{};
    for (int k = 0; k < 16; ++k) {
      const Bits<float> pair = Bits<float>{} + left[r][k];
      of_first += first(pair) * first(right[k]);
      of_second += second(pair) * second(right[k]);
    }
    sums[r] = (Bits<float>)((Vec<float>)sums[r] + (of_first + of_second));
  }
  asm volatile("" ::: "memory");
  _mm_setcsr(before);
}

}  // namespace unrolled
