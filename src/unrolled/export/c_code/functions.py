"""The few functions in C that a step calls; a file holds those it needs.

They are written so that a compiler makes vectors of the loops that they stand in, without being told that
floats cannot trap: nothing is chosen by a branch, and what is added up is added up in several sums.

`exponential` takes n ln 2 from its argument and a polynomial of the rest (Cody & Waite 1980, "Software Manual
for the Elementary Functions"); the coefficients of both polynomials are minimax fits of relative error.
"""

from __future__ import annotations

import re

PANEL = 32
"""Rows of a matrix that are multiplied together: as many sums as fit into the registers of any processor."""

_FUNCTIONS = {
    "multiply": """\
/* Panels of PANEL rows, in each of which a column lies after the other. */
static void multiply(float *restrict into, const float *restrict matrix, const float *restrict added,
                     const float *restrict of, int rows, int columns)
{
    int i, j, k;
    for (i = 0; i + PANEL <= rows; i += PANEL) {
        float sum[PANEL];
        for (j = 0; j < PANEL; j++) sum[j] = added ? added[i + j] : 0.0f;
        for (k = 0; k < columns; k++) {
            const float each = of[k];
            for (j = 0; j < PANEL; j++) sum[j] += matrix[j] * each;
            matrix += PANEL;
        }
        for (j = 0; j < PANEL; j++) into[i + j] = sum[j];
    }
    if (i < rows) {
        const int rest = rows - i;
        for (j = 0; j < rest; j++) into[i + j] = added ? added[i + j] : 0.0f;
        for (k = 0; k < columns; k++) {
            const float each = of[k];
            for (j = 0; j < rest; j++) into[i + j] += matrix[j] * each;
            matrix += rest;
        }
    }
}""",
    "multiply_bytes": """\
/* As of floats, and each row has a scale. */
static void multiply_bytes(float *restrict into, const int8_t *restrict matrix, const float *restrict scale,
                           const float *restrict added, const float *restrict of, int rows, int columns)
{
    int i, j, k;
    for (i = 0; i + PANEL <= rows; i += PANEL) {
        float sum[PANEL];
        for (j = 0; j < PANEL; j++) sum[j] = 0.0f;
        for (k = 0; k < columns; k++) {
            const float each = of[k];
            for (j = 0; j < PANEL; j++) sum[j] += (float)matrix[j] * each;
            matrix += PANEL;
        }
        for (j = 0; j < PANEL; j++) into[i + j] = scale[i + j] * sum[j] + (added ? added[i + j] : 0.0f);
    }
    if (i < rows) {
        const int rest = rows - i;
        for (j = 0; j < rest; j++) into[i + j] = 0.0f;
        for (k = 0; k < columns; k++) {
            const float each = of[k];
            for (j = 0; j < rest; j++) into[i + j] += (float)matrix[j] * each;
            matrix += rest;
        }
        for (j = i; j < rows; j++) into[j] = scale[j] * into[j] + (added ? added[j] : 0.0f);
    }
}""",
    "word": """\
/* A float and its bits. */
typedef union { float number; uint32_t bits; } word;""",
    "magnitude": """\
/* The bits of |x|, which rise as |x| does; those of NaN are above those of infinity. */
static inline uint32_t magnitude(float x)
{
    word it;
    it.number = x;
    return it.bits & 0x7fffffffu;
}""",
    "chosen": """\
/* condition ? yes : no, of a condition that is 1 or 0, without a branch. */
static inline float chosen(uint32_t condition, float yes, float no)
{
    word one, other;
    const uint32_t mask = 0u - condition;
    one.number = yes;
    other.number = no;
    one.bits = (one.bits & mask) | (other.bits & ~mask);
    return one.number;
}""",
    "exponential": """\
/* exp(x) to 1e-7 of itself; beyond 88 it is infinite, below -87.7 zero. */
static inline float exponential(float x)
{
    word whole, power, beyond;
    const uint32_t size = magnitude(x);
    float rest, sum;
    whole.number = x * 1.44269504f + 12582912.0f;
    power.bits = (whole.bits + 127u) << 23;
    rest = whole.number - 12582912.0f;
    rest = (x - rest * 0.693359375f) + rest * 2.12194440e-4f;
    sum = 0.0013814467f * rest + 0.0083687808f;
    sum = sum * rest + 0.041668393f;
    sum = sum * rest + 0.16666520f;
    sum = sum * rest + 0.49999994f;
    sum = (sum * rest * rest + rest) + 1.0f;
    beyond.number = x;
    beyond.bits = 0x7f800000u & (0u - (1u - (beyond.bits >> 31)));
    return chosen((size > 0x42b00000u) & (size <= 0x7f800000u), beyond.number, sum * power.number);
}""",
    "sigmoid": """\
/* To 2e-7 of itself. */
static inline float sigmoid(float x)
{
    return 1.0f / (1.0f + exponential(-x));
}""",
    "hyperbolic": """\
/* tanh(x) to 2e-7 of itself. */
static inline float hyperbolic(float x)
{
    const float square = x * x;
    const float far = 1.0f - 2.0f / (exponential(2.0f * fabsf(x)) + 1.0f);
    float near = -0.0057146866f * square + 0.020648575f;
    near = near * square - 0.053742912f;
    near = near * square + 0.13331485f;
    near = near * square - 0.33333284f;
    near = near * square * x + x;
    return chosen(magnitude(x) < 0x3f200000u, near, copysignf(far, x));
}""",
    "softplus": """\
static float softplus(float x)
{
    return (x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x)));
}""",
    "rectified": """\
static inline float rectified(float x)
{
    return x < 0.0f ? 0.0f : x;
}""",
    "smaller": """\
static inline float smaller(float a, float b)
{
    return a < b || a != a ? a : b;
}""",
    "larger": """\
static inline float larger(float a, float b)
{
    return a > b || a != a ? a : b;
}""",
    "sum_of_products": """\
static float sum_of_products(const float *a, const float *b, int size)
{
    float sum[PANEL] = {0.0f}, all = 0.0f;
    int j, k;
    for (k = 0; k + PANEL <= size; k += PANEL)
        for (j = 0; j < PANEL; j++) sum[j] += a[k + j] * b[k + j];
    for (; k < size; k++) all += a[k] * b[k];
    for (k = PANEL / 2; k > 0; k /= 2)
        for (j = 0; j < k; j++) sum[j] += sum[j + k];
    return all + sum[0];
}""",
    "sum_of": """\
static float sum_of(const float *of, int size)
{
    float sum[PANEL] = {0.0f}, all = 0.0f;
    int j, k;
    for (k = 0; k + PANEL <= size; k += PANEL)
        for (j = 0; j < PANEL; j++) sum[j] += of[k + j];
    for (; k < size; k++) all += of[k];
    for (k = PANEL / 2; k > 0; k /= 2)
        for (j = 0; j < k; j++) sum[j] += sum[j + k];
    return all + sum[0];
}""",
    "mean_of": """\
static float mean_of(const float *of, int size)
{
    return sum_of(of, size) / (float)size;
}""",
    "normalise": """\
static void normalise(float *into, const float *of, int size)
{
    const float mean = sum_of(of, size) / (float)size;
    float scale;
    int k;
    for (k = 0; k < size; k++) into[k] = of[k] - mean;
    scale = 1.0f / sqrtf(sum_of_products(into, into, size) / (float)size + EPSILON);
    for (k = 0; k < size; k++) into[k] *= scale;
}""",
}
"""By name, each after those it calls. A number that is not one stays so through each of them, as in torch."""


def needed_functions(code: str) -> list[str]:
    """The definitions of those that some code calls, and of those that these call."""
    needed: list[str] = []
    for name, text in reversed(_FUNCTIONS.items()):
        if re.search(rf"\b{name}\b", "\n".join([code, *needed])):
            needed.insert(0, text)
    return needed
