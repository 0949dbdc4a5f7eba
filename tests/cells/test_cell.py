"""A cell's definition and the program traced from it: what is said of one that cannot be."""

import json

import pytest
import torch

from unrolled import cells
from unrolled.cells import Cell, library, sigmoid, tanh
from unrolled.cells.lookup import description_of
from unrolled.errors import ConfigError
from unrolled.ops.cells.graph import Graph
from unrolled.ops.cells.program import Program


class Minimal(Cell):
    gates = ("forget_gate", "candidate")

    def step(self, x, u, h):
        f = sigmoid(x.forget_gate + u.forget_gate(h))
        n = tanh(x.candidate + u.candidate(f * h))
        return (1 - f) * h + f * n


def test_a_program_is_plain_json_and_comes_back():
    program = Minimal().program()
    again = Program.from_dict(json.loads(json.dumps(program.to_dict())))
    assert again == program
    assert hash(again) == hash(program)
    assert (
        description_of(program.to_dict()) == description_of(Minimal) == description_of(Minimal()) == program
    )


def test_what_is_written_twice_is_computed_once_and_constants_are_at_once():
    class Twice(Minimal):
        def step(self, x, u, h):
            again = sigmoid(x.forget_gate + u.forget_gate(h)) * (2.0 * 0.5) + 0
            return again * sigmoid(u.forget_gate(h) + x.forget_gate) + u.candidate(h) + x.candidate

    with pytest.raises(ConfigError, match="once a step"):
        # A second product with the same matrix is another one where its operand is.
        type(
            "Other",
            (Minimal,),
            {"step": lambda self, x, u, h: u.candidate(h) + u.candidate(2 * h) + x.forget_gate},
        )().program()
    ops = [each.op for each in Twice().program().instructions]
    assert ops.count("sigmoid") == ops.count("input") - 1 == 1
    assert "constant" not in ops


def test_the_gates_values_are_found():
    program = Minimal().program()
    assert [program.instructions[at].op for at in program.gate_values] == ["sigmoid", "tanh"]


def step_of(source):
    space = {"torch": torch, **vars(cells)}
    exec(f"def step(self, x, u, h):\n{source}", space)
    return type("Wrong", (Minimal,), {"step": space["step"]})


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("    if x.candidate > 0:\n        return h\n    return -h", "line 2 .*branch or loop"),
        ("    return torch.sin(h)", "line 2 .*torch.sin is not one of the functions"),
        ("    return h, h", "return its 1 states .h., got 2"),
        ("    return x.reset_gate", "one of the gates forget_gate, candidate, got 'reset_gate'"),
        ("    return 'h'", "computed of x, u and the states, got str"),
        ("    return x.candidate + u.candidate(h)", "use each of its gates, got none of forget_gate"),
        ("    return h @ h", "line 2 .*unsupported operand"),
        ("    return h ** 3", "can square a value"),
        ("    return [unit for unit in h]", "cannot be taken apart"),
        ("    return where(h, h, h)", "chooses by a comparison"),
        ("    return u.candidate(2.0)", "of a state or a computed value"),
        ("    return x.candidate + 'a'", "parameters and numbers: got str"),
        ("    return undefined", "line 2 .*NameError"),
        ("    return h if h == 0 else x.candidate", "line 2 .*compares with < and >"),
        ("    return where(h <= 0, h, -h)", "line 2 .*compares with < and >"),
        ("    return h[:, 0]", "line 2 .*cannot be taken apart; with fused = False"),
        ("    return h.tanh()", r"line 2 .*has no .tanh: use the functions of unrolled.cells; with fused"),
        ("    return h ** x.candidate", r"got \*\* a value"),
        ("    return h * torch.ones(3)", "numbers: got Tensor"),
        ("    return torch.ones(3) * h", r"a number or one of the cell's parameters, got a tensor of shape"),
    ],
)
def test_what_a_program_cannot_say_is_refused_with_its_line(source, said):
    with pytest.raises(ConfigError, match=said):
        step_of(source)().program()


def _five(self, x, u, *states):
    return states[0] + x.g, *states[1:]


def test_a_description_that_does_not_fit_is_refused():
    def changed(**attributes):
        return type("Wrong", (Minimal,), attributes)().program()

    with pytest.raises(ConfigError, match=r"expected step.self, x, u, h, c."):
        changed(states=("h", "c"))
    with pytest.raises(ConfigError, match="tuple of names, got 'candidate'"):
        changed(gates="candidate")
    with pytest.raises(ConfigError, match="gates that u multiplies"):
        changed(matrices={"update_gate": "antisymmetric"})
    with pytest.raises(ConfigError, match="expected one of full, antisymmetric"):
        changed(matrices={"candidate": "round"})
    with pytest.raises(ConfigError, match="other names than the layer's own"):
        changed(parameters={"weight_ih": cells.constant(1)})
    with pytest.raises(ConfigError, match="expected one of the gates"):
        changed(keep_gate="update_gate")
    with pytest.raises(ConfigError, match=r"begin with a letter, such as 'h', got \['_g', 'a b'\]"):
        changed(gates=("_g", "a b"))
    with pytest.raises(ConfigError, match=r"start of 'a', got 0.5"):
        changed(parameters={"a": 0.5})
    with pytest.raises(ConfigError, match=r"start of 'a', got Initial.kind='uniform', first=1.0, second=0.0"):
        changed(parameters={"a": cells.uniform(1, 0)})
    with pytest.raises(ConfigError, match=r"parameters of Wrong by name, .* got \('a',\)"):
        changed(parameters=("a",))
    with pytest.raises(ConfigError, match=r"names that no Cell has, got \['step'\]"):
        changed(parameters={"step": cells.constant(1)})
    with pytest.raises(ConfigError, match="number where a parameter begins, got 'one'"):
        cells.constant("one")
    with pytest.raises(ConfigError, match="have a step"):
        type("Empty", (Cell,), {"gates": ("candidate",)})().program()
    with pytest.raises(ConfigError, match="1 to 4 states, got 5"):
        type("Many", (Cell,), {"states": tuple("abcde"), "gates": ("g",), "step": _five})().program()


