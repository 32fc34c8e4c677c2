"""Attributes as members of a segment document, each in its place; the way back of `spandrel.wire.xray.attributes`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from spandrel.api.values import Attributes, Value, json_of
from spandrel.model import xray
from spandrel.wire.json_body import no_constant

Json = dict[str, Any]

# JSON in an attribute that is nested deeper stays text: whoever reads documents has to read the result.
NESTED_MAX = 64

_SPAN_PATHS = {name: path for path, name in xray.SPAN_ATTRIBUTES.items() if path not in xray.LISTS}
_RESOURCE_PATHS = {name: path for path, name in xray.RESOURCE_ATTRIBUTES.items()}
_EXCEPTION_PATHS = {name: path for path, name in xray.EXCEPTION_ATTRIBUTES.items()}
_TABLES = "aws.dynamodb.table_names"
_brackets = re.compile(r"[\[{]|[\]}]").findall


def span_members(attributes: Attributes, into: Json) -> Attributes:
    """Puts the attributes of a span where they belong -> those that have no place of their own."""
    listed = attributes.get(xray.ANNOTATIONS)
    named = set(listed) if type(listed) is list and _is_texts(listed) else set()
    annotations = {key.removeprefix(xray.ANNOTATION_PREFIX): attributes[key] for key in attributes if key in named}
    others = {key: value for key, value in attributes.items() if key not in named and key != xray.ANNOTATIONS}
    left = _members(others, _SPAN_PATHS, xray.PREFIX, into)
    if annotations:
        merge({"annotations": json_of(annotations)}, into)
    return left


def resource_members(attributes: Attributes, into: Json) -> Attributes:
    """The same of a resource."""
    return _members(attributes, _RESOURCE_PATHS, xray.PREFIX, into)


def exception_members(attributes: Attributes, into: Json) -> Attributes:
    """The same of an event that is an exception."""
    left = {key: value for key, value in attributes.items() if key != xray.STACK}
    if xray.STACK in attributes and not _merge_json(attributes[xray.STACK], ["stack"], into):
        left[xray.STACK] = attributes[xray.STACK]
    return _members(left, _EXCEPTION_PATHS, xray.EXCEPTION_PREFIX, into)


def put(path: list[str], value: Value, into: Json) -> bool:
    """Puts a value at a path, as JSON can say it, and says whether there was room."""
    *above, last = path
    for name in above:
        into = into.setdefault(name, {})
        if type(into) is not dict:
            return False
    if last in into:
        return False
    into[last] = json_of(value)
    return True


def merge(what: Json, into: Json) -> None:
    """Adds members, in any depth. What is there stays."""
    for key, value in what.items():
        if type(value) is dict and type(into.get(key)) is dict:
            merge(value, into[key])
        else:
            into.setdefault(key, value)


def _members(attributes: Attributes, paths: Mapping[str, str], prefix: str, into: Json) -> Attributes:
    left: Attributes = {}
    for key, value in attributes.items():
        if not _placed(key, value, paths, prefix, into):
            left[key] = value
    return left


def _placed(key: str, value: Value, paths: Mapping[str, str], prefix: str, into: Json) -> bool:
    if key == prefix + "other":
        return _merge_json(value, [], into)
    if key.startswith(xray.METADATA_PREFIX):
        return _merge_json(value, ["metadata", key.removeprefix(xray.METADATA_PREFIX)], into)
    if key == _TABLES and prefix == xray.PREFIX and paths is _SPAN_PATHS:
        return _is_texts(value) and bool(value) and put(_table_path(value), _table(value), into)
    if key in paths:
        return _fits(paths[key], value) and put(paths[key].split("."), value, into)
    return key.startswith(prefix) and put(key.removeprefix(prefix).split("."), value, into)


def _fits(path: str, value: Value) -> bool:
    return type(value) is (int if path in xray.INTEGERS else str)


def _table_path(names: list[str]) -> list[str]:
    return ["aws", "table_name" if len(names) == 1 else "table_names"]


def _table(names: list[str]) -> Value:
    return names[0] if len(names) == 1 else names


def _is_texts(value: Value) -> bool:
    return type(value) is list and all(type(one) is str for one in value)


def _merge_json(text: Value, path: list[str], into: Json) -> bool:
    """Puts what a JSON text says at a path; without one, it is members. A text that was cut is none any more."""
    if type(text) is not str or _depth(text) > NESTED_MAX:
        return False
    try:
        found = json.loads(text, parse_constant=no_constant)
    except ValueError:
        return False
    if path:
        return put(path, found, into)
    if type(found) is not dict:
        return False
    merge(json_of(found), into)
    return True


def _depth(text: str) -> int:
    """How deep JSON is nested at most; brackets within its texts count too."""
    depth = deepest = 0
    for bracket in _brackets(text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest
