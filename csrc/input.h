// What the input brings to the gates: W_ih x, made with the recurrent product of each step, or some steps at a time
// while the scan needs them, so that it is read where it was written.
#pragma once
#include "plan.h"

namespace unrolled {

// The product of rows of inputs with W_ih, in the way that is fastest for it.
template <typename T> class InputProduct {
 public:
  virtual ~InputProduct() = default;
  // Whether the bias is in it.
  virtual bool biased() const = 0;
  // As Packed::fill.
  virtual void pack(const Member& member, const Share<T>& mine, bool by_rows) const = 0;
  // For a product that begins with this one: the matrix, or null where none can, and what this one begins with.
  virtual const T* packed(const Member& member) const = 0;
  virtual Start<T> start(const Member& member) const = 0;
  // out[i][column][lane] for the columns of the panels from `begin` to `end`; `stride` lies between rows.
  virtual void run(const T* const* rows, int count, int begin, int end, T* out, ptrdiff_t stride,
                   const Member& member) const = 0;
};

template <typename Way> class InputProductBy : public InputProduct<typename Way::Number> {
 public:
  using T = typename Way::Number;
  // weight: [G*H, I]; bias: [G*H], or null; rows: at once, at most.
  InputProductBy(const Shape& s, const T* weight, const T* bias, int gates, int64_t inputs, int64_t rows)
      : weight_(weight),
        bias_(Way::kStarts ? bias : nullptr),
        gates_(gates),
        hidden_(s.hidden),
        inputs_(inputs),
        rows_(rows),
        states_size_(Way::states_size(rows, inputs)),
        starts_(bias_ ? product_stride<T>(s.hidden, gates) : 0),
        packed_(s.hidden, inputs, gates, s.threads, s.apart),
        states_(size_t(states_size_) * s.threads),
        odd_(size_t(rows) * s.threads),
        start_(size_t(starts_) * s.threads) {}

  bool biased() const override { return bias_; }
  void pack(const Member& member, const Share<T>& mine, bool by_rows) const override {
    constexpr int V = kLanes<T>;
    packed_.fill(member, mine.panel_begin, mine.panel_end, by_rows, [&](int p, int gate, T* to) {
      const int64_t first = gate * hidden_ + int64_t(p) * V;
      const int units = int(std::min<int64_t>(V, hidden_ - int64_t(p) * V));
      Way::pack(weight_ + first * inputs_, inputs_, 1, units, int(inputs_), to);
    });
    for (int p = mine.panel_begin; bias_ && p < mine.panel_end; ++p)
      for (int gate = 0; gate < gates_; ++gate) {
        const int64_t from = int64_t(p) * V;
        store(start_.data() + starts_ * member.thread + (int64_t(p) * gates_ + gate) * V,
              load_first(bias_ + gate * hidden_ + from, int(std::min<int64_t>(V, hidden_ - from))));
      }
  }
  const T* packed(const Member& member) const override { return Way::kStarts ? packed_.of(member) : nullptr; }
  Start<T> start(const Member& member) const override {
    return {bias_ ? start_.data() + starts_ * member.thread : nullptr, 0};
  }
  void run(const T* const* rows, int count, int begin, int end, T* out, ptrdiff_t stride,
           const Member& member) const override {
    const int thread = member.thread;
    const Entered<T> entered{states_.data() + states_size_ * thread, odd_.data() + rows_ * thread};
    const typename Way::Product product(packed_.of(member), int(inputs_), out, stride, entered);
    product.enter(rows, count);
    if constexpr (Way::kStarts)
      product.run(rows, count, begin * gates_, end * gates_, false, start(member));
    else
      product.run(rows, count, begin * gates_, end * gates_, false);
  }

 private:
  const T *weight_, *bias_;
  int gates_;
  int64_t hidden_, inputs_, rows_;
  ptrdiff_t states_size_, starts_;
  Packed<Way> packed_;
  Workspace<T> states_;
  Workspace<char> odd_;
  Workspace<T> start_;  // of each thread, the bias as [column][lane]
};

// A scan's inputs and room for the products with those of some steps.
template <typename T> class Feed {
 public:
  // values: [T, B, width]; stride: elements of a row of products.
  Feed(const Shape& s, const T* values, int64_t width, ptrdiff_t stride)
      : values_(values),
        width_(width),
        stride_(stride),
        steps_(steps_at_once(s, width, stride)),
        room_(size_t(steps_) * most_slots(s) * stride),
        entering_(size_t(steps_) * s.rows * s.threads),
        offsets_(size_t(steps_) * s.threads) {}

  // As many as the nearer caches hold, and enough rows for a product to be worth reading the matrix for it: more where
  // the matrix comes from far away.
  static int64_t steps_at_once(const Shape& s, int64_t width, ptrdiff_t stride) {
    constexpr int64_t kBytes = 256 << 10, kRows = 64, kRowsFarAway = 256;
    const int64_t each = (s.rows + s.threads - 1) / s.threads, row = stride * int64_t(sizeof(T));
    const int64_t fitting = kBytes / (each * row), wanted = size_t(width * row) > kFarAway ? kRowsFarAway : kRows;
    return std::clamp<int64_t>(std::max(fitting, (wanted + each - 1) / each), 1, s.steps);
  }
  int64_t steps() const { return steps_; }

  // The products of a share's rows at the steps that `at(0)`, `at(1)`... name; `active(t)` of them are running.
  template <typename At, typename Active>
  void fill(const Shape& s, const InputProduct<T>& product, const Share<T>& mine, bool by_rows, const Member& member,
            int64_t count, const At& at, const Active& active) const {
    const T** const entering = this->entering(s, member);
    int64_t* const offsets = offsets_.data() + steps_ * member.thread;
    int64_t rows = 0;
    for (int64_t i = 0; i < count; ++i) {
      offsets[i] = rows;
      const int64_t t = at(i), running = active(t);
      for (int64_t r = 0; r < running; ++r) entering[rows++] = values_ + s.padded(t, mine.rows[r]) * width_;
    }
    if (rows)
      product.run(entering, int(rows), mine.panel_begin, mine.panel_end, base(s, by_rows, member), stride_, member);
  }
  // Before a step's product: with rows enough for whole tiles it begins with that of the inputs of this step, which is
  // a little faster than to write the products of some steps and read them again. Where reading W_ih takes long it is
  // not.
  Before<T> before(const Shape& s, const InputProduct<T>& product, const Share<T>& mine, const Member& member) const {
    if (s.lengths || mine.count < kTileRows || size_t(width_ * stride_) * sizeof(T) > kFarAway) return {};
    return {product.packed(member), int(width_), entering(s, member)};
  }
  // Its rows at step t.
  void enter(const Shape& s, const Share<T>& mine, const Member& member, int64_t t) const {
    for (int64_t r = 0; r < mine.count; ++r) entering(s, member)[r] = values_ + s.padded(t, mine.rows[r]) * width_;
  }
  ptrdiff_t stride() const { return stride_; }
  // The product of the r-th row of a share at the i-th of those steps: [panel][gate][lane]; stride() to the next row's.
  T* row(const Shape& s, bool by_rows, const Member& member, int64_t i, int64_t r) const {
    return base(s, by_rows, member) + (offsets_.data()[steps_ * member.thread + i] + r) * stride_;
  }

 private:
  const T** entering(const Shape& s, const Member& member) const {
    return entering_.data() + steps_ * s.rows * member.thread;
  }
  // Threads that divide the units write to the same rows.
  T* base(const Shape& s, bool by_rows, const Member& member) const {
    return room_.data() + (by_rows ? steps_ * first_slot(s, member) * stride_ : 0);
  }

  const T* values_;
  int64_t width_;
  ptrdiff_t stride_;
  int64_t steps_;
  Workspace<T> room_;
  Workspace<const T*> entering_;
  Workspace<int64_t> offsets_;
};

}  // namespace unrolled
