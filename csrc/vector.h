// One vector of the widest kind the instruction set offers, in GCC/Clang vector extensions, so that one source serves
// AVX-512, AVX2, NEON and plain SSE alike. The width is chosen by UNROLLED_VECTOR_BYTES, which the build sets.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

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

// The first n lanes; the rest are zero. n is at most a vector.
template <typename T> inline Vec<T> load_first(const T* p, int n) {
  if (n == kLanes<T>) return load(p);
  Vec<T> v{};
  std::memcpy(&v, p, n * sizeof(T));
  return v;
}
template <typename T> inline void store_first(T* p, Vec<T> v, int n) {
  if (n == kLanes<T>) return store(p, v);
  std::memcpy(p, &v, n * sizeof(T));
}

// NaN compares false and so passes through, as torch.clamp lets it.
template <typename T> inline Vec<T> clamp(Vec<T> x, T low, T high) {
  x = x < low ? splat<T>(low) : x;
  return x > high ? splat<T>(high) : x;
}

// 1 / x. A division of a whole AVX-512 register takes as long as a dozen multiply-adds; the hardware's 14-bit estimate
// and one Newton step are as exact as float32 shows.
template <typename T> inline Vec<T> reciprocal(Vec<T> x) { return T(1) / x; }
#if defined(__AVX512F__)
template <> inline Vec<float> reciprocal<float>(Vec<float> x) {
  const Vec<float> estimate = (Vec<float>)_mm512_maskz_rcp14_ps(0xffff, (__m512)x);
  return estimate + estimate * (1.0f - x * estimate);
}
#endif

// e^x = 2^n e^r with |r| <= ln 2 / 2: returns e^r - 1, which is exact near zero where e^r is not, and 2^n.
template <typename T> struct Powers {
  Vec<T> small, scale;
};
inline Powers<float> powers(Vec<float> x) {
  using V = Vec<float>;
  const V shifted = x * 1.44269504f + 12582912.0f;  // adding 1.5 * 2^23 rounds to a whole number, left in the low bits
  const V n = shifted - 12582912.0f;
  V r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  V p = splat<float>(1.0f / 5040);
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  return {p * (r * r) + r, (V)(((Bits<float>)shifted << 23) + 0x3f800000)};
}
inline Powers<double> powers(Vec<double> x) {
  using V = Vec<double>;
  const V shifted = x * 1.4426950408889634 + 6755399441055744.0;
  const V n = shifted - 6755399441055744.0;
  V r = x - n * 6.93147180369123816490e-01;
  r = r - n * 1.90821492927058770002e-10;
  V p = splat<double>(1.0 / 87178291200);
  for (const double factorial :
       {6227020800., 479001600., 39916800., 3628800., 362880., 40320., 5040., 720., 120., 24., 6., 2.})
    p = p * r + 1.0 / factorial;
  return {p * (r * r) + r, (V)(((Bits<double>)shifted << 52) + 0x3ff0000000000000LL)};
}

// Beyond these arguments 2^n leaves the normal numbers.
template <typename T> constexpr T kLargest = sizeof(T) == 4 ? T(87) : T(708);

template <typename T> inline Vec<T> sigmoid(Vec<T> x) {
  const auto [small, scale] = powers(clamp<T>(-x, -kLargest<T>, kLargest<T>));
  return reciprocal<T>(small * scale + scale + 1);
}

// tanh(x) = m / (m + 2) with m = e^(2x) - 1, which keeps its digits near zero. Past 22 tanh rounds to 1 in either type.
template <typename T> inline Vec<T> hyperbolic_tangent(Vec<T> x) {
  const auto [small, scale] = powers(clamp<T>(x + x, T(-44), T(44)));
  const Vec<T> m = small * scale + (scale - 1);
  const Vec<T> y = m * reciprocal<T>(m + 2);
  return y > T(1) ? splat<T>(1) : y;  // where m swallows the 2, the reciprocal's rounding could exceed 1
}

}  // namespace unrolled
