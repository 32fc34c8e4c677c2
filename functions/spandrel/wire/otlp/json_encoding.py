"""OTLP's JSON encoding -> ExportTraceServiceRequest.

The rules are those of protobuf's JSON mapping with OTLP's exceptions (specification, "JSON Protobuf Encoding"): ids are
hex, enums are numbers (names are taken too), unknown keys are ignored.

protobuf's C constructor takes dicts as json.loads makes them, and is strict about types and ranges. What is left to do
here is what it cannot know: other spellings of keys, unknown keys, and values that JSON writes as text (ids, 64-bit
numbers, bytes). They are changed in place. A value that cannot be read stays as it is, for the constructor to refuse.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf import message_factory

from spandrel.model.errors import Undecodable
from spandrel.wire.json_body import NOT_UTF8, json_of, mended
from spandrel.wire.otlp_messages import RECURSION_MAX, Message, camel_case_request
from spandrel.wire.span_ids import id_from_hex

from .protobuf_encoding import request_from_protobuf

Object = dict[str, Any]
"""A JSON object."""

# From before scopes had their name.
OLD_SPELLINGS = {"instrumentationLibrary": "scope", "instrumentation_library": "scope"}
TOLD_CHARACTERS = 80  # of a wrong value, in a refusal

_is_integer = re.compile(r"-?[0-9]{1,20}").fullmatch
_is_float = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|NaN|-?Infinity").fullmatch
_URL_SAFE = str.maketrans("-_", "+/")
_REFUSALS = (TypeError, ValueError, OverflowError)  # the constructor's


def request_from_json(body: bytes) -> tuple[Message, str]:
    """The request, and a warning for its sender (empty: none). Undecodable when the body is no such JSON."""
    try:
        binary, warning = _as_protobuf(body)
    except RecursionError:
        raise Undecodable(f"the body is nested deeper than {RECURSION_MAX} messages") from None
    request, _ = request_from_protobuf(binary)
    return request, warning


def _as_protobuf(body: bytes) -> tuple[bytes, str]:
    """The request in the other encoding, and a warning; what it takes on the way is many times as much as either."""
    found, warning = json_of(body)
    if type(found) is dict:
        found = _tidied(found, _shape(), 1)
    message, mending = _built(found)
    del found
    return message.SerializeToString(), warning or mending


class _Shape:
    """What to look for in the JSON objects of one message type. All names are those that the constructor takes."""

    def __init__(self, descriptor: Any) -> None:
        self.names: frozenset[str] = frozenset(descriptor.fields_by_name)
        self.spellings = {spelling: field.name for field in descriptor.fields for spelling in _spellings(field)}
        self.values = [(field.name, reader) for field in descriptor.fields if (reader := _reader(field))]
        self.messages: list[tuple[str, _Shape]] = []
        self.lists: list[tuple[str, _Shape]] = []
        self.is_pair = descriptor.name == "KeyValue"


@cache
def _shape() -> _Shape:
    """That of the request, which holds those of all messages in it."""
    return _shape_of(camel_case_request().DESCRIPTOR, {})


def _shape_of(descriptor: Any, known: dict[str, _Shape]) -> _Shape:
    if descriptor.name in known:
        return known[descriptor.name]
    shape = known[descriptor.name] = _Shape(descriptor)
    for field in descriptor.fields:
        if field.message_type is not None:
            inner = _shape_of(field.message_type, known)
            (shape.lists if field.is_repeated else shape.messages).append((field.name, inner))
    return shape


def _spellings(field: Any) -> tuple[str, ...]:
    original: str = field.json_name
    return (field.name, original, *(OLD_SPELLINGS if original == "scope" else ()))


def _reader(field: Any) -> Callable[[Any], Any] | None:
    """How a value that may be text in JSON is read; None for what the constructor takes as it is."""
    if field.type == field.TYPE_BYTES:
        return _blob if field.containing_type.name == "AnyValue" else _id
    if field.type == field.TYPE_DOUBLE:
        return _float
    is_integer = field.cpp_type in {field.CPPTYPE_INT64, field.CPPTYPE_UINT64, field.CPPTYPE_UINT32}
    return _integer if is_integer else None


def _id(value: Any) -> Any:
    return id_from_hex(value) if type(value) is str else value


def _integer(value: Any) -> Any:
    return int(value) if type(value) is str and _is_integer(value) else value


def _float(value: Any) -> Any:
    if type(value) is str:
        return float(value) if _is_float(value) else value
    return str(value) if type(value) is float and math.isinf(value) else value  # 1e999: out of range


def _blob(value: Any) -> Any:
    """Base64 of either alphabet, padded or not, as protobuf's JSON mapping takes it."""
    if type(value) is not str:
        return value
    digits = value.translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except ValueError:
        return value