def tampered(change):
    content = Minimal().program().to_dict()
    change(content)
    return content


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p.update(format=99), "format 1, got 99"),
        (lambda p: p.pop("states"), "parts do not fit"),
        (lambda p: p["instructions"].append(["system", [0], 0]), "known operation .*got 'system'"),
        (lambda p: p["instructions"].append(["add", [0, 99], 0]), "read 2 earlier ones"),
        (lambda p: p["instructions"].append(["add", [0, len(p["instructions"])], 0]), "read 2 earlier ones"),
        (lambda p: p["instructions"].append(["add", [0, -1], 0]), "read 2 earlier ones"),
        (lambda p: p["instructions"].append(["add", [True, 0], 0]), "read 2 earlier ones"),
        (lambda p: p["instructions"].append(["state", [], 7]), "one of 1, got 7"),
        (lambda p: p["instructions"].append(["input", [], 0.5]), "one of 2, got 0.5"),
        (lambda p: p["instructions"].append(["constant", [], float("nan")]), "finite constant"),
        (lambda p: p["instructions"].append(["constant", [], "1"]), "number as the value"),
        (lambda p: p["instructions"].extend([["neg", [0], 0]] * 600), "1 to 500 instructions"),
        (lambda p: p.update(results=[99]), "instruction for each of 1 states"),
        (lambda p: p.update(gates=["a b", "c"]), "names such as 'h'"),
        (lambda p: p.update(gates=["candidate", "candidate"]), "name of its own"),
        (lambda p: p.update(inputs=["candidate", "forget_gate"]), "in their order"),
        (lambda p: p.update(parameters={"a": ["normal", 0, 1]}), "constant.* or uniform"),
        (lambda p: p.update(name=3), "to be of letters, digits"),
        (lambda p: p.update(name="gru"), "another name, got 'gru'"),
        (lambda p: p.update(instructions=3), "parts do not fit"),
    ],
)
def test_a_tampered_program_is_refused(change, said):
    with pytest.raises(ConfigError, match=said):
        Program.from_dict(tampered(change))


def test_a_cell_is_found_by_its_name_and_in_its_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from unrolled.cells import Cell, tanh\n"
        "class Mine(Cell):\n    gates = ('g',)\n"
        "    def step(self, x, u, h):\n        return tanh(x.g + u.g(h))\n"
        "class Needs(Mine):\n    def __init__(self, rate):\n        self.rate = rate\n"
    )
    assert description_of(f"{file}:Mine").gates == ("g",)
    with pytest.raises(ConfigError, match="options of its own"):
        description_of(f"{file}:Needs")
    with pytest.raises(ConfigError, match=r"named 'Other' in .*found .*Mine"):
        description_of(f"{file}:Other")
    with pytest.raises(ConfigError, match="found none"):
        description_of(f"{tmp_path / 'no.py'}:Mine")
    # What stands beside it, and a dataclass, which looks its module up; read anew whenever it is asked for.
    (tmp_path / "beside.py").write_text("rate = 2.0")
    file.write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nimport beside\n"
        "from unrolled.cells import Cell, tanh\n@dataclass\nclass Mine(Cell):\n"
        "    rate: float = beside.rate\n    gates = ('a', 'b')\n"
        "    def step(self, x, u, h):\n        return tanh(self.rate * x.a + u.b(h))\n"
        "class Broken(Mine):\n    def __init__(self):\n        1 / 0\n"
    )
    assert description_of(f"{file}:Mine").gates == ("a", "b")
    with pytest.raises(ConfigError, match="Broken cannot be made: ZeroDivisionError"):
        description_of(f"{file}:Broken")
    file.write_text("raise SystemExit(1)")
    with pytest.raises(ConfigError, match="cannot be run: SystemExit: 1"):
        description_of(f"{file}:Mine")
    with pytest.raises(ConfigError, match=r"got '.*mine.py' \(a file without the name of a cell in it\)"):
        description_of(str(file))
    file.write_text("1 / 0")
    with pytest.raises(ConfigError, match="cannot be run: ZeroDivisionError"):
        description_of(f"{file}:Mine")
    with pytest.raises(ConfigError, match=r"rnn, gru, lstm, .*got 'nope'"):
        description_of("nope")
    with pytest.raises(ConfigError, match="expected a Cell"):
        description_of(3)


def test_every_cell_of_the_library_has_a_program():
    for name in library.names():
        assert Program.from_dict(library.cell(name)().program().to_dict()).gates


def test_a_graph_knows_what_is_the_same():
    graph = Graph()
    h, x, zero = graph.add("state"), graph.add("input"), graph.constant(0)
    assert graph.add("sub", zero, h) == graph.add("neg", h)
    assert graph.add("add", x, graph.add("neg", h)) == graph.add("sub", x, h)
    assert graph.add("neg", graph.add("neg", x)) == x
    assert graph.add("maximum", x, h) == graph.add("maximum", h, x)
