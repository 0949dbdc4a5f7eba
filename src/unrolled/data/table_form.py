"""How tables are written, where their files do not show it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.saving.schema import ENTRIES

Mark = Literal[".", ","]


@with_config(ENTRIES)
class SavedForm(TypedDict):
    """A `FoundForm` in a model folder."""

    names: list[str]
    header: bool
    separator: str | None
    decimal: Mark | None
    roles: dict[str, str]


@dataclass(frozen=True, slots=True)
class FoundForm:
    """How a table was found to be written, which settles what a later file of its kind leaves open.

    Attributes:
        names: of the columns.
        header: whether the file names them itself.
        separator: what stands between cells; None in files that need none.
        decimal: what stands before a number's fraction; None where no column showed it.
        roles: the columns by what they were taken for, such as `inputs` and `target`.
    """

    names: tuple[str, ...]
    header: bool = True
    separator: str | None = None
    decimal: Mark | None = None
    roles: Mapping[str, str] = field(default_factory=dict)

    def with_roles(self, **columns: str | None) -> FoundForm:
        """The form with what columns were taken for; None names none."""
        return replace(self, roles={role: name for role, name in columns.items() if name is not None})

    def to_json(self) -> SavedForm:
        """Plain JSON values."""
        return SavedForm(
            names=list(self.names),
            header=self.header,
            separator=self.separator,
            decimal=self.decimal,
            roles=dict(self.roles),
        )

    @classmethod
    def from_json(cls, value: SavedForm) -> Self:
        """The inverse of `to_json`."""
        return cls(**{**value, "names": tuple(value["names"])})


@dataclass(frozen=True, slots=True)
class TableForm:
    """How a table is written; None is found out.

    Attributes:
        header: whether the first row of delimited text or of a sheet holds the columns' names.
        separator: what stands between cells: one character.
        decimal: what stands before the fraction of a number; the other mark then groups thousands.
        encoding: of the text, by Python's name.
        known: how the training data was written, which a file is read by where it leaves a choice.
    """

    header: bool | None = None
    separator: str | None = None
    decimal: Mark | None = None
    encoding: str | None = None
    known: FoundForm | None = None


def known_roles(form: TableForm | None, columns: Collection[str]) -> dict[str, str]:
    """What the columns were taken for in the training data, as far as they are there.

    Example:
        >>> found = FoundForm(("a", "b")).with_roles(inputs="a", target="b")
        >>> known_roles(TableForm(known=found), ["a"])
        {'inputs': 'a'}
    """
    roles = form.known.roles if form and form.known else {}
    return {role: name for role, name in roles.items() if name in columns}
