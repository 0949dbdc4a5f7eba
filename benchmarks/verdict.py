"""Verdicts on networks whose truth is known, and what following their advice comes to.

Constructed layers have rates that are known to the digit; others are trained, healthy ones of every task and
ones that are broken on purpose, each from several seeds. Printed is a line for each as it is done, and at the
end the share of verdicts that are right, and the false alarms on healthy networks. With ``--follow`` a broken
one is trained again with the first remedy, followed verbatim, and with the winner of short trainings; beside
its score before stand both after.

Every line is kept in a file, and a later run goes on where an earlier one ended; ``--table`` runs nothing and
prints what is kept as the tables of docs/verdict.md.

    python -m benchmarks.verdict [--follow] [--seeds 3] [--broken] [--only NAME] [--budget 30]
        [--kept verdict.jsonl] [--table]
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.verdicts.constructed import constructed, verdict_of
from benchmarks.verdicts.trained import Trained, broken, healthy
from unrolled.inspection.examination import examine
from unrolled.inspection.trials import try_remedies
from unrolled.tasks.base import Estimator


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--follow", action="store_true", help="train again as the verdict advises")
    parser.add_argument("--seeds", type=int, default=3, help="of each trained network")
    parser.add_argument("--broken", action="store_true", help="only those that are broken on purpose")
    parser.add_argument("--only", default="", help="networks whose name holds this")
    parser.add_argument(
        "--budget", type=float, default=30.0, help="seconds of work for one's short trainings"
    )
    parser.add_argument("--kept", type=Path, default=Path("verdict.jsonl"), help="where lines are kept")
    parser.add_argument(
        "--table", action="store_true", help="print what is kept as Markdown, and run nothing"
    )
    given = parser.parse_args()
    kept = _kept(given.kept)
    if given.table:
        print(_tables(kept))
        return
    print(machine())
    rows = []
    for key, make in _cases(given):
        if key not in kept or (given.follow and kept[key]["broken"] and "before" not in kept[key]):
            kept[key] = make()
            with given.kept.open("a") as file:
                print(json.dumps({"key": key} | kept[key]), file=file)
        rows.append(kept[key])
        print(_line(key, kept[key]), flush=True)
    print(_summary(rows))


def _kept(path: Path) -> dict[str, dict[str, Any]]:
    """What earlier runs have found, the latest of each."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {row.pop("key"): row for row in map(json.loads, lines)}


