"""Query parameters: by name, under any of their names, and refused by the name that the client used."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from spandrel.model.errors import Rejected

_Value = TypeVar("_Value")

# As Go's strconv.ParseBool takes them.
_BOOLEANS = dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True) | dict.fromkeys(
    ("0", "f", "F", "false", "FALSE", "False"), False
)


class Parameters:
    """A request's parameters. Of a repeated one the first counts, and an empty one is none, as in Go's url.Values."""

    def __init__(self, query: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        self._all: dict[str, list[str]] = {}
        for name, value in query:
            self._values.setdefault(name, value)
            self._all.setdefault(name, []).append(value)

    @property
    def names(self) -> list[str]:
        """The names of all parameters, each once."""
        return list(self._values)

    def text(self, *names: str) -> str | None:
        """The value under the first of the names that has one."""
        return self.parsed(str, *names)

    def texts(self, name: str) -> list[str]:
        """All values of a parameter that may be repeated, but empty ones."""
        return [value for value in self._all.get(name, ()) if value]

    def parsed(self, parse: Callable[[str], _Value], *names: str) -> _Value | None:
        """The value, parsed. `parse` raises ValueError, which says what the parameter takes; that becomes Rejected."""
        for name in names:
            if self._values.get(name):
                try:
                    return parse(self._values[name])
                except ValueError as error:
                    raise Rejected(f"malformed parameter {name}: {error}") from error
        return None

    def required(self, parse: Callable[[str], _Value], *names: str) -> _Value:
        """The value, parsed; Rejected where there is none."""
        value = self.parsed(parse, *names)
        if value is None:
            raise Rejected(f"parameter {names[0]} is required")
        return value


def boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise ValueError(f"takes true or false, not {text[:80]!r}")
    return _BOOLEANS[text]


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Parses decimal numbers from `least` to `most`."""

    def parse(text: str) -> int:
        if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20 and least <= int(text) <= most:
            return int(text)
        raise ValueError(f"takes a number from {least} to {most}, not {text[:80]!r}")

    return parse
