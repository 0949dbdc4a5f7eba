// Elementary functions that a cell's program may use beside those of activation.h.
#pragma once
#include <cmath>
#include <limits>

#include "activation.h"

namespace unrolled {

template <typename T> inline UNROLLED_INLINE Vec<T> absolute(Vec<T> x) { return x < T(0) ? -x : x + T(0); }

template <typename T> inline Vec<T> square_root(Vec<T> x) {
  for (int i = 0; i < kLanes<T>; ++i) x[i] = std::sqrt(x[i]);
  return x;
}

// The C library's, lane by lane: few cells take it, and its last digit is right.
template <typename T> inline Vec<T> logarithm(Vec<T> x) {
  for (int i = 0; i < kLanes<T>; ++i) x[i] = std::log(x[i]);
  return x;
}

// e^x, 0 far below and infinite where it leaves the numbers.
template <typename T> Vec<T> exponential_of(Vec<T> x);
template <> inline UNROLLED_INLINE Vec<float> exponential_of<float>(Vec<float> x) {
  const Vec<float> within = clamp<float>(x, -87, 88), n = rounded(within * float(kLog2OfE));
  const Vec<float> r = x - n * kLn2<float> - n * kLn2Rest<float>;
  // Twice half the power: for the largest numbers 2^n by itself would be none.
  const Vec<float> y = exponential(r) * power_of_two(n - 1) * 2.0f;
  const Vec<float> bounded = x > kOverflow<float> ? splat(std::numeric_limits<float>::infinity()) : y;
  return x < -87.0f ? Vec<float>{} : bounded;
}
template <> inline UNROLLED_INLINE Vec<double> exponential_of<double>(Vec<double> x) {
  const Vec<double> within = clamp<double>(x, -708, 709), n = rounded(within * kLog2OfE);
  const Vec<double> r = x - n * kLn2<double> - n * kLn2Rest<double>, scale = power_of_two(n - 1);
  const Vec<double> y = (exponential_less_one(r) * scale + scale) * 2.0;
  const Vec<double> bounded = x > kOverflow<double> ? splat(std::numeric_limits<double>::infinity()) : y;
  return x < -708.0 ? Vec<double>{} : bounded;
}

// log(1 + e^x).
template <typename T> inline Vec<T> softplus(Vec<T> x) {
  for (int i = 0; i < kLanes<T>; ++i) x[i] = std::log1p(std::exp(-std::abs(x[i]))) + (x[i] > 0 ? x[i] : T(0));
  return x;
}

}  // namespace unrolled
