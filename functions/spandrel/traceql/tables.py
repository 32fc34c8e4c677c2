"""The parser for grammar.lark, from tables made beforehand: that takes a twentieth of the time that making them does.

The tables say in their first line of which grammar and which lark they are. Where that is another one, the parser is
made from the grammar, so it is never wrong, only slow to start; a test holds grammar.tables to be up to date.
`python -m spandrel.traceql.tables` makes them anew.
"""

from __future__ import annotations

import hashlib
import io
from functools import cache
from pathlib import Path

import lark

GRAMMAR = Path(__file__).with_name("grammar.lark")
TABLES = Path(__file__).with_name("grammar.tables")


@cache
def parser() -> lark.Lark:
    """The one parser of this process. It keeps no state between queries."""
    marker, _, tables = TABLES.read_bytes().partition(b"\n")
    return lark.Lark.load(io.BytesIO(tables)) if marker == current() else made_from_grammar()


def made_from_grammar() -> lark.Lark:
    return lark.Lark(GRAMMAR.read_text(), parser="lalr", lexer="basic")


def current() -> bytes:
    """What the first line of the tables is when they are of this grammar and this lark."""
    return hashlib.sha256(lark.__version__.encode() + GRAMMAR.read_bytes()).hexdigest().encode()


def write() -> None:
    tables = io.BytesIO()
    made_from_grammar().save(tables)
    TABLES.write_bytes(current() + b"\n" + tables.getvalue())


if __name__ == "__main__":
    write()
