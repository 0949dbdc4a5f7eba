"""All that the harness draws from, by the flag that chooses it: add a subject by adding its `draw` here."""

from tests.fuzz.case import Draw
from tests.fuzz.cells import cell
from tests.fuzz.data import baselines, beside, media, series, spans, steps, tables, targets, tokens
from tests.fuzz.hostile import files, models
from tests.fuzz.layers import layer

SUBJECTS: dict[str, dict[str, Draw]] = {
    "layers": {"layers": layer.draw, "cells": cell.draw},
    "data": {
        "baselines": baselines.draw,
        "tokens": tokens.draw,
        "media": media.draw,
        "series": series.draw,
        "spans": spans.draw,
        "beside": beside.draw,
        "steps": steps.draw,
        "tables": tables.draw,
        "targets": targets.draw,
    },
    "files": {"files": files.draw},
    "models": {"models": models.draw},
}
