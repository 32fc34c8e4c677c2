"""JSON Schema in few words, for what endpoints say of themselves (`spandrel.http.described`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
"""A schema of JSON Schema's draft 2020-12, as OpenAPI 3.1 has it."""

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
NULL: Schema = {"type": "null"}
ANYTHING: Schema = {}
BYTES: Schema = {"type": "string", "format": "binary"}  # a body that is no text
TIME: Schema = {"type": "string", "format": "date-time"}  # RFC 3339
DIGITS: Schema = {"type": "string", "pattern": "^[0-9]+$"}  # a number of 64 bits, which JSON's readers would round

OPTIONAL = "?"  # ends the name of a field that may be missing


def hex_id(*digits: int) -> Schema:
    """An id in small hex digits, of one of these lengths."""
    return {"type": "string", "pattern": f"^({'|'.join(f'[0-9a-f]{{{count}}}' for count in digits)})$"}


def whole(least: int, most: int, default: int | None = None) -> Schema:
    """A whole number from `least` to `most`."""
    told = {} if default is None else {"default": default}
    return {"type": "integer", "minimum": least, "maximum": most, **told}


def one_of(*words: str) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": list(words)}


def nullable(schema: Schema) -> Schema:
    """That, or null."""
    return {"anyOf": [schema, NULL]}


def list_of(schema: Schema) -> Schema:
    """Any number of these."""
    return {"type": "array", "items": schema}


def row_of(count: int, *schemas: Schema) -> Schema:
    """An array of `count` values, each of which is one of these; few tools know `prefixItems`."""
    items = schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}
    return {"type": "array", "items": items, "minItems": count, "maxItems": count}


def map_of(schema: Schema) -> Schema:
    """An object of any names whose values are these."""
    return {"type": "object", "additionalProperties": schema}


def named(name: str) -> Schema:
    """The schema of that name, which the description of some API has among its `schemas`."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(fields: Mapping[str, Schema], *, others: bool = False) -> Schema:
    """An object with these fields, and with `others` any besides. A name that ends in `?` may be missing."""
    needed: Sequence[str] = [name for name in fields if not name.endswith(OPTIONAL)]
    told: dict[str, Any] = {
        "type": "object",
        "properties": {name.removesuffix(OPTIONAL): schema for name, schema in fields.items()},
    }
    return told | ({"required": needed} if needed else {}) | ({} if others else {"additionalProperties": False})