def _cases(given: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    for layer in constructed():
        if given.only in layer.name and not given.broken:
            yield f"constructed: {layer.name}", lambda layer=layer: _constructed(layer)
    for seed in range(given.seeds):
        for case in (*healthy(), *broken()):
            if given.only in case.name and (case.broken or not given.broken):
                yield f"{case.name}, seed {seed}", lambda case=case, seed=seed: _trained(case, seed, given)


def _constructed(layer: Any) -> dict[str, Any]:
    verdict = verdict_of(layer)
    return {
        "kind": verdict.kind,
        "right": verdict.kind in layer.right,
        "healthy": layer.right == ("healthy",),
        "broken": False,
        "said": verdict.sentence,
    }


def _trained(case: Trained, seed: int, given: argparse.Namespace) -> dict[str, Any]:
    fitted = case.fit(seed)
    test = case.test(seed)
    examined = examine(fitted, test, case.name)
    verdict = examined.diagnosis.verdict
    first = verdict.remedies[0] if verdict.remedies else None
    fits = case.first is None or (first is not None and case.first in first.options)
    row: dict[str, Any] = {
        "kind": verdict.kind,
        "right": verdict.kind in case.right and fits,
        "healthy": case.right == ("healthy",),
        "broken": case.broken,
        "said": verdict.sentence,
        "first": None if first is None else first.flag,
    }
    if not (given.follow and case.broken):
        return row
    assert examined.evidence is not None
    trials = try_remedies(
        fitted, examined.evidence, verdict, case.train(seed), folder=case.name, budget=given.budget
    )
    score, mode = fitted.monitored
    row |= {"score": score, "mode": mode, "before": _score(fitted, test)}
    row["baseline"] = _baseline(fitted, test)
    row["after first"] = None if first is None else _followed(case, seed, first.options, test)
    winner = trials.winner
    row["winner"] = None if winner is None else winner.flag
    if winner is None or first is None or dict(winner.options) != dict(first.options):
        row["after winner"] = None if winner is None else _followed(case, seed, winner.options, test)
    else:
        row["after winner"] = row["after first"]
    return row


def _followed(case: Trained, seed: int, changes: Any, test: Any) -> float:
    return _score(case.fit(seed, **changes), test)


def _score(fitted: Estimator, test: Any) -> float:
    return fitted.evaluate(test, baselines=False).scores[fitted.monitored[0]]


def _baseline(fitted: Estimator, test: Any) -> float | None:
    """The best score of a simple method on the same data."""
    score, mode = fitted.monitored
    beside = [scores[score] for scores in fitted.evaluate(test).baselines.values() if score in scores]
    return (min if mode == "min" else max)(beside, default=None)


def _line(key: str, row: dict[str, Any]) -> str:
    said = f"{'right' if row['right'] else 'WRONG':<6} {key:<44} {row['kind']}"
    if "before" in row:
        after = [
            f"{name} {value:.4f} ({flag})"
            for name, value, flag in (
                ("first remedy", row["after first"], row["first"]),
                ("winner", row["after winner"], row["winner"]),
            )
            if value is not None
        ]
        said += f" | {row['score']} {row['before']:.4f}; {'; '.join(after)}"
    return said if row["right"] else f"{said}: {row['said']}"


def _summary(rows: list[dict[str, Any]]) -> str:
    right = sum(row["right"] for row in rows)
    sound = [row for row in rows if row["healthy"]]
    alarms = sum(row["kind"] != "healthy" for row in sound)
    lines = [
        f"right: {right} of {len(rows)} ({right / max(1, len(rows)):.1%})",
        f"false alarms: {alarms} of {len(sound)} healthy networks",
    ]
    followed = [row for row in rows if "before" in row]
    for name in ("after first", "after winner"):
        tried = [row for row in followed if row[name] is not None]
        better = sum(_better(row, row[name], row["before"]) for row in tried)
        lost = sum(
            row["baseline"] is not None
            and not _better(row, row["baseline"], row["before"])
            and _better(row, row["baseline"], row[name])
            for row in tried
        )
        if followed:
            lines.append(
                f"{name}: better than before in {better} of {len(followed)}, "
                f"below a baseline that it was above in {lost}"
            )
    return "\n".join(lines)


def _tables(kept: dict[str, dict[str, Any]]) -> str:
    """What is kept as Markdown: the shares, and before and after for each that was followed."""
    lines = [*_summary(list(kept.values())).splitlines(), ""]
    lines += ["| network | verdict | score | baseline | before | first remedy | winner of --try |"]
    lines += ["|---|---|---|--:|--:|---|---|"]
    for key, row in sorted(kept.items()):
        if "before" not in row:
            continue
        after = " | ".join(
            "none" if row[value] is None else f"{row[value]:.4g} (`{row[flag]}`)"
            for value, flag in (("after first", "first"), ("after winner", "winner"))
        )
        beside = "" if row["baseline"] is None else f"{row['baseline']:.4g}"
        score = f"{row['score']} ({'lower' if row['mode'] == 'min' else 'higher'} is better)"
        lines.append(f"| {key} | {row['kind']} | {score} | {beside} | {row['before']:.4g} | {after} |")
    return "\n".join(lines)


def _better(row: dict[str, Any], value: float, other: float) -> bool:
    return value < other if row["mode"] == "min" else value > other


if __name__ == "__main__":
    main()
