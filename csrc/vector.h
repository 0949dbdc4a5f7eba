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
  typedef uint32_t bits __attribute__((vector_size(UNROLLED_VECTOR_BYTES)));
};
template <> struct VectorOf<double> {
  typedef double type __attribute__((vector_size(UNROLLED_VECTOR_BYTES)));
  typedef uint64_t bits __attribute__((vector_size(UNROLLED_VECTOR_BYTES)));
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

// Past the caches, whose lines it would take from what is needed sooner; p is aligned to a vector. Before another
// thread may read it: settle_streams().
template <typename T> inline void stream(T* p, Vec<T> v) {
#if defined(__AVX512F__)
  _mm512_stream_si512(reinterpret_cast<__m512i*>(p), (__m512i)v);
#else
  store(p, v);
#endif
}
inline void settle_streams() {
#if defined(__AVX512F__)
  _mm_sfence();
#endif
}

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

// 1 / x: with AVX-512 by the hardware's 14-bit estimate and one Newton step, which are as exact as float32 shows.
inline Vec<float> reciprocal(Vec<float> x) {
#if defined(__AVX512F__)
  // Multiply-adds that no compiler takes apart: rounded by itself, the product would cost the last digit, and tanh
  // pass 1.
  const __m512 estimate = _mm512_maskz_rcp14_ps(0xffff, (__m512)x);
  const __m512 error = _mm512_fnmadd_ps((__m512)x, estimate, _mm512_set1_ps(1.0f));
  return (Vec<float>)_mm512_fmadd_ps(estimate, error, estimate);
#else
  return 1.0f / x;
#endif
}
// a / x. Some processors divide beside their multiply-adds, while those that have tiles take as long for a whole
// register as for a dozen multiply-adds.
inline Vec<float> quotient(Vec<float> a, Vec<float> x) {
#if defined(UNROLLED_TILES)
  return a * reciprocal(x);
#else
  return a / x;
#endif
}

// The nearest whole number, for arguments that fit its type's digits twice over.
inline Vec<float> rounded(Vec<float> x) {
#if defined(__AVX512F__)
  return (Vec<float>)_mm512_roundscale_ps((__m512)x, 0);
#else
  return x + 12582912.0f - 12582912.0f;  // 1.5 * 2^23 leaves no room for a fraction
#endif
}
inline Vec<double> rounded(Vec<double> x) { return x + 6755399441055744.0 - 6755399441055744.0; }

// 2^n for whole n that keep it a normal number; for others some number.
inline Vec<float> power_of_two(Vec<float> n) {
#if defined(__AVX512F__)
  return (Vec<float>)_mm512_scalef_ps(_mm512_set1_ps(1.0f), (__m512)n);
#else
  return (Vec<float>)(((Bits<float>)(n + 12582912.0f) << 23) + 0x3f800000u);
#endif
}
inline Vec<double> power_of_two(Vec<double> n) {
  return (Vec<double>)(((Bits<double>)(n + 6755399441055744.0) << 52) + 0x3ff0000000000000ULL);
}

// x 2^n for such n and an x near 1.
inline Vec<float> scaled(Vec<float> x, Vec<float> n) {
#if defined(__AVX512F__)
  return (Vec<float>)_mm512_scalef_ps((__m512)x, (__m512)n);
#else
  return x * power_of_two(n);
#endif
}

}  // namespace unrolled
