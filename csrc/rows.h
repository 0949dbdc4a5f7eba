// The rows of a batch in the order in which the scan works on them: longest first, so that the rows still running at a
// step are always the first few and no time goes into padding.
#pragma once
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace unrolled {

class Rows {
 public:
  // lengths: [rows], or null: every row has all steps.
  Rows(const int64_t* lengths, int64_t steps, int64_t rows) : ragged_(lengths), order_(rows), length_(rows, steps) {
    std::iota(order_.begin(), order_.end(), 0);
    if (!lengths) return;
    for (int64_t row = 0; row < rows; ++row) length_[row] = std::clamp<int64_t>(lengths[row], 0, steps);
    std::stable_sort(order_.begin(), order_.end(), [&](int64_t a, int64_t b) { return length_[a] > length_[b]; });
  }
  int64_t length(int64_t row) const { return length_[row]; }

  // Writes one thread's rows to `mine`, longest first, and returns how many. Rows of all lengths go round the threads
  // one by one, so that each has equal work; equal rows go in one piece, neighbours in memory.
  int64_t share(int thread, int threads, int64_t* mine) const {
    const int64_t rows = int64_t(order_.size());
    if (!ragged_) {
      const int64_t begin = rows * thread / threads, end = rows * (thread + 1) / threads;
      std::copy(order_.begin() + begin, order_.begin() + end, mine);
      return end - begin;
    }
    int64_t count = 0;
    for (int64_t i = thread; i < rows; i += threads) mine[count++] = order_[i];
    return count;
  }

 private:
  bool ragged_;
  std::vector<int64_t> order_;
  std::vector<int64_t> length_;
};

}  // namespace unrolled
