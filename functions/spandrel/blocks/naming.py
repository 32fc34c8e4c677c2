"""The names of a block's columns. Apart from the schema, so that who only reads needs no Arrow."""

from __future__ import annotations

import re
from typing import Literal, get_args

FORMAT_VERSION = 1

# Every block has these, whatever is in it.
ALWAYS = ("trace_id", "span_id", "parent_span_id", "name", "kind", "service", "start_time_unix_nano", "duration_nano")

AttributeScope = Literal["span", "resource", "scope"]
ATTRIBUTE_SCOPES: tuple[AttributeScope, ...] = get_args(AttributeScope)

AttributeType = Literal["string", "int", "double", "bool", "bytes", "string[]", "int[]", "double[]", "bool[]"]
ATTRIBUTE_TYPES: tuple[AttributeType, ...] = get_args(AttributeType)

SERVICE_NAME = "service.name"
REST_KEY = "spandrel.rest"  # of a footer's key-value metadata: which attributes have no column
COUNTED_MAX = 512  # keys of a scope that are counted there, the most frequent
KEY_BYTES_MAX = 200  # a longer key stays in the rest

_COLUMN = re.compile(r"(span|resource|scope)\.(.+):([a-z]+(?:\[\])?)", re.DOTALL)
_CAPITAL = re.compile(r"[A-Z^]")
_MARKED = re.compile(r"\^([A-Z^])")


def attribute_column(scope: AttributeScope, key: str, attribute_type: AttributeType) -> str:
    """The column of an attribute: `span.http.route:string`.

    DuckDB and Athena take names that differ only in case for one, OTLP does not: so `^` stands before each capital
    (`userId` is `user^Id`), and before itself.
    """
    return f"{scope}.{_CAPITAL.sub(lambda found: '^' + found[0], key)}:{attribute_type}"


def attribute_of_column(column: str) -> tuple[AttributeScope, str, AttributeType] | None:
    """Scope, key and type of an attribute column; None for any other column."""
    found = _COLUMN.fullmatch(column)
    if found is None or found[3] not in ATTRIBUTE_TYPES:
        return None
    return found[1], _MARKED.sub(r"\1", found[2]), found[3]  # type: ignore[return-value]


def may_be_a_column(key: str) -> bool:
    """Whether a key can name a column in every engine: some text, not too long, no control characters."""
    return 0 < len(key.encode()) <= KEY_BYTES_MAX and key.isprintable()
