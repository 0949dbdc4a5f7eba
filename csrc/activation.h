// Sigmoid and hyperbolic tangent, and which activations the simple recurrent network can have.
#pragma once
#include "vector.h"

namespace unrolled {

// log2(e), and ln 2 in two parts of which the first has so few digits that its product with a whole number is exact.
constexpr double kLog2OfE = 1.44269504088896340736;
template <typename T> constexpr T kLn2 = T(6.93147180369123816490e-01);
template <typename T> constexpr T kLn2Rest = T(1.90821492927058770002e-10);
template <> inline constexpr float kLn2<float> = 0.693359375f;
template <> inline constexpr float kLn2Rest<float> = -2.12194440e-4f;

// Polynomials go in pairs of terms: of a chain of multiply-adds each would wait for the one before.

// e^r for |r| <= ln 2 / 2, largest relative error 9e-8.
inline UNROLLED_INLINE Vec<float> exponential(Vec<float> r) {
  const Vec<float> square = r * r;
  const Vec<float> high = r * 0.00829022941f + 0.04189839102f, middle = r * 0.16667640070f + 0.49999146142f;
  return (high * square + middle) * square + (r * 0.99999970543f + 1.0f);
}
// 2^f - 1 for |f| <= 1/2, to the last digits near zero too: largest relative error 1e-8.
inline UNROLLED_INLINE Vec<float> power_less_one(Vec<float> f) {
  const Vec<float> square = f * f;
  const Vec<float> high = f * 0.00015403513f + 0.00133907357f, middle = f * 0.00961823750f + 0.05550357433f;
  return ((high * square + middle) * square + (f * 0.24022649795f + 0.69314718793f)) * f;
}

// Beyond this e^x leaves the numbers.
template <typename T> constexpr T kOverflow = sizeof(T) == 4 ? T(88.722839) : T(709.782712893384);

// 1 / (1 + e^-x). Where e^-x overflows it is 0 as torch's is: the smallest number above it would make something of a
// huge gradient.
inline UNROLLED_INLINE Vec<float> sigmoid(Vec<float> x) {
  // Bounded above alone: what comes of an x far below is put aside in the end.
  const Vec<float> within = at_most<float>(x, 87), n = rounded(within * float(-kLog2OfE));
  const Vec<float> r = -within - n * kLn2<float> - n * kLn2Rest<float>;
  const Vec<float> y = reciprocal(scaled(exponential(r), n) + 1);
  return x < -kOverflow<float> ? Vec<float>{} : y;
}

// tanh(x) = m / (m + 2) with m = e^(2x) - 1, which keeps its digits near zero.
inline UNROLLED_INLINE Vec<float> hyperbolic_tangent(Vec<float> x) {
  // From 2 x log2(e) = 27 on tanh rounds to 1. Its rounding is felt where tanh hardly changes any more.
  const Vec<float> t = clamp<float>(x * float(2 * kLog2OfE), -27, 27), n = rounded(t), scale = power_of_two(n);
  const Vec<float> m = power_less_one(t - n) * scale + (scale - 1);
  return quotient(m, m + 2);
}

// The same in float64, by e^r - 1 for |r| <= ln 2 / 2.
inline UNROLLED_INLINE Vec<double> exponential_less_one(Vec<double> r) {
  Vec<double> p = splat<double>(1.0 / 87178291200);
  for (const double factorial :
       {6227020800., 479001600., 39916800., 3628800., 362880., 40320., 5040., 720., 120., 24., 6., 2.})
    p = p * r + 1.0 / factorial;
  return p * (r * r) + r;
}
inline UNROLLED_INLINE Vec<double> sigmoid(Vec<double> x) {
  const Vec<double> within = clamp<double>(x, -708, 708), n = rounded(within * -kLog2OfE);
  const Vec<double> r = -within - n * kLn2<double> - n * kLn2Rest<double>, scale = power_of_two(n);
  const Vec<double> y = 1 / (exponential_less_one(r) * scale + (scale + 1));
  return x < -kOverflow<double> ? Vec<double>{} : y;
}
inline UNROLLED_INLINE Vec<double> hyperbolic_tangent(Vec<double> x) {
  x = clamp<double>(x, -22, 22);
  const Vec<double> n = rounded(x * (2 * kLog2OfE)), r = x + x - n * kLn2<double> - n * kLn2Rest<double>;
  const Vec<double> scale = power_of_two(n), m = exponential_less_one(r) * scale + (scale - 1);
  return m / (m + 2);
}

// In the order in which Python numbers them.
enum class Activation { tanh, relu, sigmoid, identity };

template <typename T> inline Vec<T> activate(Activation activation, Vec<T> x) {
  switch (activation) {
    case Activation::tanh:
      return hyperbolic_tangent(x);
    case Activation::relu:
      return x < T(0) ? Vec<T>{} : x;
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::identity:
      break;
  }
  return x;
}

}  // namespace unrolled
