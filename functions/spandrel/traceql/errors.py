"""Why a query is refused. All are the client's to mend, so all are `Rejected` (400)."""

from __future__ import annotations

from spandrel.model.errors import Rejected

QUOTED_CHARACTERS_MAX = 160


class InvalidQuery(Rejected):
    """A query that cannot be answered as it stands."""


class UnparsableQuery(InvalidQuery):
    """Text that is no TraceQL. `line` and `column` (characters) count from 1 and say where it stops being so."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.line = line
        self.column = column


class MistypedQuery(InvalidQuery):
    """TraceQL that cannot mean anything: `{ name > 5 }`. The message quotes the part."""


class UnsupportedQuery(InvalidQuery):
    """TraceQL that means something, but that Spandrel, like Grafana Tempo, does not answer. The message quotes it."""


def quote(part: str) -> str:
    """A part of a query for a message; a long one loses its end."""
    return f"`{part}`" if len(part) <= QUOTED_CHARACTERS_MAX else f"`{part[:QUOTED_CHARACTERS_MAX]}…`"


def place(text: str, index: int) -> tuple[int, int]:
    """Line and column of a character, from 1."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
