"""All that the harness draws from, by the flag that chooses it: add a subject by adding its `draw` here."""

from tests.fuzz.case import Draw
from tests.fuzz.data import baselines

SUBJECTS: dict[str, dict[str, Draw]] = {
    "layers": {},
    "data": {"baselines": baselines.draw},
}
