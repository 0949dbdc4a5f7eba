// One vector of the widest kind the instruction set offers, in GCC/Clang vector extensions, so that one source serves
// AVX-512, AVX2, NEON and plain SSE alike. The width is chosen by UNROLLED_VECTOR_BYTES, which the build sets.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace unrolled {

template <typename T> struct VectorOf;
template <> struct VectorOf<float> {
  typedef float type __attribute__((vector_size(UNROLLED_VECTOR_BYTES)));
  typedef int32_t bits __attribute__((vector_size(UNROLLED_VECTOR_BYTES)));
};
template <> struct VectorOf<double> {
  typedef double type __attribute__((vector_size(UNROLLED_VECTOR_BYTES)));
  typedef int64_t bits __attribute__((vector_size(UNROLLED_VECTOR_BYTES)));
};
template <typename T> using Vec = typename VectorOf<T>::type;
template <typename T> using Bits = typename VectorOf<T>::bits;
template <typename T> constexpr int kLanes = UNROLLED_VECTOR_BYTES / sizeof(T);

// Vector registers of the processor.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kRegisters = 32;
#else
constexpr int kRegisters = 16;
#endif

// Makes the compiler hold v in a register instead of reading it from memory again at each use.
template <typename V> inline __attribute__((always_inline)) void keep_in_register([[maybe_unused]] V& v) {
#if defined(__x86_64__)
  asm volatile("" : "+v"(v));
#elif defined(__aarch64__)
  asm volatile("" : "+w"(v));
#endif
}

template <typename T> inline Vec<T> splat(T x) {
  return x - Vec<T>{};
}  // x - 0 is x, -0 too, and compiles to a broadcast

