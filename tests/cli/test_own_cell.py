"""A cell of ten lines in a user's own file does by name what the built-in ones do, on every way."""

import hashlib
import json
import shutil

import pytest
import torch

import unrolled as package
from tests import forked
from tests.tolerances import tolerance
from unrolled.errors import ModelFolderError
from unrolled.inspection.examination import examine
from unrolled.tasks.forecast import Forecaster
from unrolled.tasks.registry import estimator_class, load

TOLERANCE = tolerance(torch.float64, "gradient")
MINE = """
from unrolled.cells import Cell, sigmoid, tanh


class Mine(Cell):
    gates = ("forget_gate", "candidate")

    def step(self, x, u, h):
        f = sigmoid(x.forget_gate + u.forget_gate(h))
        n = tanh(x.candidate + u.candidate(f * h))
        return (1 - f) * h + f * n
"""
BRANCHING = MINE.replace("        f =", "        if h > 0:\n            return h\n        f =")
TINY = ["--hidden-size", "4", "--epochs", "2"]


def by_hand(layer, values):
    """The equations in a loop of plain torch, for one layer that reads forwards."""
    hidden, outputs = values.new_zeros(values.shape[1], layer.hidden_size), []
    input_f, input_n = layer.weight_ih_l0.chunk(2)
    weight_f, weight_n = layer.weight_hh_l0.chunk(2)
    for step in values:
        bias = layer.bias_ih_l0 + layer.bias_hh_l0
        bias_f, bias_n = bias.chunk(2)
        f = torch.sigmoid(step @ input_f.t() + hidden @ weight_f.t() + bias_f)
        n = torch.tanh(step @ input_n.t() + (f * hidden) @ weight_n.t() + bias_n)
        hidden = (1 - f) * hidden + f * n
        outputs.append(hidden)
    return torch.stack(outputs)


@pytest.fixture
def mine(unrolled, tmp_path):
    """Such a file in the current folder."""
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path / "mine.py"


@pytest.fixture(scope="module")
def trained(files, tmp_path_factory):
    """A tagger and a forecaster of that cell; the file is no more."""
    from typer.testing import CliRunner

    from unrolled.cli.main import app

    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.py").write_text(MINE)
    for task in ("tag", "forecast"):
        words = ["train", task, files[task], "-o", folder / task, "--cell", f"{folder / 'mine.py'}:Mine"]
        words += ["--no-bidirectional"] if task == "tag" else []
        done = CliRunner().invoke(app, [str(word) for word in [*words, *TINY]])
        assert done.exit_code == 0, done.stderr
    (folder / "mine.py").unlink()
    return folder


def test_it_is_diagnosed_inspected_and_scored_without_its_file(unrolled, files, trained):
    for command in ("diagnose", "inspect", "evaluate"):
        done = unrolled(command, trained / "tag", files["tag"], "--json")
        assert done.code == 0, done.err
    assert "Mine" in (trained / "tag" / "README.md").read_text()
    assert examine(load(trained / "forecast"), str(files["forecast"]), "own").network.startswith("Mine")


def test_another_process_predicts_without_its_file(files, trained, tmp_path):
    (tmp_path / "another.py").write_text(f"""
import sys, unrolled
model = unrolled.load({str(trained / "forecast")!r})
print(len(model.predict({str(files["forecast"])!r})), any("mine_py" in name for name in sys.modules))
""")
    done = forked.start(tmp_path / "said", str(tmp_path / "another.py"))
    assert done.wait() == 0, done.err
    assert done.out.strip().endswith("False")


@pytest.mark.parametrize("task", ["tag", "forecast"])
def test_it_computes_what_a_loop_of_torch_computes(trained, task):
    layer = load(trained / task).model.recurrent.double()
    assert isinstance(layer, package.Recurrent)
    torch.manual_seed(0)
    values = torch.randn(7, 3, layer.input_size, dtype=torch.float64, requires_grad=True)
    found = layer(values.transpose(0, 1) if layer.batch_first else values)[0]
    found = found.transpose(0, 1) if layer.batch_first else found
    expected = by_hand(layer, values)
    torch.testing.assert_close(found, expected, **TOLERANCE)
    wanted = [values, *layer.parameters()]
    for one, other in zip(
        torch.autograd.grad(found.square().sum(), wanted),
        torch.autograd.grad(expected.square().sum(), wanted),
        strict=True,
    ):
        torch.testing.assert_close(one, other, **TOLERANCE)
    stream = layer.eval().stream(3)
    for step, output in zip(values.detach(), expected, strict=True):
        torch.testing.assert_close(stream.step(step), output, **TOLERANCE)


