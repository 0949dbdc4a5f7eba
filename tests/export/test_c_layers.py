import subprocess

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import unrolled
from tests.export.layers import one_way_layers
from unrolled.errors import ConfigError

STRICT = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1"]


def compiled_and_run(files, folder):
    _, code, test = files
    program = folder / "program"
    subprocess.run([*STRICT, code, test, "-lm", "-o", program], check=True, cwd=folder)
    return subprocess.run([program], capture_output=True, text=True)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layer=one_way_layers(), int8=st.booleans())
def test_any_layer_gives_the_same_in_c(layer, int8, tmp_path):
    done = unrolled.export.c(layer, tmp_path, name="layer", int8=int8)
    ran = compiled_and_run(done.files, tmp_path)
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
