// A ragged batch without its padding: where its steps lie, and moving rows there and back.
#pragma once
#include <cstring>

#include "rows.h"
#include "team.h"

namespace unrolled {

// The real steps lie one time step after the other, within one the longest row first. offsets[t]: where step t begins;
// ranks[b]: the place of row b within every step; real[n]: the place t * rows + b in the padded batch of the n-th real step,
// with room for all; places[t * rows + b]: its place among the real ones, -1 for padding. Returns how many are real.
inline int64_t lay_out(const int64_t* lengths, int64_t steps, int64_t rows, int64_t* offsets, int64_t* ranks,
                       int64_t* real, int64_t* places) {
  const Rows all(lengths, steps, rows);
  std::vector<int64_t> order(rows);
  all.share(0, 1, order.data());
  for (int64_t rank = 0; rank < rows; ++rank) ranks[order[rank]] = rank;
  std::fill_n(places, steps * rows, int64_t(-1));
  int64_t count = 0;
  for (int64_t t = 0; t < steps; ++t) {
    offsets[t] = count;
    for (int64_t rank = 0; rank < rows && all.length(order[rank]) > t; ++rank) {
      const int64_t place = t * rows + order[rank];
      real[count] = place;
      places[place] = count++;
    }
  }
  return count;
}

// out[i] = source[index[i] + shift] for rows of so many bytes, zeros where index[i] is negative.
inline void copy_rows(const char* source, const int64_t* index, int64_t shift, int64_t count, int64_t bytes, char* out,
                      int threads) {
  constexpr int64_t kAlone = 1 << 17;  // bytes that are copied before a team has started
  run_team(count * bytes < kAlone ? 1 : threads, [&](const Member& member) {
    const int64_t end = count * (member.thread + 1) / member.threads;
    for (int64_t i = count * member.thread / member.threads; i < end; ++i)
      if (index[i] < 0)
        std::memset(out + i * bytes, 0, bytes);
      else
        std::memcpy(out + i * bytes, source + (index[i] + shift) * bytes, bytes);
  });
}

}  // namespace unrolled
