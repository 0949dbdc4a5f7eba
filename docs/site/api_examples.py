"""What a docstring calls its example is a section of examples to what builds the page of the API."""

from typing import Any

import griffe


class Examples(griffe.Extension):
    """Reads ``Example:`` as ``Examples:``, so that its lines are code and not quotations."""

    def on_object(self, *, obj: griffe.Object, **others: Any) -> None:
        """Look at every object with a docstring."""
        if obj.docstring is not None:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
