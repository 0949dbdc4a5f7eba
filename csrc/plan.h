// The memory of a scan and the division of its work, made before the threads start: a thread of the team must not
// throw.
#pragma once
#include <algorithm>
#include <vector>

#include "panel.h"
#include "rows.h"
#include "team.h"
#include "workspace.h"

namespace unrolled {

struct Shape {  // T steps, B rows, H hidden units
  int64_t steps, rows, hidden;
  int64_t h_row;           // elements from one row of h to the next
  const int64_t* lengths;  // [B], or null: every row has all steps
  bool reverse;            // run from the last step to the first
  int threads;
  // Where what belongs to the steps (gates, cells, their gradients) lies without padding: see ragged.h. Null: it lies
  // padded, as the states h do always.
  const int64_t *offsets, *ranks, *threads_of;  // [T, layout_threads], [B], [B]
  int64_t layout_threads;
  int64_t all;  // rows of all steps
  bool apart;   // what one thread writes takes long to reach another

  int64_t packed(int64_t t, int64_t b) const {
    return offsets ? offsets[t * layout_threads + threads_of[b]] + ranks[b] : padded(t, b);
  }
  int64_t padded(int64_t t, int64_t b) const { return t * rows + b; }
  int64_t state(int64_t t, int64_t b) const { return padded(t, b) * h_row; }  // the element of h with which it begins
  // Of step t: where it begins, and where among its rows row b is.
  int64_t begin(int64_t t) const { return offsets ? offsets[t * layout_threads] : t * rows; }
  int64_t within(int64_t t, int64_t b) const { return packed(t, b) - begin(t); }

  int64_t length(int64_t b) const { return lengths ? lengths[b] : steps; }