def test_training_goes_on_from_a_checkpoint_without_its_file(mine, files, tmp_path):
    options = {"hidden_size": 4, "cell": f"{mine}:Mine", "checkpoint_every": 1, "schedule": "constant"}
    first = Forecaster(**options, epochs=1).fit(str(files["forecast"]), run_folder=tmp_path / "run")
    whole = Forecaster(**options, epochs=2).fit(str(files["forecast"]))
    first.save(tmp_path / "saved")
    mine.unlink()
    params = load(tmp_path / "saved").get_params() | {"epochs": 2}
    resumed = Forecaster(**params).fit(str(files["forecast"]), run_folder=tmp_path / "run", resume=True)
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, resumed.model.state_dict()[name]), name


def test_two_files_with_a_cell_of_one_name_are_compared_beside_others(unrolled, mine, files, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "cells.py").write_text(MINE.replace("(1 - f) * h + f * n", "f * h + (1 - f) * n"))
    cells = f"mine.py:Mine,min_gru,{other / 'cells.py'}:Mine"
    done = unrolled("compare", "--cells", cells, "forecast", files["forecast"], "-o", "both", *TINY, "--json")
    assert done.code == 0, done.err
    assert [model["name"] for model in done.json["models"]] == ["Mine", "min_gru", "Mine-2"]
    assert {path.parent.name for path in (tmp_path / "both").glob("*/model.safetensors")} == {
        "mine",
        "min_gru",
        "mine-2",
    }


def test_encoder_and_decoder_may_be_of_unlike_cells(unrolled, mine, files):
    words = ["--cell", "lem", "--decoder-cell", "mine.py:Mine", "--attention", "additive", "--input-feeding"]
    done = unrolled("train", "translate", files["translate"], *words, *TINY)
    assert done.code == 0, done.err
    words = ["--cell", "mine.py:Mine", "--decoder-cell", "slstm", "--bidirectional"]
    done = unrolled("train", "translate", files["translate"], *words, *TINY)
    assert done.code == 0, done.err


@pytest.mark.parametrize("task", ["classify", "caption", "generate"])
def test_a_cell_of_two_states_does_every_task(files, task):
    made = estimator_class(task)(cell="lem", num_layers=2, hidden_size=4, epochs=1)
    made.fit(str(files[task]))
    assert examine(made, str(files[task]), task).diagnosis.jacobians[0].state_size == 8


@pytest.mark.parametrize(
    ("source", "cell", "said"),
    [
        (MINE, "none.py:Mine", "expected a file of Python before the colon of none.py:Mine, found none"),
        (MINE, "mine.py:Yours", "expected a cell named 'Yours' in mine.py, found Mine"),
        (MINE, "mine.py:sigmoid", "expected a Cell, its class, its program or its name"),
        (MINE.replace("Cell)", "Cell"), "mine.py:Mine", "mine.py cannot be run: SyntaxError"),
        (BRANCHING, "mine.py:Mine", "mine.py: if h > 0: -- a cell's step cannot branch"),
        (MINE.replace("return (1", "return h, (1"), "mine.py:Mine", "to return its 1 states (h), got 2"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(unrolled, mine, files, source, cell, said):
    mine.write_text(source)
    done = unrolled("train", "tag", files["tag"], "--cell", cell, *TINY)
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert done.err.startswith("Error: ")
    assert done.err.count("\n") == 1


def first_of(program, op):
    return next(each for each in program["instructions"] if each[0] == op)


def unknown_instruction(options):
    first_of(options["cell"], "tanh")[0] = "system"


def later_value(options):
    first_of(options["cell"], "add")[1][0] = 99


def index_out_of_range(options):
    first_of(options["cell"], "input")[2] = 40


def unknown_format(options):
    options["cell"]["format"] = 7


def no_results(options):
    del options["cell"]["results"]


def name_of_a_folder(options):
    options["cell"]["name"] = "../elsewhere"


def file_to_run(options):
    options["cell"] = "mine.py:Mine"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (unknown_instruction, "expected a known operation .* got 'system'"),
        (later_value, "to read 2 earlier ones, got"),
        (index_out_of_range, "input, to be one of 2, got 40"),
        (unknown_format, "expected a cell's program of format 1, got 7"),
        (no_results, "expected a cell's program, got one whose parts do not fit: 'results'"),
        (name_of_a_folder, "expected the cell's name to be of letters"),
        (file_to_run, "to be a name or a program, got 'mine.py:Mine'"),
    ],
)
def test_a_saved_program_that_was_tampered_with_is_refused(unrolled, mine, trained, files, change, said):
    shutil.copytree(trained / "tag", "tampered")
    mine.write_text("raise SystemExit('the file was run')")
    config = mine.parent / "tampered" / "config.json"
    content = json.loads(config.read_text())
    change(content["options"])
    config.write_text(json.dumps(content))
    manifest = config.parent / "manifest.json"
    listed = json.loads(manifest.read_text())
    data = config.read_bytes()
    listed["files"]["config.json"] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest.write_text(json.dumps(listed))
    with pytest.raises(ModelFolderError, match=said):
        load("tampered")
    done = unrolled("evaluate", "tampered", files["tag"])
    assert done.code == 2
    assert done.err.startswith("Error: tampered: ")
