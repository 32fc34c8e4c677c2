"""Text -> Query."""

from __future__ import annotations

from .errors import UnparsableQuery, place
from .expressions import Attribute, Field
from .intrinsics import Intrinsic
from .metrics import Query
from .spansets import Filter, Pipeline

QUERY_CHARACTERS_MAX = 16_384


def parse(text: str) -> Query:
    """The query that the text says. `checking.check` says whether it makes sense.

    UnparsableQuery names line, column and what could have stood there.
    """
    if len(text) > QUERY_CHARACTERS_MAX:
        raise UnparsableQuery(f"a query has {QUERY_CHARACTERS_MAX} characters at most, this one {len(text)}", 1, 1)
    _require_characters(text)
    from .grammar import query_of  # and lark with it, for which a process that parses nothing need not wait

    return query_of(text)


def parse_field(text: str) -> Field:
    """The field that the text names: `name`, `resource.service.name`, `."a key"`. UnparsableQuery if it names none."""
    match parse(f"{{{text}}}").expression:
        case Pipeline((Filter(Attribute() | Intrinsic() as field),)):
            return field
    raise UnparsableQuery("this is not the name of one field", 1, 1)


def _require_characters(text: str) -> None:
    """Half a surrogate pair is no character; what came by JSON or a URL can hold one."""
    for index, character in enumerate(text) if not text.isascii() else ():
        if "\ud800" <= character <= "\udfff":
            raise UnparsableQuery("this is no character of Unicode", *place(text, index))