  // In processing order: whether step t is a row's first, and the steps before and after.
  bool first(int64_t t, int64_t length) const { return reverse ? t == length - 1 : t == 0; }
  int64_t before(int64_t t) const { return reverse ? t + 1 : t - 1; }
  int64_t after(int64_t t) const { return reverse ? t - 1 : t + 1; }
};

// The h that a row's step t starts from. h [T, B, H]; h_0 [B, H], or null for zeros; zeros [H]; first: it is the row's
// first step.
template <typename T>
const T* state_before(const Shape& s, const T* h, const T* h_0, const T* zeros, int64_t t, int64_t row, bool first) {
  if (!first) return h + s.state(s.before(t), row);
  return h_0 ? h_0 + row * s.hidden : zeros;
}

// How many threads are worth waking for a scan whose product has so many multiply-adds a row. One row alone is divided
// by units, with a barrier at every step.
constexpr int64_t kBarrier = 1 << 14, kStart = 1 << 19;  // multiply-adds that take longer than these do
// Nanoseconds in which threads have met where those hold, and the longest that they take.
constexpr int64_t kMeeting = 150, kLongestMeeting = 1000;
inline int useful_threads(const Shape& s, int64_t products) {
  const int64_t step = s.rows * products;
  if (s.threads == 1 || step * s.steps < kStart || (s.rows < 4 && step < kBarrier)) return 1;
  // With more rows the order of sums would depend on how long the threads take; one row's are no one else's.
  const bool slow = s.rows == 1 && step * kMeeting < kBarrier * kLongestMeeting &&
                    step * kMeeting < kBarrier * meeting_time(s.threads);
  return slow ? 1 : s.threads;
}
inline bool threads_apart(int threads) { return threads > 1 && meeting_time(threads) > kMeeting; }

// A part of to[i] += from[i].
template <typename T> void add_elements(const Part& part, T* to, const T* from, int64_t count) {
  by_vectors<T>(part.begin(count), part.end(count),
                [&](int64_t i, auto n) { store_first(to + i, load_first(to + i, n) + load_first(from + i, n), n); });
}

// What one thread works on: some rows, and the units of some panels. A panel is one vector of units.
template <typename T> struct Share {
  const int64_t* rows;  // longest first
  int64_t count;
  int panel_begin, panel_end;
  int64_t begin, end;  // the units of those panels
  T* products;         // of the first of its rows: [panel][column][lane]
  const T** entering;  // room for the rows that enter a product
  T* sums;             // its own sums over steps and rows
  T* scratch;          // room for some rows of units
  Entered<T> entered;  // the product's own form of the rows that enter it

  // How many of its rows are running at a step: the first ones.
  int64_t active(const Rows& all, int64_t t) const {
    return std::partition_point(rows, rows + count, [&](int64_t row) { return all.length(row) > t; }) - rows;
  }
};

// A matrix as its product reads it, packed once a call: [panel][column of the panel]. The threads share it, or each has
// one of its own where the other's part would take longer to arrive than to pack.
template <typename Way> class Packed {
 public:
  using T = typename Way::Number;
  Packed(int64_t outputs, int64_t inputs, int columns, int threads, bool apart)
      : columns_(columns),
        column_size_(Way::column_size(inputs)),
        size_(column_size_ * columns * ((outputs + kLanes<T> - 1) / kLanes<T>)),
        own_(apart && bytes() * threads <= kOwn),
        room_(size_t(size_) * (own_ ? threads : 1)) {}

  size_t bytes() const { return size_ * sizeof(T); }
  T* of(const Member& member) const { return room_.data() + (own_ ? size_ * member.thread : 0); }
  // pack(panel, column, to) for what a thread reads of it, the panels from `begin` to `end`; or, where all read the
  // same, for its part. Unless a thread has its own, or reads no one else's part, all must have packed before any
  // product.
  template <typename Pack> void fill(const Member& member, int begin, int end, bool all, const Pack& pack) const {
    const bool part = all && !own_;
    for (int p = part ? member.thread : begin; p < end; p += part ? member.threads : 1)
      for (int c = 0; c < columns_; ++c) pack(p, c, of(member) + (int64_t(p) * columns_ + c) * column_size_);
  }

 private:
  static constexpr size_t kOwn = 3 << 20;  // bytes of all threads
  int columns_;
  ptrdiff_t column_size_, size_;
  bool own_;
  Workspace<T> room_;
};

// Elements from one row's products with a matrix to the next's: one vector more than there are, for rows a power of two
// apart would all want the same few places of the cache.
template <typename T> ptrdiff_t product_stride(int64_t hidden, int columns) {
  return ((hidden + kLanes<T> - 1) / kLanes<T> * columns + 1) * kLanes<T>;
}

// Where a thread's rows are among those of all threads. The runtime may grant fewer threads than were asked for.
inline int64_t first_slot(const Shape& s, const Member& member) {
  return (s.rows + member.threads - 1) / member.threads * member.thread;
}
inline int64_t most_slots(const Shape& s) { return s.rows + s.threads; }

// Rows of units that a cell may use as scratch.
constexpr int kCellRows = 4;

template <typename Way> class Plan {
 public:
  using T = typename Way::Number;

  // columns: of the matrix for one panel of units; inputs: the length of its sums; whole_rows: a row's units
  // must stay together; sums: how many elements a thread's sums have; scratch: rows of units.
  Plan(const Shape& s, int columns, int64_t inputs, bool whole_rows, int64_t sums, int scratch)
      : rows(s.lengths, s.steps, s.rows, s.threads),
        panels(int((s.hidden + kLanes<T> - 1) / kLanes<T>)),
        columns(columns),
        product_stride(unrolled::product_stride<T>(s.hidden, columns)),
        packed(s.hidden, inputs, columns, s.threads, s.apart),
        shape_(s),
        whole_rows_(whole_rows),
        sum_count_(sums),
        own_size_(sums + scratch * s.hidden),
        states_size_(Way::states_size(s.rows, inputs)),
        products_(size_t(product_stride) * most_slots(s)),
        own_(size_t(own_size_) * s.threads),
        states_(size_t(states_size_) * s.threads),
        odd_(size_t(s.rows) * s.threads),
        entering_(size_t(s.rows) * s.threads),
        shares_(size_t(s.rows) * s.threads) {}

  bool by_rows(int threads) const {
    if (threads == 1 || whole_rows_) return true;
    return Way::rows_to_threads(shape_.rows, threads, packed.bytes());
  }
  // Each thread has rows of its own, however many there turn out to be.
  bool always_by_rows() const { return shape_.threads == 1 || (by_rows(2) && by_rows(shape_.threads)); }

  Share<T> share(const Member& member) {
    int64_t* const mine = shares_.data() + shape_.rows * member.thread;
    T* const own = own_.data() + own_size_ * member.thread;
    Share<T> share{mine,
                   0,
                   0,
                   panels,
                   0,
                   shape_.hidden,
                   products_.data(),
                   entering_.data() + shape_.rows * member.thread,
                   own,
                   own + sum_count_,
                   {states_.data() + states_size_ * member.thread, odd_.data() + shape_.rows * member.thread}};
    if (by_rows(member.threads)) {
      share.count = rows.share(member.thread, member.threads, mine);
      share.products += first_slot(shape_, member) * product_stride;
    } else {
      share.count = rows.share(0, 1, mine);
      share.panel_begin = int(int64_t(panels) * member.thread / member.threads);
      share.panel_end = int(int64_t(panels) * (member.thread + 1) / member.threads);
      share.begin = int64_t(share.panel_begin) * kLanes<T>;
      share.end = std::min<int64_t>(shape_.hidden, int64_t(share.panel_end) * kLanes<T>);
    }
    return share;
  }

  // The sums that start at element `from` of all threads, added up in the threads' order.
  void add_sums(int threads, int64_t from, int64_t count, T* out) const {
    const T* const first = own_.data() + from;
    std::copy(first, first + count, out);
    for (int thread = 1; thread < threads; ++thread) add_elements(Part{0, 1}, out, first + thread * own_size_, count);
  }

  // Panels whose products for so many rows are computed before the cell uses them.
  int panels_at_once(int64_t rows) const {
    constexpr int64_t kStep = 12;  // a multiple of the columns that tiles of most sizes take
    if (whole_rows_ || !Way::kProductBytes) return panels;
    const int64_t fitting = Way::kProductBytes / std::max<int64_t>(1, rows * kLanes<T> * int64_t(sizeof(T)));
    return std::max(1, int(std::max(kStep, fitting / kStep * kStep) / columns));
  }

  // In how many turns a thread does its panels, so many at once: known when compiled where it has all at once.
  int turns(const Share<T>& mine, int at_once) const {
    return Way::kProductBytes ? (mine.panel_end - mine.panel_begin + at_once - 1) / at_once : 1;
  }

  Rows rows;
  int panels, columns;
  ptrdiff_t product_stride;
  Packed<Way> packed;

 private:
  Shape shape_;
  bool whole_rows_;
  int64_t sum_count_, own_size_, states_size_;
  Workspace<T> products_;
  Workspace<T> own_;
  Workspace<T> states_;
  std::vector<char> odd_;
  std::vector<const T*> entering_;
  std::vector<int64_t> shares_;
};

}  // namespace unrolled
