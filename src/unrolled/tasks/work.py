"""What the work of a prediction grows with: marks on the fields of its options, for who answers strangers."""

from __future__ import annotations

from pydantic.config import JsonDict

LONGER: JsonDict = {"work": "length"}
"""What a field has as ``json_schema_extra`` by which more steps are made, one after the other."""
WIDER: JsonDict = {"work": "width"}
"""What one has by which more is computed at every step."""
