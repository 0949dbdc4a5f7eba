"""The command as a process of its own: signals, pipes, and what it does not import."""

import json
import signal
import subprocess
import sys

COMMAND = [sys.executable, "-c", "from unrolled.cli.main import main; main()"]


def test_help_does_not_wait_for_torch():
    code = (
        "import sys; from unrolled.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: print({'torch', 'pandas', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
    for verb in ("train", "evaluate", "predict", "inspect", "doctor", "data"):
        assert verb in done.stdout


def test_an_unexpected_error_keeps_its_traceback(models, tmp_path):
    code = (
        "import unrolled.tasks.registry as r; from unrolled.cli.main import main\n"
        "def load(folder): raise ZeroDivisionError('a bug')\n"
        "r.load = load; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "predict", str(models["classify"])],
        input="x\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "a bug" in done.stderr


def test_standard_output_holds_the_object_and_nothing_else(files, tmp_path):
    options = ["--epochs", "1", "--hidden-size", "4", "--json"]
    done = subprocess.run(
        [*COMMAND, "train", "classify", str(files["classify"]), *options],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert json.loads(done.stdout)["task"] == "classify"
    assert done.stdout.count("\n") == 1


def test_predictions_come_out_as_lines_come_in(models):
    process = subprocess.Popen(
        [*COMMAND, "predict", str(models["classify"])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for line in ("a fine film", "a dull film"):
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
        # The input is still open: an answer now is one that did not wait for its end.
        assert process.stdout.readline().strip() in ("good", "bad")
    process.stdin.close()
    process.stdout.close()
    assert process.wait() == 0


def test_ctrl_c_saves_and_resume_ends_as_an_unbroken_run(files, unrolled, tmp_path):
    options = [
        "train",
        "classify",
        str(files["classify"]),
        "--hidden-size",
        "4",
        "--epochs",
        "60",
        "--patience",
        "none",
    ]
    process = subprocess.Popen(
        [*COMMAND, *options, "-o", "m"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = ""
    while "epoch 3/60" not in said:
        said += process.stderr.readline()
    process.send_signal(signal.SIGINT)
    said += process.stderr.read()
    process.stderr.close()
    assert process.wait() == 130
    assert "Traceback" not in said
    assert (tmp_path / "m" / "checkpoint").is_dir()
    assert (tmp_path / "m" / "config.json").is_file()  # the best model so far
    assert "--resume" in said

    assert unrolled(*options, "-o", "m", "--resume").code == 0
    assert unrolled(*options, "-o", "whole").code == 0
    assert not (tmp_path / "m" / "checkpoint").exists()
    assert (tmp_path / "m" / "model.safetensors").read_bytes() == (
        tmp_path / "whole" / "model.safetensors"
    ).read_bytes()
