// The rows of a batch in the order in which the scan works on them, longest first, so that the rows still running at a
// step are always the first few and no time goes into padding; and whose they are.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <vector>

namespace unrolled {

class Rows {
 public:
  // lengths: [rows], or null: every row has all steps.
  Rows(const int64_t* lengths, int64_t steps, int64_t rows, int threads)
      : ragged_(lengths), threads_(threads), order_(rows), length_(rows, steps) {
    std::iota(order_.begin(), order_.end(), 0);
    if (!lengths) return;
    for (int64_t row = 0; row < rows; ++row) length_[row] = std::clamp<int64_t>(lengths[row], 0, steps);
    std::stable_sort(order_.begin(), order_.end(), [&](int64_t a, int64_t b) { return length_[a] > length_[b]; });
    divide();
  }
  int64_t length(int64_t row) const { return length_[row]; }

  // Writes one thread's rows to `mine`, longest first, and returns how many. Equal rows go in one piece.
  int64_t share(int thread, int threads, int64_t* mine) const {
    const int64_t rows = int64_t(order_.size());
    if (!ragged_) {
      const int64_t begin = rows * thread / threads, end = rows * (thread + 1) / threads;
      std::copy(order_.begin() + begin, order_.begin() + end, mine);
      return end - begin;
    }
    int64_t count = 0;
    for (int64_t i = 0; i < rows; ++i)
      if ((threads == threads_ ? thread_of_[order_[i]] : in_turns(i, threads)) == thread) mine[count++] = order_[i];
    return count;
  }

 private:
  static constexpr int64_t kNearly = 64;
  // The thread of the i-th longest row, if they go round the threads one by one, there and back.
  static int in_turns(int64_t i, int threads) {
    const int64_t round = i / threads, place = i % threads;
    return int(round & 1 ? threads - 1 - place : place);
  }

  // Rows of several lengths: as many to each thread, neighbours in memory, for what one writes the other's core would
  // fetch with its own, but for some that are exchanged until all have nearly equal work. Where that takes many, as in
  // a batch sorted by length, they go in turns.
  void divide() {
    const int64_t rows = int64_t(order_.size());
    std::vector<int64_t> sums(threads_);
    thread_of_.resize(rows);
    for (int thread = 0; thread < threads_; ++thread)
      for (int64_t row = rows * thread / threads_; row < rows * (thread + 1) / threads_; ++row) {
        thread_of_[row] = thread;
        sums[thread] += length_[row];
      }
    for (int times = 2 * threads_;; --times) {
      const auto [least, greatest] = std::minmax_element(sums.begin(), sums.end());
      const int64_t apart = *greatest - *least;
      if (apart * kNearly <= *greatest) return;
      if (!times || !exchange(int(greatest - sums.begin()), int(least - sums.begin()), apart, sums)) break;
    }
    for (int64_t i = 0; i < rows; ++i) thread_of_[order_[i]] = in_turns(i, threads_);
  }

  // Exchanges the two rows of two threads that leave them nearest to each other; false where none do.
  bool exchange(int heavy, int light, int64_t apart, std::vector<int64_t>& sums) {
    const int64_t rows = int64_t(order_.size());
    int64_t best = apart, from = -1, to = -1;
    const auto consider = [&](int64_t a, int64_t b) {
      const int64_t left = std::abs(apart - 2 * (length_[a] - length_[b]));
      if (left < best) best = left, from = a, to = b;
    };
    int64_t longer = -1;  // the last row of the other that is shorter by less than half of what is between them
    for (int64_t i = 0, j = 0; i < rows; ++i) {
      const int64_t row = order_[i];
      if (thread_of_[row] != heavy) continue;
      for (; j < rows && (thread_of_[order_[j]] != light || 2 * (length_[row] - length_[order_[j]]) < apart); ++j)
        if (thread_of_[order_[j]] == light) longer = order_[j];
      if (longer >= 0) consider(row, longer);
      if (j < rows) consider(row, order_[j]);
    }
    if (from < 0) return false;
    std::swap(thread_of_[from], thread_of_[to]);
    sums[heavy] -= length_[from] - length_[to];
    sums[light] += length_[from] - length_[to];
    return true;
  }

  bool ragged_;
  int threads_;
  std::vector<int64_t> order_;
  std::vector<int64_t> length_;
  std::vector<int> thread_of_;
};

}  // namespace unrolled
