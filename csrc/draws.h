// Which units keep their old value: numbers that are one with some probability and zero else, drawn by all threads at
// the rate of the memory that they are written to.
#pragma once
#include <algorithm>
#include <cstdint>

#include "team.h"

namespace unrolled {

// SplitMix64 (Steele, Lea & Flood 2014): the n-th number after a seed without those before it.
inline uint64_t split_mix(uint64_t seed, uint64_t n) {
  uint64_t z = seed + n * 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

// out[i] = 1 where the i-th whole number of 16 bits is at most `limit`, else 0; four of them from a number of 64, the
// lowest first.
template <typename T> void draw(uint64_t seed, int limit, int64_t count, T* out, int threads) {
  constexpr int64_t kAtOnce = 128, kAlone = 1 << 14;  // numbers of 64 bits; elements drawn before a team has started
  constexpr int64_t kEach = 4 * kAtOnce;
  const int64_t blocks = (count + kEach - 1) / kEach;
  run_team(count < kAlone ? 1 : threads, [&](const Member& member) {
    const Part part = member.part();
    for (int64_t block = part.begin(blocks), end = part.end(blocks); block < end; ++block) {
      uint64_t numbers[kAtOnce];
      int16_t each[kEach];
      for (int64_t i = 0; i < kAtOnce; ++i) numbers[i] = split_mix(seed, uint64_t(block * kAtOnce + i + 1));
      for (int64_t i = 0; i < kAtOnce; ++i)
        for (int quarter = 0; quarter < 4; ++quarter) each[4 * i + quarter] = int16_t(numbers[i] >> 16 * quarter);
      const int64_t first = block * kEach, left = std::min(kEach, count - first);
      for (int64_t i = 0; i < left; ++i) out[first + i] = T(each[i] <= limit);
    }
  });
}

}  // namespace unrolled
