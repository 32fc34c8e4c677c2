"""What could have stood where a query stops being TraceQL, in words of the language."""

from __future__ import annotations

from collections.abc import Collection

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from .errors import UnparsableQuery, place
from .literals import quoted

# Words for the grammar's terminals, in the order in which an error lists them. Terminals with the same words are one.
_WORDS = {
    "OPEN_BRACE": "`{`",
    "RBRACE": "`}`",
    "ATTRIBUTE": "a field",
    "INTRINSIC": "a field",
    "SCOPED_INTRINSIC": "a field",
    "STRING": "a value",
    "CONSTANT": "a value",
    "NIL": "`nil`",
    "NOT": "`!`",
    "NAME": "a name",
    "COUNT": "an aggregate such as count()",
    "AGGREGATE": "an aggregate such as count()",
    "RATE": "a metrics function such as rate()",
    "OVER_TIME": "a metrics function such as rate()",
    "QUANTILES": "a metrics function such as rate()",
    "COMPARE": "a metrics function such as rate()",
    "RANK": "topk() or bottomk()",
    "BY": "by()",
    "SELECT": "select()",
    "COALESCE": "coalesce()",
    "NUMBER": "a number",
    "LIMIT": "a number",
    "EQUAL": "`=`",
    "UNEQUAL": "a comparison",
    "LESS": "a comparison",
    "LESS_OR_EQUAL": "a comparison",
    "GREATER": "a comparison",
    "GREATER_OR_EQUAL": "a comparison",
    "MATCHES": "a comparison",
    "NOT_TILDE": "a comparison",
    "TILDE": "a structural operator such as >>",
    "STRUCTURE": "a structural operator such as >>",
    "PLUS": "arithmetic",
    "MINUS": "arithmetic",
    "TIMES": "arithmetic",
    "POWER": "arithmetic",
    "AND": "`&&`",
    "OR": "`||`",
    "VBAR": "`|`",
    "COMMA": "`,`",
    "OPEN": "`(`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "WITH": "with()",
    "$END": "the end of the query",
}
# These follow spans and a `|`, but the grammar, which takes all kinds of stages for one, lets them begin a query.
_BEHIND_A_PIPE = {"RATE", "OVER_TIME", "QUANTILES", "COMPARE", "RANK", "COALESCE"}
# Of these the left says all that the right does, where both could stand.
_COVERS = {"STRING": {"NUMBER", "LIMIT", "MINUS"}, "UNEQUAL": {"EQUAL"}, "NUMBER": {"MINUS"}}


def token_refused(error: UnexpectedToken, text: str) -> UnparsableQuery:
    """The error for a token of the text that cannot stand where it does."""
    token: Token = error.token
    expected = set(error.accepts or error.expected)
    if not _follows_a_pipe(error):
        expected -= _BEHIND_A_PIPE
    if token.type == "$END":
        line, column = place(text, len(text))
        return UnparsableQuery(f"the query ends; expected {_listed(expected)}", line, column)
    hint = "; an attribute begins with `.`, `span.` or `resource.`" if _looks_like_a_key(token, expected) else ""
    message = f"{_shown(token)} cannot stand here; expected {_listed(expected)}{hint}"
    return UnparsableQuery(message, error.line, error.column)


def character_refused(error: UnexpectedCharacters) -> UnparsableQuery:
    """The error for a character that begins nothing."""
    character = error.char
    message = _CHARACTERS.get(character, f"{quoted(character)} begins nothing in TraceQL")
    return UnparsableQuery(message, error.line, error.column)


_CHARACTERS = {
    '"': 'the text that begins with " has no end',
    "`": "the text that begins with ` has no end",
    "'": "a text stands between double quotes or backticks",
    ".": "`.` is followed by the name of an attribute",
    "&": "`&` stands in `&&` or before a structural operator, as in `&>>`",
}


def _shown(token: str) -> str:
    return f"`{token[:80]}`" if token.isprintable() and "`" not in token else quoted(token[:80])


def _follows_a_pipe(error: UnexpectedToken) -> bool:
    values = error.interactive_parser.parser_state.value_stack if error.interactive_parser else []
    return bool(values) and isinstance(values[-1], Token) and values[-1].type == "VBAR"


def _listed(terminals: Collection[str]) -> str:
    covered = {name for terminal in terminals for name in _COVERS.get(terminal, ())}
    words = list(dict.fromkeys(words for name, words in _WORDS.items() if name in terminals and name not in covered))
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _looks_like_a_key(token: Token, accepts: Collection[str]) -> bool:
    return token.type == "NAME" and "ATTRIBUTE" in accepts
