"""Draws cases until the time is over or a difference is found: see scripts/fuzz."""

import argparse
import random
import sys
import time
import traceback
from collections import Counter

from tests.fuzz.case import Case
from tests.fuzz.subjects import SUBJECTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/fuzz")
    parser.add_argument("seconds", type=float, help="how long to draw")
    parser.add_argument("seed", type=int, nargs="?", help="what decides every draw; new where absent")
    parser.add_argument("--keep-going", action="store_true", help="go on after a difference, and count them")
    for flag in SUBJECTS:
        parser.add_argument(f"--{flag}", action="store_true", help=f"only {flag}, or what else is named")
    options = parser.parse_args()
    named = [flag for flag in SUBJECTS if getattr(options, flag)] or list(SUBJECTS)
    draws = {name: draw for flag in named for name, draw in SUBJECTS[flag].items()}
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    print(f"seed {seed}: {', '.join(draws)}, {options.seconds:g} seconds", flush=True)
    drawn: Counter[str] = Counter()
    sets: Counter[tuple[str, str]] = Counter()
    different: Counter[str] = Counter()
    end = time.monotonic() + options.seconds
    number = 0
    while time.monotonic() < end and (options.keep_going or not different):
        for name, draw in draws.items():
            # A case's own seed is printed with it, so that it can be drawn alone.
            case = draw(random.Random(f"{seed} {name} {number}"))
            drawn[name] += getattr(case, "size", 1)
            if instruction_set := getattr(case, "instruction_set", None):
                sets[name, instruction_set] += 1
            if found := _difference(case):
                different[name] += 1
                print(
                    f"\n# {name}, number {number} of seed {seed}\n# {found}\n{case.program()}\n", flush=True
                )
        number += 1
    for name, count in drawn.items():
        each = ", ".join(f"{part} {kind}" for (of, kind), part in sorted(sets.items()) if of == name)
        print(f"{count} {name} drawn{each and f' ({each})'}, {different[name]} differ")
    return bool(different)


def _difference(case: Case) -> str | None:
    try:
        found = case.difference()
    except Exception:
        found = traceback.format_exc()
    return found and found.strip().replace("\n", "\n# ")


if __name__ == "__main__":
    sys.exit(main())
