"""The options of every task that reads tables."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from unrolled.data.table_form import FoundForm, TableForm


class TableOptions(BaseModel):
    """How the tables are written, where their content does not show it."""

    header: bool | None = Field(
        None, description="Whether the first row of a table names the columns; found by default."
    )
    separator: str | None = Field(
        None, min_length=1, max_length=1, description="What stands between a table's cells; found by default."
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="What stands before a number's fraction in tables; found by default."
    )
    encoding: str | None = Field(
        None, description="Encoding of tables and texts, such as cp1252; found by default."
    )

    def table_form(self, known: FoundForm | None = None) -> TableForm:
        """What the readers of tables are told.

        Args:
            known: how the training data was written, once it has been read.
        """
        return TableForm(self.header, self.separator, self.decimal, self.encoding, known)
