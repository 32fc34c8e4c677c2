"""Every answer of an API held to the JSON Schema of its path, whatever a test looks at in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema

from tests.asking import Asking, reply_of
from tests.contract.tempo_answers import Schema

Handle = Callable[[dict[str, Any]], Mapping[str, Any]]


def held_to(schemas: Mapping[str, Schema], handle: Handle) -> Asking:
    """A client of `handle` that fails for an answer of 200 which departs from its schema, or has none.

    `schemas` are by path: `{id}` stands for the rest of one.
    """
    validators = {_pattern(path): jsonschema.Draft202012Validator(schema) for path, schema in schemas.items()}

    def handled(event: dict[str, Any]) -> Mapping[str, Any]:
        answer = handle(event)
        if answer["statusCode"] == 200:
            (validator, *_) = [found for fits, found in validators.items() if fits.fullmatch(event["rawPath"])]
            validator.validate(reply_of(answer).json)
        return answer

    return Asking(handled)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(path).replace(r"\{id\}", ".+"))