template <typename T> inline Vec<T> load(const T* p) {
  Vec<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <typename T> inline void store(T* p, Vec<T> v) { std::memcpy(p, &v, sizeof v); }

#if defined(__AVX512F__)
// Transposes 16 x 16: to interleave the halves four times over is to turn rows into columns.
inline __attribute__((always_inline)) void transpose(Vec<float> (&v)[16]) {
#pragma GCC unroll 4
  for (int round = 0; round < 4; ++round) {
    Vec<float> t[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      t[2 * i] = __builtin_shufflevector(v[i], v[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      t[2 * i + 1] =
          __builtin_shufflevector(v[i], v[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) v[i] = t[i];
  }
}
#endif

// The first n lanes; the rest are zero. n is less than a vector, or a whole one by its type.
template <typename T> using Whole = std::integral_constant<int, kLanes<T>>;
template <typename T> inline Vec<T> load_first(const T* p, int n) {
  Vec<T> v{};
  std::memcpy(&v, p, n * sizeof(T));
  return v;
}
template <typename T> inline Vec<T> load_first(const T* p, Whole<T>) { return load(p); }
template <typename T> inline void store_first(T* p, Vec<T> v, int n) { std::memcpy(p, &v, n * sizeof(T)); }
template <typename T> inline void store_first(T* p, Vec<T> v, Whole<T>) { store(p, v); }

// For the body of a loop over vectors, which would otherwise be called for each, and load its constants anew.
#define UNROLLED_INLINE __attribute__((always_inline))
// For a tile of a product, which needs all registers for itself.
#define UNROLLED_ALONE __attribute__((noinline))

// body(j, n) for the vectors that cover the elements from `begin` to `end`; n lanes each, fewer in the last.
template <typename T, typename Body>
inline __attribute__((always_inline)) void by_vectors(int64_t begin, int64_t end, Body&& body) {
  int64_t j = begin;
  for (; j + kLanes<T> <= end; j += kLanes<T>) body(j, Whole<T>{});
  if (j < end) body(j, int(end - j));
}

// NaN passes through, as torch.clamp lets it.
template <typename T> inline Vec<T> at_least(Vec<T> x, T low) { return x < low ? splat<T>(low) : x; }
template <typename T> inline Vec<T> at_most(Vec<T> x, T high) { return x > high ? splat<T>(high) : x; }
#if defined(__AVX512F__)
// One instruction each: of two operands of which one is NaN it returns the second.
template <> inline Vec<float> at_least<float>(Vec<float> x, float low) {
  return (Vec<float>)_mm512_max_ps(_mm512_set1_ps(low), (__m512)x);
}
template <> inline Vec<float> at_most<float>(Vec<float> x, float high) {
  return (Vec<float>)_mm512_min_ps(_mm512_set1_ps(high), (__m512)x);
}
#endif
template <typename T> inline Vec<T> clamp(Vec<T> x, T low, T high) { return at_most<T>(at_least<T>(x, low), high); }

// 1 / x. A division of a whole AVX-512 register takes as long as a dozen multiply-adds; the hardware's 14-bit estimate
// and one Newton step are as exact as float32 shows.
template <typename T> inline Vec<T> reciprocal(Vec<T> x) { return T(1) / x; }
#if defined(__AVX512F__)
template <> inline Vec<float> reciprocal<float>(Vec<float> x) {
  const Vec<float> estimate = (Vec<float>)_mm512_maskz_rcp14_ps(0xffff, (__m512)x);
  return estimate + estimate * (1.0f - x * estimate);
}
#endif

// The nearest whole number, for arguments that fit its type's digits twice over.
inline Vec<float> rounded(Vec<float> x) {
#if defined(__AVX512F__)
  return (Vec<float>)_mm512_roundscale_ps((__m512)x, 0);
#else
  return x + 12582912.0f - 12582912.0f;  // 1.5 * 2^23 leaves no room for a fraction
#endif
}
inline Vec<double> rounded(Vec<double> x) { return x + 6755399441055744.0 - 6755399441055744.0; }

// 2^n for whole n that keep it a normal number.
inline Vec<float> power_of_two(Vec<float> n) {
#if defined(__AVX512F__)
  return (Vec<float>)_mm512_scalef_ps(_mm512_set1_ps(1.0f), (__m512)n);
#else
  return (Vec<float>)(((Bits<float>)(n + 12582912.0f) << 23) + 0x3f800000);
#endif
}
inline Vec<double> power_of_two(Vec<double> n) {
  return (Vec<double>)(((Bits<double>)(n + 6755399441055744.0) << 52) + 0x3ff0000000000000LL);
}

// x 2^n for such n and an x near 1.
inline Vec<float> scaled(Vec<float> x, Vec<float> n) {
#if defined(__AVX512F__)
  return (Vec<float>)_mm512_scalef_ps((__m512)x, (__m512)n);
#else
  return x * power_of_two(n);
#endif
}

// log2(e), and ln 2 in two parts of which the first has so few digits that its product with a whole number is exact.
constexpr double kLog2OfE = 1.44269504088896340736;
template <typename T> constexpr T kLn2 = T(6.93147180369123816490e-01);
template <typename T> constexpr T kLn2Rest = T(1.90821492927058770002e-10);
template <> constexpr float kLn2<float> = 0.693359375f;
template <> constexpr float kLn2Rest<float> = -2.12194440e-4f;

// Polynomials go in pairs of terms: of a chain of multiply-adds each would wait for the one before.

// e^r for |r| <= ln 2 / 2, largest relative error 9e-8.
inline __attribute__((always_inline)) Vec<float> exponential(Vec<float> r) {
  const Vec<float> square = r * r;
  const Vec<float> high = r * 0.00829022941f + 0.04189839102f, middle = r * 0.16667640070f + 0.49999146142f;
  return (high * square + middle) * square + (r * 0.99999970543f + 1.0f);
}
// 2^f - 1 for |f| <= 1/2, to the last digits near zero too: largest relative error 1e-8.
inline __attribute__((always_inline)) Vec<float> power_less_one(Vec<float> f) {
  const Vec<float> square = f * f;
  const Vec<float> high = f * 0.00015403513f + 0.00133907357f, middle = f * 0.00961823750f + 0.05550357433f;
  return ((high * square + middle) * square + (f * 0.24022649795f + 0.69314718793f)) * f;
}

// Beyond this e^x leaves the numbers.
template <typename T> constexpr T kOverflow = sizeof(T) == 4 ? T(88.722839) : T(709.782712893384);

// 1 / (1 + e^-x). Where e^-x overflows it is 0 as torch's is: the smallest number above it would make something of a
// huge gradient.
inline __attribute__((always_inline)) Vec<float> sigmoid(Vec<float> x) {
  const Vec<float> within = clamp<float>(x, -87, 87), n = rounded(within * float(-kLog2OfE));
  const Vec<float> r = -within - n * kLn2<float> - n * kLn2Rest<float>;
  const Vec<float> y = reciprocal<float>(scaled(exponential(r), n) + 1);
  return x < -kOverflow<float> ? Vec<float>{} : y;
}

// tanh(x) = m / (m + 2) with m = e^(2x) - 1, which keeps its digits near zero. Past 20 tanh rounds to 1.
inline __attribute__((always_inline)) Vec<float> hyperbolic_tangent(Vec<float> x) {
  // The rounding of 2 x log2(e) is felt where tanh hardly changes any more.
  const Vec<float> t = clamp<float>(x * float(2 * kLog2OfE), -60, 60), n = rounded(t), scale = power_of_two(n);
  const Vec<float> m = power_less_one(t - n) * scale + (scale - 1);
  return at_most<float>(m * reciprocal<float>(m + 2), 1);  // where m swallows the 2, the rounding could exceed 1
}

// The same in float64, by e^r - 1 for |r| <= ln 2 / 2.
inline __attribute__((always_inline)) Vec<double> exponential_less_one(Vec<double> r) {
  Vec<double> p = splat<double>(1.0 / 87178291200);
  for (const double factorial :
       {6227020800., 479001600., 39916800., 3628800., 362880., 40320., 5040., 720., 120., 24., 6., 2.})
    p = p * r + 1.0 / factorial;
  return p * (r * r) + r;
}
inline __attribute__((always_inline)) Vec<double> sigmoid(Vec<double> x) {
  const Vec<double> within = clamp<double>(x, -708, 708), n = rounded(within * -kLog2OfE);
  const Vec<double> r = -within - n * kLn2<double> - n * kLn2Rest<double>, scale = power_of_two(n);
  const Vec<double> y = reciprocal<double>(exponential_less_one(r) * scale + (scale + 1));
  return x < -kOverflow<double> ? Vec<double>{} : y;
}
inline __attribute__((always_inline)) Vec<double> hyperbolic_tangent(Vec<double> x) {
  x = clamp<double>(x, -22, 22);
  const Vec<double> n = rounded(x * (2 * kLog2OfE)), r = x + x - n * kLn2<double> - n * kLn2Rest<double>;
  const Vec<double> scale = power_of_two(n), m = exponential_less_one(r) * scale + (scale - 1);
  return at_most<double>(m * reciprocal<double>(m + 2), 1);
}

}  // namespace unrolled
