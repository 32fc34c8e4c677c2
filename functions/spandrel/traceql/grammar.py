"""What grammar.lark makes of a text. Importing this imports lark, which takes as long as a small question."""

from __future__ import annotations

from lark.exceptions import UnexpectedCharacters, UnexpectedToken, VisitError

from .errors import InvalidQuery
from .expected import character_refused, token_refused
from .metrics import Query
from .metrics_rules import QueryRules
from .tables import parser


def query_of(text: str) -> Query:
    """The query that the text says. UnparsableQuery names line, column and what could have stood there."""
    try:
        tree = parser().parse(text)
    except UnexpectedToken as error:
        raise token_refused(error, text) from None
    except UnexpectedCharacters as error:
        raise character_refused(error) from None
    try:
        return QueryRules().transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, InvalidQuery):
            raise error.orig_exc from None
        raise
