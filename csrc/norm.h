// Layer normalisation (Ba et al. 2016) of one row.
#pragma once
#include <cmath>

#include "vector.h"

namespace unrolled {

template <typename T> inline T sum_of_lanes(Vec<T> v) {
  T total = 0;
  for (int i = 0; i < kLanes<T>; ++i) total += v[i];
  return total;
}
#if defined(__AVX512F__)
// In pairs rather than in a row.
template <> inline float sum_of_lanes<float>(Vec<float> v) { return _mm512_reduce_add_ps((__m512)v); }
template <> inline double sum_of_lanes<double>(Vec<double> v) { return _mm512_reduce_add_pd((__m512d)v); }
#endif
// The first n lanes, zero elsewhere.
template <typename T> inline Vec<T> first_lanes(Vec<T> v, int n) {
  T all[kLanes<T>];
  store(all, v);
  return load_first(all, n);
}
template <typename T> inline Vec<T> first_lanes(Vec<T> v, Whole<T>) { return v; }

// Mean and 1 / deviation.
template <typename T> struct Moments {
  T mean, inverse;
};

// Of the values that each(visit) hands to visit(vector, lanes), `count` in all.
template <typename T, typename Each> inline T mean_of(int64_t count, const Each& each) {
  Vec<T> total{};
  each([&](Vec<T> v, auto n) { total += first_lanes<T>(v, n); });
  return sum_of_lanes<T>(total) / T(count);
}
template <typename T, typename Each> inline Moments<T> moments(int64_t count, T epsilon, const Each& each) {
  const T mean = mean_of<T>(count, each);
  Vec<T> squares{};
  each([&](Vec<T> v, auto n) {
    const Vec<T> d = first_lanes<T>(v - mean, n);
    squares += d * d;
  });
  return {mean, 1 / std::sqrt(sum_of_lanes<T>(squares) / T(count) + epsilon)};
}
// Values in a row.
template <typename T> inline auto each_of(const T* values, int64_t count) {
  return
      [=](auto&& visit) { by_vectors<T>(0, count, [&](int64_t j, auto n) { visit(load_first(values + j, n), n); }); };
}
template <typename T> inline Moments<T> moments(const T* values, int64_t count, T epsilon) {
  return moments<T>(count, epsilon, each_of(values, count));
}

// The normalised product of `gates` gates from gate `from` on, in place: u[panel][gate][lane]. gain: [gate][unit].
template <typename T>
void normalise(T* u, int all_gates, int from, int gates, int64_t hidden, const T* gain, T epsilon) {
  const auto at = [&](int64_t j, int g) { return u + j * all_gates + g * kLanes<T>; };
  const Moments<T> m = moments<T>(gates * hidden, epsilon, [&](auto&& visit) {
    by_vectors<T>(0, hidden, [&](int64_t j, auto n) {
      for (int g = from; g < from + gates; ++g) visit(load(at(j, g)), n);
    });
  });
  by_vectors<T>(0, hidden, [&](int64_t j, auto n) {
    for (int g = from; g < from + gates; ++g)
      store(at(j, g), (load(at(j, g)) - m.mean) * m.inverse * load_first(gain + g * hidden + j, n));
  });
}

// The same of one group in a row: values[unit] to normed[unit].
template <typename T> void normalise(const T* values, int64_t count, const T* gain, T epsilon, T* normed) {
  const Moments<T> m = moments(values, count, epsilon);
  by_vectors<T>(0, count, [&](int64_t j, auto n) {
    store_first(normed + j, (load_first(values + j, n) - m.mean) * m.inverse * load_first(gain + j, n), n);
  });
}

// What differentiates (values - mean) * inverse, from the gradient of it, through(j, lanes).
template <typename T> struct Slope {
  T mean, inverse, mean_total, slope;
  // The gradient of a value, from that of the normalised one and the value's deviation.
  Vec<T> of(Vec<T> through, Vec<T> deviation) const {
    return inverse * (through - mean_total - deviation * slope);
  }
};
template <typename T, typename Through>
inline Slope<T> slope_of(const T* values, int64_t count, T epsilon, const Through& through) {
  const T mean = mean_of<T>(count, each_of(values, count));
  // Of deviations from the mean: their standard deviation, which divides them, is known when the sums are.
  Vec<T> squares{}, total{}, along{};
  by_vectors<T>(0, count, [&](int64_t j, auto n) UNROLLED_INLINE {
    const Vec<T> d = first_lanes<T>(load_first(values + j, n) - mean, n), given = through(j, n);
    squares += d * d;
    total += given;
    along += given * d;
  });
  const T inverse = 1 / std::sqrt(sum_of_lanes<T>(squares) / T(count) + epsilon);
  return {mean, inverse, sum_of_lanes<T>(total) / T(count), sum_of_lanes<T>(along) / T(count) * inverse * inverse};
}

// From the gradient of (values - mean) * inverse * gain to that of the values, in place; the gain's is added to
// gain_sums.
template <typename T>
void normalise_backward(T* gradient, const T* values, const T* gain, int64_t count, T epsilon, T* gain_sums) {
  const auto through = [&](int64_t j, auto n) UNROLLED_INLINE {
    return load_first(gradient + j, n) * load_first(gain + j, n);
  };
  const Slope<T> slope = slope_of<T>(values, count, epsilon, through);
  by_vectors<T>(0, count, [&](int64_t j, auto n) UNROLLED_INLINE {
    const Vec<T> d = load_first(values + j, n) - slope.mean, given = load_first(gradient + j, n);
    store_first(gain_sums + j, load_first(gain_sums + j, n) + given * (d * slope.inverse), n);
    store_first(gradient + j, slope.of(given * load_first(gain + j, n), d), n);
  });
}

// The same without a gain; `to` may be either of the others.
template <typename T>
void normalise_gradient(T* to, const T* gradient, const T* values, int64_t count, T epsilon) {
  const auto through = [&](int64_t j, auto n) UNROLLED_INLINE { return load_first(gradient + j, n); };
  const Slope<T> slope = slope_of<T>(values, count, epsilon, through);
  by_vectors<T>(0, count, [&](int64_t j, auto n) UNROLLED_INLINE {
    store_first(to + j, slope.of(load_first(gradient + j, n), load_first(values + j, n) - slope.mean), n);
  });
}

}  // namespace unrolled
