// A ragged batch without its padding: where its steps lie, and moving rows there and back.
#pragma once
#include <cstring>

#include "rows.h"
#include "team.h"

namespace unrolled {

// The real steps lie one time step after the other, within one the rows of one thread after those of another, and of a
// thread the longest first. offsets[t * threads + k]: where step t of thread k begins; ranks[b]: the place of row b
// from there on; threads_of[b]: its thread; real[n]: the place t * rows + b in the padded batch of the n-th real step,
// with room for all; places[t * rows + b]: its place among the real ones, -1 for padding. Returns how many are real.
inline int64_t lay_out(const int64_t* lengths, int64_t steps, int64_t rows, int threads, int64_t* offsets,
                       int64_t* ranks, int64_t* threads_of, int64_t* real, int64_t* places) {
  const Rows all(lengths, steps, rows, threads);
  std::vector<int64_t> order(rows), ends(threads);
  int64_t shared = 0;
  for (int thread = 0; thread < threads; ++thread) {
    const int64_t own = all.share(thread, threads, order.data() + shared);
    for (int64_t rank = 0; rank < own; ++rank) {
      ranks[order[shared + rank]] = rank;
      threads_of[order[shared + rank]] = thread;
    }
    ends[thread] = shared += own;
  }
  std::fill_n(places, steps * rows, int64_t(-1));
  int64_t count = 0;
  for (int64_t t = 0; t < steps; ++t)
    for (int thread = 0; thread < threads; ++thread) {
      offsets[t * threads + thread] = count;
      for (int64_t i = thread ? ends[thread - 1] : 0; i < ends[thread] && all.length(order[i]) > t; ++i) {
        const int64_t place = t * rows + order[i];
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
    const Part part = member.part();
    for (int64_t i = part.begin(count), end = part.end(count); i < end; ++i)
      if (index[i] < 0)
        std::memset(out + i * bytes, 0, bytes);
      else
        std::memcpy(out + i * bytes, source + (index[i] + shift) * bytes, bytes);
  });
}

}  // namespace unrolled
