// From the gradients of the gates to those of the input and of both matrices, some steps at a time: while they are
// near.
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
};

template <typename T> class ProductGradients {
 public:
  // gates: G; columns: of units in a row of gradients, G, or G + 1 where the first is the input's alone and the last
  // the recurrent product's; apart: two arrays; threads: there are.
  ProductGradients(const Shape& s, const Factors<T>& factors, int gates, int columns, bool apart, int threads)
      : shape_(s),
        factors_(factors),
        wide_(gates * s.hidden),
        columns_(columns * s.hidden),
        split_(columns_ == wide_ ? 0 : wide_ - s.hidden),
        threads_(s.all * factors.width * wide_ < kStart ? 1 : threads),
        enough_(rows_at_once(s.all, s.rows)),
        on_the_way_(enough_ < s.all && threads_ == s.threads &&
                    wide_ * (s.hidden + factors.width) * int64_t(sizeof(T)) <= kNear),
        most_(on_the_way_ ? enough_ + s.rows : s.all),
        apart_(apart ? most_ * columns_ : 0),
        room_(size_t(most_ * columns_ + apart_)),
        turned_(split_ && factors.dvalues ? wide_ * factors.width : 0),
        transform_(split_ ? turned_.data() : factors.weight_ih, wide_, factors.dvalues ? factors.width : 0),
        outer_(most_, wide_, threads_),
        lists_(size_t(kLists * most_ * threads_)),
        collected_(threads_, Collected(s, most_)) {
    const T *const weight = factors.weight_ih, *const last = weight + split_ * factors.width;
    if (split_ && factors.dvalues) std::rotate_copy(weight, last, weight + wide_ * factors.width, turned_.data());
  }

  // Room for all the gates' gradients, or for enough of them and one step's more.
  GateGradients<T> room() const {
    return {room_.data(), room_.data() + (apart_ ? apart_ : columns_ - wide_), columns_};
  }
  // Whether the scan hands them over on its way: then it goes back to the beginning of the room when enough rows have
  // been used. Else use_all() is to be called after it.
  bool on_the_way() const { return on_the_way_; }
  bool enough(int64_t rows) const { return rows >= enough_; }

  // What every thread does before anything else.
  void pack(const Member& member) const { transform_.pack(member); }
  // The gradients of step t stand from row `place` of the room on. Steps come in the order of the backward pass.
  void collect(const Member& member, int64_t t, int64_t place) {
    const Shape& s = shape_;
    const Lists lists = lists_of(member);
    Collected collected = collected_[member.thread];
    for (int64_t i = 0; i < s.rows; ++i) {
      // In the order of memory, which is that of time.
      const int64_t row = s.reverse ? i : s.rows - 1 - i, length = s.lengths ? s.lengths[row] : s.steps;
      if (t >= length) continue;
      const int64_t n = s.reverse ? collected.end++ : --collected.begin;
      lists.gradients[n] = room_.data() + (place + s.within(t, row)) * columns_;
      lists.values[n] = factors_.values + s.padded(t, row) * factors_.width;
      lists.states[n] = state_before(s, factors_.h, factors_.h_0, factors_.zeros, t, row, s.first(t, length));
      if (factors_.hidden_mask) lists.masks[n] = factors_.hidden_mask + row * s.hidden;
    }
    collected_[member.thread] = collected;
  }
  // A thread's share of what comes of the steps collected, once all threads are done with them. None may go on before
  // all have used them.
  void use(const Member& member) {
    Collected& collected = collected_[member.thread];
    const int64_t count = collected.end - collected.begin, width = factors_.width, H = shape_.hidden;
    const Lists lists = lists_of(member).from(collected.begin);
    if (factors_.dvalues)
      transform_.run(member, lists.gradients, count,
                     [&](int64_t n) { return factors_.dvalues + (lists.values[n] - factors_.values); });
    const auto sum = [&](int64_t from, int64_t elements, T* of_values, T* of_states) {
      if (!of_values && !of_states) return;
      outer_.add(member, lists.gradients, count, from, elements,
                 {{lists.values, nullptr, width, of_values},
                  {lists.states, factors_.hidden_mask ? lists.masks : nullptr, H, of_states}},
                 collected.fresh);
    };
    T *const ih = factors_.dweight_ih, *const hh = factors_.dweight_hh;
    if (split_) {
      sum(0, H, ih ? ih + split_ * width : nullptr, nullptr);
      sum(H, split_, ih, hh);
      sum(wide_, H, nullptr, hh ? hh + split_ * H : nullptr);
    } else if (apart_) {
      sum(0, wide_, ih, nullptr);
      sum(apart_, wide_, nullptr, hh);
    } else {
      sum(0, wide_, ih, hh);
    }
    collected = Collected(shape_, most_);
    collected.fresh = false;
  }
  void use_all() {
    run_team(threads_, [&](const Member& member) {
      pack(member);
      for (int64_t i = 0; i < shape_.steps; ++i) {
        const int64_t t = shape_.reverse ? i : shape_.steps - 1 - i;
        collect(member, t, shape_.begin(t));
      }
      use(member);
    });
  }

 private:
  // Bytes of both matrices with which it is faster to use the gradients on the way: larger ones, and the sums of their
  // size, go back and forth between the caches each time.
  static constexpr int64_t kNear = 4 << 20;

  static int64_t rows_at_once(int64_t rows, int64_t batch) {
    // Some hundred, for the sums over them to be worth reading and writing; and two steps, so that the first of the
    // next does not overwrite the last, which it still needs.
    constexpr int64_t kSome = 512;
    const int64_t times = std::max<int64_t>(1, rows / std::max(kSome, 2 * batch));
    return (rows + times - 1) / times;
  }

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

  Shape shape_;
  Factors<T> factors_;
  int64_t wide_, columns_;
  int64_t split_;  // rows of the matrices from which on the last gate's are, whose column comes first; else 0
  int threads_;
  int64_t enough_;
  bool on_the_way_;
  int64_t most_;
  int64_t apart_;  // elements from one array to the other; else 0
  Workspace<T> room_, turned_;
  RowTransform<T> transform_;
  OuterProducts<T> outer_;
  Workspace<const T*> lists_;
  std::vector<Collected> collected_;
};

}  // namespace unrolled
