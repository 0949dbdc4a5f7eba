"""The few functions in C that a step calls; a file holds those it needs."""

from __future__ import annotations

import re

_FUNCTIONS = {
    "multiply": """\
static void multiply(float *into, const float *matrix, const float *added, const float *of,
                     int rows, int columns)
{
    int i, k;
    for (i = 0; i < rows; i++) {
        const float *row = matrix + (size_t)i * (size_t)columns;
        float sum = added ? added[i] : 0.0f;
        for (k = 0; k < columns; k++) sum += row[k] * of[k];
        into[i] = sum;
    }
}""",
    "multiply_bytes": """\
static void multiply_bytes(float *into, const int8_t *matrix, const float *scale, const float *added,
                           const float *of, int rows, int columns)
{
    int i, k;
    for (i = 0; i < rows; i++) {
        const int8_t *row = matrix + (size_t)i * (size_t)columns;
        float sum = 0.0f;
        for (k = 0; k < columns; k++) sum += (float)row[k] * of[k];
        into[i] = scale[i] * sum + (added ? added[i] : 0.0f);
    }
}""",
    "sigmoid": """\
static float sigmoid(float x)
{
    const float small = expf(-fabsf(x));
    return (x >= 0.0f ? 1.0f : small) / (1.0f + small);
}""",
    "softplus": """\
static float softplus(float x)
{
    return (x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x)));
}""",
    "rectified": """\
static float rectified(float x)
{
    return x < 0.0f ? 0.0f : x;
}""",
    "smaller": """\
static float smaller(float a, float b)
{
    return a < b || a != a ? a : b;
}""",
    "larger": """\
static float larger(float a, float b)
{
    return a > b || a != a ? a : b;
}""",
    "mean_of": """\
static float mean_of(const float *of, int size)
{
    int k;
    float sum = 0.0f;
    for (k = 0; k < size; k++) sum += of[k];
    return sum / (float)size;
}""",
    "normalise": """\
static void normalise(float *into, const float *of, int size)
{
    int k;
    float mean = 0.0f, variance = 0.0f, scale;
    for (k = 0; k < size; k++) mean += of[k];
    mean /= (float)size;
    for (k = 0; k < size; k++) variance += (of[k] - mean) * (of[k] - mean);
    scale = 1.0f / sqrtf(variance / (float)size + EPSILON);
    for (k = 0; k < size; k++) into[k] = (of[k] - mean) * scale;
}""",
}
"""By name; none calls another. A number that is not one stays so through each of them, as in torch."""


def needed_functions(code: str) -> list[str]:
    """The definitions of those that some code calls."""
    return [text for name, text in _FUNCTIONS.items() if re.search(rf"\b{name}\(", code)]