def _tidied(found: Object, shape: _Shape, depth: int) -> Object:
    """`found`, or a copy without unknown keys, with all that is text only in JSON read."""
    if depth > RECURSION_MAX:
        raise RecursionError
    if not shape.names.issuperset(found):
        found = {shape.spellings[key]: value for key, value in found.items() if key in shape.spellings}
    for name, read in shape.values:
        if name in found:
            found[name] = read(found[name])
    for name, inner in shape.messages:
        value = found.get(name)
        if type(value) is dict:
            found[name] = _tidied(value, inner, depth + 1)
    for name, inner in shape.lists:
        values = found.get(name)
        if type(values) is list:
            found[name] = _tidied_list(values, inner, depth + 1)
    return found


def _tidied_list(items: list[Any], shape: _Shape, depth: int) -> list[Any]:
    if shape.is_pair:
        return [item if _is_plain_pair(item) else _tidied_item(item, shape, depth) for item in items]
    return [_tidied_item(item, shape, depth) for item in items]


def _tidied_item(item: Any, shape: _Shape, depth: int) -> Any:
    return _tidied(item, shape, depth) if type(item) is dict else item


def _is_plain_pair(pair: Any) -> bool:
    """Whether it is as nearly all attributes are, a key and a text, integer or boolean; an integer is read on the way.

    The long way round costs three times as much, and attributes are most of a request.
    """
    if type(pair) is not dict or len(pair) != 2 or "key" not in pair:
        return False
    value = pair.get("value")
    if type(value) is not dict or len(value) != 1:
        return False
    if "intValue" in value:
        value["intValue"] = _integer(value["intValue"])
        return True
    return "stringValue" in value or "boolValue" in value


def _built(found: Any) -> tuple[Message, str]:
    """The camelCase message of a tidy request, and a warning. Undecodable names the first value that does not fit."""
    request_class = camel_case_request()
    if found is None:
        return request_class(), ""
    try:
        return request_class(**found), ""
    except UnicodeEncodeError:
        return _built(mended(found))[0], NOT_UTF8
    except _REFUSALS as error:
        raise Undecodable(_told(found)) from error


def _told(found: Any) -> str:
    """Which value the constructor refuses, by its path."""
    if type(found) is not dict:
        return "the body is no JSON object"
    path, value = _unfit(camel_case_request(), found)
    return f"{path} cannot be {json.dumps(value, default=str)[:TOLD_CHARACTERS]}"


def _unfit(message: type[Message], found: Object) -> tuple[str, Any]:
    """The path and value of the first part of `found` that does not fit into the message."""
    path = next(name for name, value in found.items() if not _fits(message, {name: value}))
    value, field = found[path], message.DESCRIPTOR.fields_by_name[path]
    if field.message_type is None or (field.is_repeated and type(value) is not list):
        return path, value
    inner = message_factory.GetMessageClass(field.message_type)
    if field.is_repeated:
        index = next(index for index, item in enumerate(value) if not _fits(inner, item))
        path, value = f"{path}[{index}]", value[index]
    if type(value) is not dict:
        return path, value
    path_in_it, wrong = _unfit(inner, value)
    return f"{path}.{path_in_it}", wrong


def _fits(message: type[Message], found: Any) -> bool:
    try:
        message(**found)
    except _REFUSALS:
        return False
    return True
