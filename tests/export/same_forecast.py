"""The same forecast from Python, ONNX, C and HTTP, of the README's first model, trained small."""

import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import unrolled
from tests.serving.running import Asking, running
from unrolled.data.calendar import time_texts
from unrolled.export.c_code.frames import SeriesFrame
from unrolled.export.c_models import frame_of


def main() -> int:
    """Export, run all ways, and say by how much they differ."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        forecaster = unrolled.Forecaster(horizon=7, epochs=1, hidden_size=16).fit("seattle-weather")
        expected = [row["y"] for row in forecaster.predict()]
        unrolled.export.onnx(forecaster, folder / "onnx")
        unrolled.export.c(forecaster, folder / "c", name="weather")
        ways = {"onnx": _from_onnx(folder / "onnx"), "c": _from_c(forecaster, folder / "c")}
        forecaster.save(folder / "model")
        with running({"weather": unrolled.load(folder / "model")}) as ask:
            ways |= {"http": _from_http(forecaster, ask), "steps": _from_http_steps(forecaster, ask)}
    print("python", *(f"{number:.4f}" for number in expected))
    worst = 0.0
    for name, found in ways.items():
        apart = float(np.abs(np.subtract(found, expected)).max())
        worst = max(worst, apart)
        print(f"{name:6}", *(f"{number:.4f}" for number in found), f"differs by {apart:.2g}")
    return 0 if worst < 1e-3 * max(1.0, float(np.abs(expected).max())) else 1


def _from_onnx(folder: Path) -> list[float]:
    spec = importlib.util.spec_from_file_location("run", folder / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [row["y"] for row in module.Model(folder).predict([None])[0]]


def _latest(forecaster: unrolled.Forecaster) -> dict[str, list]:
    """The end of the series as a client would send it."""
    (series,) = forecaster._latest
    last = series.slice(len(series) - forecaster.effective.context, len(series))
    covariates = {name: last.covariates[:, at].tolist() for at, name in enumerate(last.names)}
    return {"ds": time_texts(last, last.times), "y": last.values.tolist(), **covariates}


def _from_http(forecaster: unrolled.Forecaster, ask: Asking) -> list[float]:
    """Hand the end of the series over as a whole."""
    (rows,) = ask.predict("weather", [_latest(forecaster)])
    return [row["value"]["y"] for row in rows]


def _from_http_steps(forecaster: unrolled.Forecaster, ask: Asking) -> list[float]:
    """Feed the end of the series to a session step by step."""
    given, session = _latest(forecaster), ask.session("weather")
    for at in range(len(given["y"])):
        step = {name: values[at : at + 1] for name, values in given.items()}
        said = ask("POST", f"{session}/steps", {"inputs": [step]}).json
    return [row["y"] for row in said["steps"][-1]["prediction"]["value"]]


def _from_c(forecaster: unrolled.Forecaster, folder: Path) -> list[float]:
    """Feed the end of the series step by step, as a device would."""
    frame = frame_of(forecaster)
    assert isinstance(frame, SeriesFrame)
    (series,) = forecaster._latest
    context = forecaster.effective.context
    scaled = forecaster._preparation.read(series)[-context:]
    known = 1 + len(frame.names)
    numbers = np.array(scaled[:, : frame.inputs], dtype=np.float64)
    numbers[:, 0] = frame.scalings[0].undo(numbers[:, 0])
    numbers[:, 1:known] = frame.covariates.undo(numbers[:, 1:known])
    rows = ",\n".join(
        "{"
        + ", ".join(
            f"{number:.9g}f" if "." in f"{number:.9g}" or "e" in f"{number:.9g}" else f"{number:.9g}.0f"
            for number in row
        )
        + "}"
        for row in numbers
    )
    (folder / "main.c").write_text(
        f"""#include "weather.h"
#include <stdio.h>
static const float rows[{len(numbers)}][WEATHER_INPUTS] = {{{rows}}};
int main(void)
{{
    static weather_state state;
    float output[WEATHER_OUTPUTS];
    int step;
    weather_begin(&state);
    for (step = 0; step < {len(numbers)}; step++) weather_step(&state, rows[step], output);
    for (step = 0; step < WEATHER_OUTPUTS; step++) printf("%.9g\\n", (double)output[step]);
    return 0;
}}
"""
    )
    strict = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O2"]
    subprocess.run([*strict, "weather.c", "main.c", "-lm", "-o", "weather"], cwd=folder, check=True)
    said = subprocess.run(["./weather"], cwd=folder, capture_output=True, text=True, check=True).stdout
    outputs = np.array([float(each) for each in re.findall(r"\S+", said)])
    return outputs.reshape(forecaster.effective.horizon, -1)[:, 0].tolist()


if __name__ == "__main__":
    sys.exit(main())
