// What every cell does with its hidden state: where it comes from, zoneout, and the way back through it.
#pragma once
#include "scan.h"

namespace unrolled {

// A tensor of shape [T, B, H] that may be broadcast: strides of zero repeat.
template <typename T> struct Broadcast {
  const T* data;  // or null
  int64_t step, row, unit;
  explicit operator bool() const { return data != nullptr; }
  template <typename Count>
  inline __attribute__((always_inline)) Vec<T> at(const Visit<T>& v, int64_t j, Count n) const {
    const T* p = data + v.t * step + v.row * row + j * unit;
    if (unit == 0) return splat<T>(*p);
    return load_first(p, n);
  }
};

// What is read and written of a row at the step that comes next, to be brought near: the hardware does not see it
// coming.
template <typename T> class Ahead {
 public:
  explicit Ahead(int64_t hidden) : hidden_(hidden) {}
  // Some times the units, one after the other.
  void read(const T* from, int64_t times) { read_ = from, reads_ = times; }
  void write(const T* to, int64_t times) { written_ = to, writes_ = times; }
  void also(const T* from) { others_[count_++] = from; }
  // A vector of units of everything.
  inline UNROLLED_INLINE void fetch(int64_t j) const {
    for (int64_t i = 0; i < reads_; ++i) __builtin_prefetch(read_ + i * hidden_ + j);
    for (int64_t i = 0; i < writes_; ++i) __builtin_prefetch(written_ + i * hidden_ + j, 1);
    for (int i = 0; i < count_; ++i) __builtin_prefetch(others_[i] + j);
  }

 private:
  int64_t hidden_, reads_ = 0, writes_ = 0;
  const T *read_ = nullptr, *written_ = nullptr, *others_[2];
  int count_ = 0;
};

// Shapes: T steps, B rows, H units; [N, ...] stands for what belongs to the steps, one row a step and row of the batch,
// with padding or without (`Shape`).
template <typename T> struct StateForward {
  Shape s;
  const T* gates_x;        // [N, G*H]: the input's product, or null where the scan makes it
  const T* bias;           // [G*H], optional: what is added to the gates
  const T* h_0;            // [B, H], or null for zeros
  const T* zeros;          // [H]
  Broadcast<T> zoneout_h;  // [T, B, H], optional
  T* h;                    // [T, B, H]
  T* h_n;                  // [B, H]
  bool far;                // what is kept for the backward pass is more than a core's own cache holds, in whole vectors

  // Stores what nothing but the backward pass reads.
  template <typename Count> inline UNROLLED_INLINE void keep(T* p, Vec<T> v, Count n) const {
    if constexpr (std::is_same_v<Count, Whole<T>>)
      if (far) return stream(p, v);
    store_first(p, v, n);
  }

  // The h that a visit starts from.
  const T* previous_h(const Visit<T>& v) const { return state_before(s, h, h_0, zeros, v.t, v.row, v.first); }
  // written: [N, gates*H], or null.
  Ahead<T> ahead(const Visit<T>& v, int64_t gates, const T* written) const {
    Ahead<T> next(s.hidden);
    const int64_t t = s.after(v.t);
    if ((!gates_x && !written) || t < 0 || t >= s.steps) return next;
    const int64_t at = s.packed(t, v.row) * gates * s.hidden;
    if (gates_x) next.read(gates_x + at, gates);
    if (written && !far) next.write(written + at, gates);
    return next;
  }
  template <typename Count>
  inline __attribute__((always_inline)) Vec<T> mixed(const Visit<T>& v, Vec<T> fresh, int64_t j, Count n) const {
    if (zoneout_h) {
      const Vec<T> keep = zoneout_h.at(v, j, n);
      fresh = keep * load_first(previous_h(v) + j, n) + (1 - keep) * fresh;
    }
    return fresh;
  }

  // The state after the last step of a row, or the initial one where it has none.
  void take_last(const T* initial, const T* state, T* last, int64_t b, int64_t length, int64_t from, int64_t to) const {
    if (!length) state = initial ? initial + b * s.hidden : zeros;
    std::copy(state + from, state + to, last + b * s.hidden + from);
  }
  int64_t last_step(int64_t length) const { return s.reverse || !length ? 0 : length - 1; }
  void finish_h(int64_t b, int64_t length, int64_t from, int64_t to) const {
    take_last(h_0, h + s.state(last_step(length), b), h_n, b, length, from, to);
  }
  // For a step past a row's end.
  void clear_h(int64_t t, int64_t b, int64_t from, int64_t to) const {
    std::fill_n(h + s.state(t, b) + from, to - from, T(0));
  }
};

template <typename T> struct StateBackward {
  Shape s;
  const T* gates_x;        // [N, G*H], with its norm: the input's product
  const T* h_0;            // [B, H], or null for zeros
  const T* zeros;          // [H]
  const T* h;              // [T, B, H]
  Broadcast<T> zoneout_h;  // [T, B, H], optional
  Broadcast<T> grad_h;     // [T, B, H], optional
  T clip_step;             // 0: none
  GateGradients<T> over;   // [N, G*H] each, or of some steps at a time
  T* dh_norms;             // [T, B], optional: the norm of every dL/dh_t
  const T* grad_h_n;       // [B, H], optional
  T* grad_h_0;             // [B, H], optional
  T* carry_h;              // [B, H]: what bypasses the recurrent product

  const T* previous_h(const Visit<T>& v) const { return state_before(s, h, h_0, zeros, v.t, v.row, v.first); }
  // The step that comes next is the one before. values: [N, count*H].
  Ahead<T> ahead(const Visit<T>& v, const T* values, int64_t count) const {
    Ahead<T> next(s.hidden);
    if (v.first) return next;
    next.read(values + s.packed(s.before(v.t), v.row) * count * s.hidden, count);
    if (v.over_next) next.write(v.over_next, over.row / s.hidden);
    if (grad_h && grad_h.unit == 1) next.also(grad_h.data + s.before(v.t) * grad_h.step + v.row * grad_h.row);
    return next;
  }
  inline __attribute__((always_inline)) Vec<T> clipped(Vec<T> x) const {
    return clip_step > 0 ? clamp<T>(x, -clip_step, clip_step) : x;
  }
  // The total gradient of h_t.
  template <typename Count>
  inline __attribute__((always_inline)) Vec<T> total(const Visit<T>& v, int64_t j, Count n) const {
    Vec<T> total = load_first(v.product + j, n);
    if (grad_h) total += grad_h.at(v, j, n);
    return total;
  }
  template <typename Count>
  inline __attribute__((always_inline)) void hear(const Visit<T>& v, Vec<T> total, Vec<T>& squares, Count n) const {
    if (v.squares) squares += first_lanes<T>(total * total, n);
  }
  // What is left for the new state when zoneout has handed its share to the step before.
  template <typename Count>
  inline __attribute__((always_inline)) Vec<T> unmixed(const Visit<T>& v, Vec<T> total, int64_t j, Count n) const {
    if (!zoneout_h) return total;
    T* const carry = carry_h + v.row * s.hidden + j;
    const Vec<T> keep = zoneout_h.at(v, j, n);
    store_first(carry, total * keep, n);
    return total * (1 - keep);
  }

  void start(const T* last, T* carry, int64_t b, int64_t from, int64_t to) const {
    if (last)
      std::copy(last + b * s.hidden + from, last + b * s.hidden + to, carry + b * s.hidden + from);
    else
      std::fill(carry + b * s.hidden + from, carry + b * s.hidden + to, T(0));
  }
};

// Adds what a visit has found of |dL/dh|^2.
template <typename T> inline void add_squares(const Visit<T>& v, Vec<T> squares) {
  if (v.squares) *v.squares += sum_of_lanes<T>(squares);
}

// Adds to a thread's sum.
template <typename T, typename Count> inline __attribute__((always_inline)) void add(T* sum, Vec<T> v, Count n) {
  store_first(sum, load_first(sum, n) + v, n);
}

}  // namespace unrolled
