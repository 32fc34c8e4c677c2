"""What an API says of its own endpoints: the words of which `/openapi.json` is made (docs/openapi.md).

The description of a package stands in its module `described`, apart from the code that answers, so that a function
which answers questions never loads it. Tests hold the two to each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from spandrel.model.routes import Scope

from .schemas import TEXT, Schema

Method = Literal["GET", "POST", "PUT", "PATCH"]
JSON = "application/json"
PLAIN = "text/plain; charset=utf-8"
Content = Mapping[str, Schema]
"""Media type -> what a body of that type is."""

KEY_SCHEMES = ("bearer", "basic", "apiKey", "googApiKey")
"""The ways in which every route takes a key (`spandrel.http.credentials`), by their names in the document."""

PATH_PARAMETER = re.compile(r"\{(\w+)\+?\}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a request: `about` says its unit, `schema` its default. `aliases` are its other names."""

    name: str
    about: str
    schema: Schema = field(default_factory=lambda: TEXT)
    required: bool = False
    repeated: bool = False
    aliases: tuple[str, ...] = ()
    example: object = None
    place: Literal["query", "path", "header"] = "query"


def in_path(name: str, about: str, example: str, schema: Schema = TEXT) -> Parameter:
    """A part of the path."""
    return Parameter(name, about, schema, required=True, example=example, place="path")


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent, by its media type; `example` is of the first one."""

    content: Content
    about: str = ""
    example: object = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back with one status, and which headers, each with what it says."""

    about: str
    content: Content
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(about: str, schema: Schema, status: int = 200) -> Answer:
    return Answer(about, {JSON: schema}, status)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, which is written as the code has it (`{name}`, `{name+}`).

    `refuses`: statuses of refusals beyond those that all operations of the API have. `others`: further answers that
    are not refusals.
    """

    method: Method
    path: str
    summary: str
    answer: Answer
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    refuses: tuple[int, ...] = ()
    others: tuple[Answer, ...] = ()

    @property
    def address(self) -> str:
        """The path as OpenAPI writes it."""
        return PATH_PARAMETER.sub(r"{\1}", self.path)


@dataclass(frozen=True, slots=True)
class Described:
    """An API: `refusal` is the body of its errors, `scope` what a key needs (None: open to everybody), `schemes` how a
    key is sent, of which any one will do.

    `answers_head`: each GET is answered for HEAD too. `large_answers`: one too large for a function is a redirect.
    `unknown_key`: the status where a key is missing or not known.
    """

    name: str
    about: str
    operations: Sequence[Operation]
    refusal: Content
    scope: Scope | None
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    schemes: tuple[str, ...] = KEY_SCHEMES
    answers_head: bool = False
    large_answers: bool = False
    unknown_key: int = 401
