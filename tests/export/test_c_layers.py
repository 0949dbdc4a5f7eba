import subprocess

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import unrolled
from tests.export.layers import one_way_layers
from unrolled.errors import ConfigError
from unrolled.export.c_code.functions import PANEL, needed_functions

STRICT = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]


def compiled_and_run(files, folder, *how):
    _, code, test = files
    program = folder / "program"
    subprocess.run([*STRICT, *(how or ["-O1"]), code, test, "-lm", "-o", program], check=True, cwd=folder)
    return subprocess.run([program], capture_output=True, text=True)


HOW = [["-O3", "-march=native", "-ffp-contract=fast"], ["-Os", "-fsanitize=undefined,address"]]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layer=one_way_layers(), int8=st.booleans(), how=st.sampled_from(HOW))
def test_any_layer_gives_the_same_in_c(layer, int8, how, tmp_path):
    done = unrolled.export.c(layer, tmp_path, name="layer", int8=int8)
    ran = compiled_and_run(done.files, tmp_path, *how)
    assert ran.returncode == 0, f"{layer}: {ran.stdout}"


def test_another_weight_fails_the_test_program(tmp_path):
    torch.manual_seed(0)
    layer = unrolled.GRU(2, 3)
    files = unrolled.export.c(layer, tmp_path, name="layer").files
    with torch.no_grad():
        layer.weight_hh_l0[0, 0] += 0.5
    other = unrolled.export.c(layer, tmp_path / "other", name="layer").files
    ran = compiled_and_run((files[0], files[1], other[2]), tmp_path)
    assert ran.returncode == 1


def test_what_reads_from_the_end_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="bidirectional=False"):
        unrolled.export.c(unrolled.GRU(2, 3, bidirectional=True), tmp_path)


def test_the_header_states_the_memory(tmp_path):
    done = unrolled.export.c(unrolled.LSTM(2, 3), tmp_path, name="cell")
    stated = done.files[0].read_text()
    assert f"{done.numbers['state bytes']} bytes a sequence" in stated
    check = tmp_path / "size.c"
    check.write_text(
        '#include "cell.h"\n#include <stdio.h>\n'
        'int main(void) { printf("%lu", (unsigned long)sizeof(cell_state)); return 0; }\n'
    )
    subprocess.run([*STRICT, check, "-o", tmp_path / "size"], check=True, cwd=tmp_path)
    size = subprocess.run([tmp_path / "size"], capture_output=True, text=True, check=True).stdout
    assert int(size) == done.numbers["state bytes"]


@pytest.mark.parametrize("size", [1, PANEL - 1, PANEL, PANEL + 1, 3 * PANEL + 5])
@pytest.mark.parametrize("int8", [False, True])
def test_matrices_of_any_number_of_rows(size, int8, tmp_path):
    torch.manual_seed(0)
    layer = unrolled.LSTM(3, size, layer_norm=size > 1, initial_state="learned")
    done = unrolled.export.c(layer, tmp_path, name="layer", int8=int8)
    assert done.numbers["microseconds a step"] > 0  # it built and gave its vectors


def test_functions_are_as_exact_as_they_say(tmp_path):
    """Every 1,009th float that there is, in both signs, beside the functions of doubles."""
    sources = "\n\n".join(needed_functions("exponential( sigmoid( hyperbolic("))
    (tmp_path / "all.c").write_text(
        "#include <math.h>\n#include <stdint.h>\n#include <stdio.h>\n\n"
        + sources
        + """
int main(void)
{
    uint64_t bits;
    for (bits = 0; bits < 0x100000000u; bits += 1009u) {
        word at;
        float made[4];
        at.bits = (uint32_t)bits;
        made[0] = at.number;
        made[1] = exponential(at.number);
        made[2] = sigmoid(at.number);
        made[3] = hyperbolic(at.number);
        fwrite(made, sizeof made, 1, stdout);
    }
    return 0;
}
"""
    )
    program = tmp_path / "all"
    subprocess.run([*STRICT, "-O3", tmp_path / "all.c", "-lm", "-o", program], check=True)
    made = np.frombuffer(subprocess.run([program], capture_output=True, check=True).stdout, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        x, *found = made.reshape(-1, 4).astype(np.float64).T
        expected = np.exp(x), 1 / (1 + np.exp(-x)), np.tanh(x)
    inside = np.abs(x) < 87
    for one, other, bound in zip(found, expected, (1e-7, 2e-7, 2e-7), strict=True):
        assert np.array_equal(np.isnan(one), np.isnan(other))
        np.testing.assert_allclose(one[inside], other[inside], rtol=bound, atol=1e-45)
        np.testing.assert_allclose(
            one[~inside], np.where(other > 1.6516e38, np.inf, other)[~inside], rtol=bound, atol=1e-37
        )
