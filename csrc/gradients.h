// From the gradients of the gates to those of the input and of both matrices.
#pragma once
#include <algorithm>
#include <vector>

#include "plan.h"
#include "products.h"

namespace unrolled {

// The gradients of the gates, those of the input's product and those of the recurrent one, a row of each for every row
// of a step. Two arrays, or columns of one where nothing is normalised.
template <typename T> struct GateGradients {
  T *of_input, *of_recurrent;
  int64_t row;  // elements from one row of either to the next
};

// What they are multiplied with, and what comes of it. T steps, B rows, H units, G gates.
template <typename T> struct Factors {
  int64_t width;                         // of the input
  const T *values, *weight_ih;           // [T, B, width], [G*H, width]
  const T *h, *h_0;                      // [T, B, H]; [B, H], or null for zeros
  const T* zeros;                        // [H]
  const T* hidden_mask;                  // [B, H], optional
  T *dvalues, *dweight_ih, *dweight_hh;  // each optional; [T, B, width], what belongs to the padding left alone
  bool adds;                             // to what dvalues holds
  int gates;                             // G
  int columns;  // of units in a row of gradients: G, or G + 1 where the first is the input's alone and the last the
                // recurrent product's
  bool apart;   // two arrays
  int threads;  // there are
};

// Where each thread of the scan has rows of its own, it uses their gradients after every few hundred, while they are
// near. No thread waits for another or reads what it wrote; their sums over rows are added at the end. Else, and where
// the matrices are large, all is used after the scan, and each thread has a part of the results.
template <typename T> class ProductGradients {
 public:
  // own_rows: each thread has, however many there turn out to be.
  ProductGradients(const Shape& s, const Factors<T>& factors, bool own_rows)
      : shape_(s),
        factors_(factors),
        wide_(factors.gates * s.hidden),
        columns_(factors.columns * s.hidden),
        split_(columns_ == wide_ ? 0 : wide_ - s.hidden),
        threads_(s.all * factors.width * wide_ < kStart ? 1 : factors.threads),
        sums_size_(wide_ * (factors.width + s.hidden)),
        enough_(rows_at_once(s)),
        on_the_way_(own_rows && threads_ == s.threads && sums_size_ * int64_t(sizeof(T)) <= kNear),
        rows_(on_the_way_ ? enough_ * threads_ + most_slots(s) : s.all),
        most_(on_the_way_ ? enough_ + s.rows : s.all),
        apart_(factors.apart ? rows_ * columns_ : 0),
        room_(size_t(rows_ * columns_ + apart_)),
        turned_(split_ && factors.dvalues ? wide_ * factors.width : 0),
        transform_(split_ ? turned_.data() : factors.weight_ih, wide_, factors.dvalues ? factors.width : 0, threads_,
                   on_the_way_ && s.apart),
        outer_(most_, wide_, threads_),
        sums_(on_the_way_ ? size_t(sums_size_ * (threads_ - 1)) : 0),
        lists_(size_t(kLists * most_ * threads_)),
        collected_(threads_, Collected(s, most_)) {
    const T *const weight = factors.weight_ih, *const last = weight + split_ * factors.width;
    if (split_ && factors.dvalues) std::rotate_copy(weight, last, weight + wide_ * factors.width, turned_.data());
  }

  bool on_the_way() const { return on_the_way_; }
  // Room for the gates' gradients: for a thread's own until there are enough, and one step's more; or for all.
  GateGradients<T> room(const Member& member) const {
    T* const begin = room_.data() + (on_the_way_ ? rows_ / member.threads * member.thread * columns_ : 0);
    return {begin, begin + (apart_ ? apart_ : columns_ - wide_), columns_};
  }

  // On the way: what every thread does first, which all must have done before any use.
  void pack(const Member& member) const { transform_.pack(member, part_of(member)); }
  bool enough(int64_t rows) const { return rows >= enough_; }
  // A row's gradients at step t. In the order of memory, which is that of time, or in the opposite one.
  void collect(const Member& member, int64_t t, int64_t row, const T* gradients) {
    const Shape& s = shape_;
    const Lists lists = lists_of(member);
    Collected& collected = collected_[member.thread];
    const int64_t n = s.reverse ? collected.end++ : --collected.begin;
    lists.gradients[n] = gradients;
    lists.values[n] = factors_.values + s.padded(t, row) * factors_.width;
    lists.states[n] = state_before(s, factors_.h, factors_.h_0, factors_.zeros, t, row, s.first(t, s.length(row)));
    if (factors_.hidden_mask) lists.masks[n] = factors_.hidden_mask + row * s.hidden;
  }
  // What comes of the rows that a thread has collected: of its own, or its part of the results of all. The first of the
  // next may go where the first of these were.
  void use(const Member& member) {
    const Part part = part_of(member);
    const Sums sums = sums_of(on_the_way_ ? member.thread : 0);
    Collected& collected = collected_[member.thread];
    const int64_t count = collected.end - collected.begin, width = factors_.width, H = shape_.hidden;
    const Lists lists = lists_of(member).from(collected.begin);
    if (factors_.dvalues)
      transform_.run(member, part, lists.gradients, count, factors_.adds,
                     [&](int64_t n) { return factors_.dvalues + (lists.values[n] - factors_.values); });
    const auto add = [&](int64_t from, int64_t elements, T* of_values, T* of_states) {
      if (!of_values && !of_states) return;
      outer_.add(member, part, lists.gradients, count, from, elements,
                 {{lists.values, nullptr, width, of_values},
                  {lists.states, factors_.hidden_mask ? lists.masks : nullptr, H, of_states}},
                 collected.fresh);
    };
    T *const ih = sums.of_values, *const hh = sums.of_states;
    if (split_) {
      add(0, H, ih ? ih + split_ * width : nullptr, nullptr);
      add(H, split_, ih, hh);
      add(wide_, H, nullptr, hh ? hh + split_ * H : nullptr);
    } else if (apart_) {
      add(0, wide_, ih, nullptr);
      add(apart_, wide_, nullptr, hh);
    } else {
      add(0, wide_, ih, hh);
    }
    collected = Collected(shape_, most_);
    collected.fresh = false;
  }
  // A thread's part of the sums, when all have used their last.
  void add_sums(const Member& member) const {
    const Part part = member.part();
    const Sums first = sums_of(0);
    for (int thread = 1; thread < member.threads; ++thread) {
      const Sums other = sums_of(thread);
      if (first.of_values) add_elements(part, first.of_values, other.of_values, wide_ * factors_.width);
      if (first.of_states) add_elements(part, first.of_states, other.of_states, wide_ * shape_.hidden);
    }
  }

  // Not on the way: what comes of all, once the room is filled.
  void use_all() {
    const Shape& s = shape_;
    run_team(threads_, [&](const Member& member) {
      pack(member);
      for (int64_t i = 0; i < s.steps; ++i)
        for (int64_t k = 0; k < s.rows; ++k) {
          const int64_t t = s.reverse ? i : s.steps - 1 - i, row = s.reverse ? k : s.rows - 1 - k;
          if (t < s.length(row)) collect(member, t, row, room_.data() + s.packed(t, row) * columns_);
        }
      use(member);
    });
  }

 private:
  // Bytes of both matrices with which it is faster to use the gradients on the way: larger ones, and the sums of their
  // size, go back and forth between the caches each time.
  static constexpr int64_t kNear = 4 << 20;

  // Of one thread.
  static int64_t rows_at_once(const Shape& s) {
    // Some hundred, for the sums over them to be worth reading and writing; and two steps, of all rows if there turns
    // out to be one thread, so that the first of the next does not overwrite the last, which it still needs.
    constexpr int64_t kSome = 256;
    const int64_t rows = (s.all + s.threads - 1) / s.threads;
    const int64_t times = std::max<int64_t>(1, rows / std::max(kSome, 2 * s.rows));
    return (rows + times - 1) / times;
  }

  Part part_of(const Member& member) const { return on_the_way_ ? Part{0, 1} : member.part(); }

  // One thread's list of what has been collected, by row.
  struct Lists {
    const T **gradients, **values, **states, **masks;
    Lists from(int64_t n) const { return {gradients + n, values + n, states + n, masks + n}; }
  };
  static constexpr int64_t kLists = 4;
  Lists lists_of(const Member& member) const {
    const T** const own = lists_.data() + kLists * most_ * member.thread;
    return {own, own + most_, own + 2 * most_, own + 3 * most_};
  }
  struct alignas(64) Collected {
    Collected(const Shape& s, int64_t most) : begin(s.reverse ? 0 : most), end(begin) {}
    int64_t begin, end;
    bool fresh = true;  // the sums have not begun
  };

  // A thread's sums over rows, null where nobody asks for them; the first one's are the results.
  struct Sums {
    T *of_values, *of_states;  // [G*H, width], [G*H, H]
  };
  Sums sums_of(int thread) const {
    if (!thread) return {factors_.dweight_ih, factors_.dweight_hh};
    T* const own = sums_.data() + sums_size_ * (thread - 1);
    return {factors_.dweight_ih ? own : nullptr, factors_.dweight_hh ? own + wide_ * factors_.width : nullptr};
  }

  Shape shape_;
  Factors<T> factors_;
  int64_t wide_, columns_;
  int64_t split_;  // rows of the matrices from which on the last gate's are, whose column comes first; else 0
  int threads_;
  int64_t sums_size_;
  int64_t enough_;
  bool on_the_way_;
  int64_t rows_, most_;  // of the room; in a list
  int64_t apart_;        // elements from one array to the other; else 0
  Workspace<T> room_, turned_;
  RowTransform<T> transform_;
  OuterProducts<T> outer_;
  Workspace<T> sums_;  // of all threads but the first
  Workspace<const T*> lists_;
  std::vector<Collected> collected_;
};

}  // namespace unrolled
