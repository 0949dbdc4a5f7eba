"""What the texts of both sides are cut into, where the user does not say."""

from __future__ import annotations

from unrolled.data.example import Examples
from unrolled.tasks.translation.config import TranslateConfig
from unrolled.tasks.writing.units import guess_unit


def settled_units(config: TranslateConfig, examples: Examples) -> dict[str, str]:
    """The options ``unit`` and ``target_unit`` with guesses in place of auto; one for a shared vocabulary."""
    sources, targets = [one.inputs for one in examples], [one.target for one in examples]
    asked: list[str] = [config.unit, config.target_unit]
    if config.shared_vocabulary:
        given = [unit for unit in asked if unit != "auto"]
        asked = [given[0] if given else guess_unit([*sources, *targets])] * 2
    source, target = (
        guess_unit(texts) if unit == "auto" else unit
        for unit, texts in zip(asked, (sources, targets), strict=True)
    )
    return {"unit": source, "target_unit": target}
