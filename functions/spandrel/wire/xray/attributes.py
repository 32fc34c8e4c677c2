"""Members of X-Ray's segment documents as OTLP attributes, and what is left over as JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from spandrel.model import xray
from spandrel.model.errors import Undecodable

Object = dict[str, Any]
"""A JSON object, as json.loads gives it."""

Attributes = list[dict[str, Any]]
"""KeyValue messages, as protobuf's constructor takes them."""

DEPTH_MAX = 8  # of objects in objects that become attributes; documented members are four deep
INT64 = range(-(2**63), 2**63)

# Members that are no attributes, because these would have the names of others.
_RESERVED = frozenset({"annotation", "other", "stack"})
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_is_integer = re.compile(r"-?[0-9]{1,18}").fullmatch


def flattened(
    members: Object, renamed: Mapping[str, str], prefix: str, attributes: Attributes, path: str = "", depth: int = 1
) -> Object:
    """Adds an attribute for each member that can be one, in any depth -> the others, where they stood.

    Its name is that of its path in `renamed`, if the value is what that attribute holds; else `prefix` and the path.
    """
    left: Object = {}
    for key, value in members.items():
        here = f"{path}.{key}" if path else key
        if value is None or value == {}:
            continue  # says no more than if it were not there
        if not key or "." in key or here in _RESERVED:
            left[key] = value
        elif type(value) is dict and depth < DEPTH_MAX:
            inner = flattened(value, renamed, prefix, attributes, here, depth + 1)
            if inner:
                left[key] = inner
        elif here in renamed and (found := _fitting(here, value)):
            attributes.append({"key": renamed[here], "value": found})
        elif found := any_value(value):
            attributes.append({"key": prefix + here, "value": found})
        else:
            left[key] = value
    return left


def any_value(value: Any) -> dict[str, Any] | None:
    """A text, number, boolean or list of texts as AnyValue; None for anything else."""
    if type(value) is str:
        return {"string_value": value}
    if type(value) is bool:
        return {"bool_value": value}
    if type(value) is int:
        return {"int_value": value} if value in INT64 else None
    if type(value) is float:
        return {"double_value": value} if math.isfinite(value) else None
    return _texts(value)


def put_json(attributes: Attributes, key: str, value: Any) -> None:
    """Adds a value as JSON text. Undecodable for numbers beyond all bounds, which JSON cannot say."""
    try:
        text = _json.encode(value)
    except ValueError as error:
        raise Undecodable(f"{key} is no JSON: {error}") from error
    attributes.append({"key": key, "value": {"string_value": text}})


def _fitting(path: str, value: Any) -> dict[str, Any] | None:
    """The value as the attribute of that path holds it, or None."""
    if path in xray.INTEGERS:
        if type(value) is str and _is_integer(value):  # some clients send numbers as text
            return {"int_value": int(value)}
        return any_value(value) if type(value) is int else None
    if path in xray.ONE_OF_A_LIST:
        return _texts([value])
    if path in xray.LISTS:
        return _texts(value) if type(value) is list and len(value) > 1 else None
    return {"string_value": value} if type(value) is str else None


def _texts(value: Any) -> dict[str, Any] | None:
    if type(value) is not list or not value or not all(type(item) is str for item in value):
        return None
    return {"array_value": {"values": [{"string_value": item} for item in value]}}
