"""The words of a filter expression."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .filter_tree import InvalidFilter

FILTER_CHARACTERS_MAX = 4096

Kind = Literal["text", "number", "annotation", "json", "sign", "word", "end"]

_BARE = r'[^\s"(){}\[\],:=!<>#]'
_TOKEN = re.compile(
    rf"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?!{_BARE}))
      | annotation\s*\[\s*(?P<annotation>"(?:[^"\\]|\\.)*"|[^\]"]*?)\s*\]
      | (?P<json>\#)
      | (?P<sign>[!<>]=|[=!<>(){{}},:])
      | (?P<word>{_BARE}+(?:::{_BARE}+)*)
    )""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE | re.ASCII,
)
_END = re.compile(r"\s*\Z")


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is what it says: a text without its quotes, an annotation's key. `at` and `behind` are where it begins and
    where what follows does.
    """

    kind: Kind
    text: str
    at: int
    behind: int


def token_at(expression: str, at: int) -> Token:
    """The word that begins at or behind a place. InvalidFilter where there is none."""
    if _END.match(expression, at):
        return Token("end", "", len(expression), len(expression))
    found = _TOKEN.match(expression, at)
    if not found:
        raise refusal(expression, at, "this is no word of a filter expression")
    kind = found.lastgroup
    assert kind is not None
    text = found[kind]
    if text.startswith('"'):
        text = _unquoted(text)
    return Token(kind, text, found.start(kind), found.end())  # type: ignore[arg-type]


def refusal(expression: str, at: int, message: str) -> InvalidFilter:
    """What is wrong, with where it stands."""
    rest = expression[at:].lstrip()
    where = f"at `{rest[:40]}`" if rest else "at its end"
    return InvalidFilter(f"Invalid filter expression, {where}: {message}")


def quoted(text: str) -> str:
    """A text between quotation marks."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquoted(text: str) -> str:
    """Only a quotation mark and a backslash are escaped; any other backslash is itself."""
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])
