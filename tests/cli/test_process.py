"""The command as a process of its own: signals, pipes, and what it does not import."""

import json
import os
import signal
import subprocess
import sys

from typer.testing import CliRunner

from tests import forked
from unrolled.cli.main import _MADE, app
from unrolled.tasks.registry import about, task_names

COMMAND = [sys.executable, "-c", "from unrolled.cli.main import main; main()"]


SLOW = {"numpy", "accelerate", "matplotlib", "pandas", "pyarrow", "scipy", "sklearn", "tokenizers", "torch"}
"""What takes long to import."""


def in_one_process(*commands):
    """Runs commands one after the other: what each says, and the slow packages imported when it ends."""
    code = (
        "import json, sys; from contextlib import redirect_stderr, redirect_stdout; from io import StringIO\n"
        "from unrolled.cli.main import main\n"
        "for words in json.loads(sys.argv.pop()):\n"
        "    sys.argv[1:] = words; said = StringIO()\n"
        "    try:\n"
        "        with redirect_stdout(said), redirect_stderr(said): main()\n"
        "    except SystemExit:\n"
        f"        print(json.dumps([said.getvalue(), sorted({SLOW} & set(sys.modules))]))"
    )
    given = json.dumps([[str(word) for word in words] for words in commands])
    done = subprocess.run([sys.executable, "-c", code, given], capture_output=True, text=True, check=True)
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def test_help_does_not_wait_for_torch():
    commands = [
        ["--help"],
        *(["train", task, "--help"] for task in task_names()),
        *(
            [verb, "--help"]
            for verb in ("predict", "chat", "doctor", "evaluate", "inspect", "compare", "serve")
        ),
    ]
    shown = in_one_process(*commands)
    assert [packages for _, packages in shown] == [[]] * len(commands)
    for verb in ("train", "evaluate", "predict", "inspect", "doctor", "data"):
        assert verb in shown[0][0]
    for task, (said, _) in zip(task_names(), shown[1:], strict=False):
        assert about(task).split(" ")[0] in said
        assert "--hidden-size" in said
    assert all("Usage" in said for said, _ in shown)


MISTYPED = {
    "train classify no-such.csv": "no-such.csv",
    "train forecast no-such.csv --dry-run": "no-such.csv",
    "train tag deep --test no-such.csv": "no-such.csv",
    "train translate one.de,one.en": "one.de",
    "train classify adding --hidden-size many": "hidden_size",
    "train classify adding --config no-such.json": "no-such.json",
    "inspect classify no-such.csv": "no-such.csv",
    "compare --cells rnn,gru classify no-such.csv": "no-such.csv",
    "predict nowhere x": "nowhere",
    "evaluate nowhere x": "nowhere",
    "inspect nowhere x": "nowhere",
    "diagnose nowhere x": "nowhere",
    "compare nowhere elsewhere x": "nowhere",
    "chat nowhere": "nowhere",
    "doctor nowhere": "nowhere",
    "serve nowhere": "nowhere",
    "push nowhere a/b": "nowhere",
    "train classify adding --from nowhere": "nowhere",
}


def test_what_is_mistyped_is_said_before_torch_is_imported(models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = [line.split() for line in MISTYPED]
    commands += [[verb, models["classify"], "none.csv"] for verb in ("predict", "evaluate", "diagnose")]
    for (said, packages), named in zip(
        in_one_process(*commands), [*MISTYPED.values(), *["none.csv: expected a file"] * 3], strict=True
    ):
        assert not packages, said
        assert said.startswith("Error: ")
        assert named in said


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
    words = ["train", "classify", files["classify"], *options]
    done = forked.start(tmp_path / "said", "unrolled", *words, cwd=tmp_path)
    assert done.wait() == 0, done.err
    assert json.loads(done.out)["task"] == "classify"
    assert done.out.count("\n") == 1


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
        files["classify"],
        "--hidden-size",
        "4",
        "--epochs",
        "20",
        "--patience",
        "none",
    ]
    process = forked.start(tmp_path / "said", "unrolled", *options, "-o", "m", cwd=tmp_path)
    process.wait_to_say("epoch 3/20")
    assert process.process.pid is not None
    os.kill(process.process.pid, signal.SIGINT)
    assert process.wait() == 130
    assert "Traceback" not in process.err
    assert (tmp_path / "m" / "checkpoint").is_dir()
    assert (tmp_path / "m" / "config.json").is_file()  # the best model so far
    assert "--resume" in process.err

    assert unrolled(*options, "-o", "m", "--resume").code == 0
    assert unrolled(*options, "-o", "whole").code == 0
    assert not (tmp_path / "m" / "checkpoint").exists()
    assert (tmp_path / "m" / "model.safetensors").read_bytes() == (
        tmp_path / "whole" / "model.safetensors"
    ).read_bytes()


def test_ctrl_c_while_a_command_is_made_is_said(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setitem(_MADE, "doctor", interrupted)
    ended = CliRunner().invoke(app, ["doctor"])
    assert (ended.exit_code, ended.stderr) == (130, "Interrupted; nothing was saved.\n")


def test_ctrl_c_within_an_import_comes_when_that_is_done(tmp_path):
    # As code in C does, which clears errors that it does not expect.
    (tmp_path / "swallowing.py").write_text(
        "import signal\n"
        "try:\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    whole = True\n"
        "except KeyboardInterrupt:\n"
        "    pass\n"
    )
    program = """
import signal, time, unrolled.__main__, unrolled.cli.main

def run():
    import swallowing
    print(swallowing.whole, flush=True)
    time.sleep(5)
    print("went on")

unrolled.cli.main.main = run
signal.signal(signal.SIGINT, signal.default_int_handler)
unrolled.__main__.main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (
        130,
        "True\n",
        "Interrupted; nothing was saved.\n",
    )


def test_ctrl_c_behind_a_commands_end_changes_nothing():
    program = """
import os, signal, unrolled.__main__, unrolled.cli.main

class TakenDown:
    def __del__(self, kill=os.kill, this=os.getpid(), number=signal.SIGINT):
        kill(this, number)

taken_down = TakenDown()
unrolled.cli.main.main = lambda: print("done")
signal.signal(signal.SIGINT, signal.default_int_handler)
unrolled.__main__.main()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


def test_ctrl_c_within_a_finalizer_is_not_lost():
    program = """
import signal, time, unrolled.__main__, unrolled.cli.main

class Ended:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

def run():
    made = Ended()
    del made
    time.sleep(5)
    print("went on")

unrolled.cli.main.main = run
unrolled.__main__.main()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "Interrupted; nothing was saved.\n")
