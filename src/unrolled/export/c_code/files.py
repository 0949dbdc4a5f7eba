"""The three files: a header, the code with its weights, and a test program with what it must give."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import indent

import numpy as np
from numpy.typing import NDArray

from unrolled.export.c_code.functions import PANEL
from unrolled.export.c_code.numbers import float_array, in_comment, int_array, literal
from unrolled.export.c_code.source import Source
from unrolled.ops.layer_norm import EPSILON


@dataclass(frozen=True, slots=True)
class Signature:
    """What a step takes and gives.

    Attributes:
        about: a sentence on what the code computes.
        inputs: how many floats it takes, and what each is, in words.
        outputs: how many it gives, and what each is.
    """

    about: str
    inputs: tuple[int, str]
    outputs: tuple[int, str]


@dataclass(frozen=True, slots=True)
class Vectors:
    """What the original computes of some sequences, one after the other.

    Attributes:
        inputs: ``(sequence, step, inputs)``.
        outputs: ``(sequence, step, outputs)``.
        tolerance: by how much an output may differ, as a share of the largest.
        series: of each sequence the number of the series that it is from, where there are several.
        paths: of each sequence the numbers that ``NAME_path`` gives at its end, where there is one.
    """

    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]
    tolerance: float
    series: NDArray[np.integer] | None = None
    paths: NDArray[np.integer] | None = None


def header(source: Source, signature: Signature) -> str:
    """The ``.h``."""
    name, guard = source.name, f"{source.name.upper()}_H"
    about = "\n".join(
        f" * {line}"
        for text in (
            signature.about,
            f"Memory: {source.weight_bytes} bytes of constant weights; {source.state_bytes} bytes a sequence "
            "(sizeof its state). Nothing is allocated and nothing else is kept.",
            f"Input: {signature.inputs[1]}",
            f"Output: {signature.outputs[1]}",
        )
        for line in in_comment(text)
    )
    fields = indent("\n".join(source.fields()), "    ")
    limits = "".join(f"\n#define {name.upper()}_{what} {number}" for what, number in source.limits.items())
    series = [f"{number} {each}" for number, each in enumerate(source.series)]
    which = "".join(f"\n * {line}" for line in in_comment(f"The series: {', '.join(series)}.") if series)
    further = "".join(f"\n/* {each.about} */\n{each.declaration};\n" for each in source.functions)
    return f"""\
/*
{about}
 */
#ifndef {guard}
#define {guard}

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define {name.upper()}_INPUTS {signature.inputs[0]}
#define {name.upper()}_OUTPUTS {signature.outputs[0]}{limits}

/* All that is carried from one step of a sequence to the next, and room to compute in. */
typedef struct {{
{fields}
}} {name}_state;

/* Before the first step of a sequence.{which} */
{source.begins};

/* One step. */
void {name}_step({name}_state *state, const float *input, float *output);
{further}
#ifdef __cplusplus
}}
#endif

#endif
"""


def code(source: Source) -> str:
    """The ``.c``."""
    name = source.name
    begin, step = source.at_first(), source.step
    counter = ["int j;"]
    further = "".join(
        f"\n{each.declaration}\n{{\n{indent(chr(10).join(each.body), '    ')}\n}}\n"
        for each in source.functions
    )
    return f"""\
#include "{name}.h"

#include <math.h>
#include <stddef.h>

#define EPSILON {literal(EPSILON)}
#define PANEL {PANEL}

{source.definitions()}

{source.begins}
{{
{indent(chr(10).join([*(counter if any("j" in line for line in begin) else []), *begin]), "    ")}
}}

void {name}_step({name}_state *restrict state, const float *restrict input, float *restrict output)
{{
{indent(chr(10).join([*counter, *step]), "    ")}
}}
{further}"""


def test_program(source: Source, vectors: Vectors) -> str:
    """The ``_test.c``: by how much its outputs differ, and how long a step takes; fails if by too much."""
    name, (sequences, steps, _) = source.name, vectors.inputs.shape
    series = "" if vectors.series is None else f"\n{int_array('series', vectors.series)}\n"
    begun = f"{name}_begin(&state{', series[sequence]' if series else ''});"
    paths, compared, room = "", "", ""
    if vectors.paths is not None:
        length = vectors.paths.shape[1]
        paths = f"\n{int_array('paths', vectors.paths)}\n"
        room = f"\n    int path[{name.upper()}_PATH];"
        compared = f"""
        if ({name}_path(&state, path) != {length}) wrong++;
        for (k = 0; k < {length}; k++)
            if (path[k] != paths[sequence * {length} + k]) wrong++;"""
    return f"""\
/* Build and run: cc -std=c99 -O3 {name}.c {name}_test.c -lm -o {name}_test && ./{name}_test
   With -march=native, or what the device has, a step takes half as long. */
#include "{name}.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define SEQUENCES {sequences}
#define STEPS {steps}
#define TOLERANCE {literal(vectors.tolerance)}

{float_array("inputs", vectors.inputs)}

{float_array("expected", vectors.outputs)}
{series}{paths}
int main(void)
{{
    static {name}_state state;
    float output[{name.upper()}_OUTPUTS];{room}
    float apart = 0.0f, largest = 0.0f;
    int sequence, step, k, wrong = 0;
    long runs = 0;
    clock_t start;
    double seconds;
    for (sequence = 0; sequence < SEQUENCES; sequence++) {{
        {begun}
        for (step = 0; step < STEPS; step++) {{
            const int at = sequence * STEPS + step;
            {name}_step(&state, inputs + at * {name.upper()}_INPUTS, output);
            for (k = 0; k < {name.upper()}_OUTPUTS; k++) {{
                const float wanted = expected[at * {name.upper()}_OUTPUTS + k];
                const float off = fabsf(output[k] - wanted), size = fabsf(wanted);
                if (!(off <= TOLERANCE * (size > 1.0f ? size : 1.0f))) wrong++;
                if (off > apart) apart = off;
                if (size > largest) largest = size;
            }}
        }}{compared}
    }}
    start = clock();
    do {{
        {name}_step(&state, inputs, output);
        runs++;
        seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    }} while (seconds < 0.05);
    printf("%d outputs, largest %g: differ by %g at most, %d by too much\\n",
           SEQUENCES * STEPS * {name.upper()}_OUTPUTS, (double)largest, (double)apart, wrong);
    printf("%.3f microseconds a step\\n", 1e6 * seconds / (double)runs);
    return wrong ? 1 : 0;
}}
"""
