"""The elements of a JSON list that may be long, one after the other, so that memory holds one of them at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from spandrel.model.errors import Undecodable

from .json_body import no_constant, refuse_too_many_values

_blanks = re.compile(r"[ \t\n\r]*").match


class Real(str):
    """A number with a fraction or an exponent, as it was written."""

    __slots__ = ()


def elements(body: bytes) -> Iterator[Any]:
    """Those of the list that begins with the first byte; bytes that are no UTF-8 become U+FFFD.

    Undecodable when the body is no such list, or when what has been read so far is not JSON. TooLarge when there is
    more in it than JSON_VALUES_MAX.
    """
    if not body.startswith(b"["):
        raise Undecodable("the body is no JSON list")
    refuse_too_many_values(body)
    try:
        yield from _elements(body.decode("utf-8", "replace"))
    except RecursionError:
        raise Undecodable("the body is nested too deeply") from None
    except ValueError as error:  # JSONDecodeError, or an integer of thousands of digits
        raise Undecodable(f"the body is no JSON: {error}") from error


def _elements(text: str) -> Iterator[Any]:
    at = _after_blanks(text, 1)
    while not text.startswith("]", at):
        found, at = _DECODER.raw_decode(text, at)
        yield found
        at = _after_blanks(text, at)
        if text.startswith(",", at):
            at = _after_blanks(text, at + 1)
            if text.startswith("]", at):
                raise json.JSONDecodeError("Expecting value", text, at)
        elif not text.startswith("]", at):
            raise json.JSONDecodeError("Expecting ',' or ']'", text, at)
    end = _after_blanks(text, at + 1)
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)


def _after_blanks(text: str, at: int) -> int:
    match = _blanks(text, at)
    return match.end() if match else at


_DECODER = json.JSONDecoder(parse_float=Real, parse_constant=no_constant)
