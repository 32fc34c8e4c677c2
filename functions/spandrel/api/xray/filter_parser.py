"""Text of a filter expression -> its tree.

AND binds tighter than OR, terms that stand side by side are joined by AND, and `!` or NOT is about the term behind it.
Written by hand: the language has two dozen rules, and half of its words are texts as well, according to their place.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable

from .filter_tokens import FILTER_CHARACTERS_MAX, Token, refusal, token_at
from .filter_tree import (
    All,
    Annotation,
    AnyOf,
    Cause,
    Edge,
    Element,
    InvalidFilter,
    Keyword,
    Negation,
    Node,
    Operator,
    RootCause,
    RootCauseJson,
    Service,
    Term,
    Test,
    Value,
)

DEPTH_MAX = 32  # of terms in terms

_OPERATORS = {operator.value.lower(): operator for operator in Operator}
_INTEGER, _INTEGER_END = re.compile(r"[+-]?[0-9]{1,20}"), 2**63
_ENDS_OF_TERMS = ("", ")", "}")
_NODE_MEMBERS = {"name": "name", "type": "type", "account.id": "account"}
_ROOT_CAUSE = "rootcause."
_ANNOTATION = "annotation."


def parse(expression: str) -> Term:
    """The tree of an expression that says something. InvalidFilter says where it stops making sense."""
    if len(expression) > FILTER_CHARACTERS_MAX:
        raise InvalidFilter(f"A filter expression has {FILTER_CHARACTERS_MAX} characters at most")
    return _Parser(expression).whole()


class _Parser:
    """Reads from left to right; `_next` is the word that is not read yet."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._next = token_at(expression, 0)
        self._depth = 0

    def whole(self) -> Term:
        term = self._any_of()
        if self._next.kind != "end":
            raise self._refusal("nothing was opened that this could close")
        return term

    def _any_of(self) -> Term:
        operands = [self._all()]
        while self._takes_word("or"):
            operands.append(self._all())
        return _joined(AnyOf, operands)

    def _all(self) -> Term:
        operands = [self._negated()]
        while not self._is_sign(*_ENDS_OF_TERMS) and not self._is_word("or"):
            self._takes_word("and")
            operands.append(self._negated())
        return _joined(All, operands)

    def _negated(self) -> Term:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._refusal(f"terms stand in terms {DEPTH_MAX} deep at most")
        negated = self._takes_sign("!") or self._takes_word("not")
        term = Negation(self._negated()) if negated else self._term()
        self._depth -= 1
        return term

    def _term(self) -> Term:
        if self._takes_sign("("):
            term = self._any_of()
            self._expect(")")
            return term
        subject = self._read()
        if subject.kind == "annotation":
            return self._test(self._annotation(subject, subject.text))
        if subject.kind != "word" or subject.text.lower() in ("and", "or"):
            raise refusal(self._expression, subject.at, "a keyword is expected here")
        return self._of_keyword(subject)

    def _of_keyword(self, subject: Token) -> Term:
        name = subject.text.lower()
        if name in ("service", "edge") and self._is_sign("("):
            return self._service() if name == "service" else self._edge()
        if name.startswith(_ROOT_CAUSE):
            return self._root_cause(subject)
        if name.startswith(_ANNOTATION):
            return self._test(self._annotation(subject, subject.text[len(_ANNOTATION) :]))
        return self._test(Keyword(name))

    def _annotation(self, at: Token, key: str) -> Annotation:
        if not key:
            raise refusal(self._expression, at.at, "an annotation has a key")
        return Annotation(key)

    def _test(self, subject: Keyword | Annotation) -> Test:
        operator = _OPERATORS.get(self._next.text.lower()) if self._next.kind in ("sign", "word") else None
        if operator is None:
            return Test(subject)
        self._read()
        return Test(subject, operator, self._value())

    def _value(self) -> Value:
        found = self._read()
        if found.kind == "number":
            return _number(found.text)
        if found.kind == "word":
            return {"true": True, "false": False}.get(found.text.lower(), found.text)
        if found.kind != "text":
            raise refusal(self._expression, found.at, "a value is expected here")
        return found.text

    def _service(self) -> Service:
        self._expect("(")
        node = Node() if self._is_sign(")") else self._node()
        self._expect(")")
        return Service(node, self._braces())

    def _edge(self) -> Edge:
        self._expect("(")
        source = self._node()
        self._expect(",")
        destination = self._node()
        self._expect(")")
        return Edge(source, destination, self._braces())

    def _node(self) -> Node:
        found = self._read()
        if found.kind == "word" and found.text.lower() == "id" and self._takes_sign("("):
            return self._id()
        if found.kind not in ("text", "word", "number"):
            raise refusal(self._expression, found.at, "the name of a service or id(...) is expected here")
        return Node(found.text)

    def _id(self) -> Node:
        members: dict[str, str] = {}
        while not self._takes_sign(")"):
            if members:
                self._expect(",")
            member = self._read()
            if member.kind != "word" or member.text.lower() not in _NODE_MEMBERS:
                raise refusal(self._expression, member.at, "id() takes name, type and account.id")
            self._expect(":")
            value = self._read()
            if value.kind not in ("text", "word", "number"):
                raise refusal(self._expression, value.at, "a text is expected here")
            members[_NODE_MEMBERS[member.text.lower()]] = value.text
        return Node(**members)

    def _root_cause(self, subject: Token) -> RootCause | RootCauseJson:
        parts = subject.text.lower().split(".")[1:]
        if parts == ["json"]:
            return self._json()
        try:
            cause, element = parts
            return RootCause(Cause(cause), Element(element), self._braces())
        except ValueError:
            known = "rootcause.json or rootcause.{fault|error|responsetime}.{service|entity|exception}"
            raise refusal(self._expression, subject.at, f"a root cause is {known}") from None

    def _json(self) -> RootCauseJson:
        self._expect("=")
        if self._next.kind != "json":
            raise self._refusal("rootcause.json is compared with #[...]")
        at = self._next.behind
        try:
            _, length = json.JSONDecoder().raw_decode(self._expression[at:])
        except (ValueError, RecursionError) as error:
            raise refusal(self._expression, at, f"this is no JSON: {error}") from error
        self._next = token_at(self._expression, at + length)
        return RootCauseJson(self._expression[at : at + length])

    def _braces(self) -> Term | None:
        if not self._takes_sign("{"):
            return None
        if self._takes_sign("}"):
            return None
        term = self._any_of()
        self._expect("}")
        return term

    def _read(self) -> Token:
        found = self._next
        self._next = token_at(self._expression, found.behind)
        return found

    def _is_sign(self, *signs: str) -> bool:
        return self._next.kind in ("sign", "end") and self._next.text in signs

    def _is_word(self, word: str) -> bool:
        return self._next.kind == "word" and self._next.text.lower() == word

    def _takes_sign(self, sign: str) -> bool:
        return self._is_sign(sign) and bool(self._read())

    def _takes_word(self, word: str) -> bool:
        return self._is_word(word) and bool(self._read())

    def _expect(self, sign: str) -> None:
        if not self._takes_sign(sign):
            raise self._refusal(f"`{sign}` is expected here")

    def _refusal(self, message: str) -> InvalidFilter:
        return refusal(self._expression, self._next.at, message)


def _joined(kind: Callable[[tuple[Term, ...]], All | AnyOf], operands: list[Term]) -> Term:
    """Terms of the same kind are one: the tree has no other form for that."""
    flat: list[Term] = []
    for operand in operands:
        flat += operand.operands if isinstance(operand, (All, AnyOf)) and type(operand) is kind else [operand]
    return kind(tuple(flat)) if len(flat) > 1 else flat[0]


def _number(text: str) -> int | float:
    """Whole numbers beyond 64 bits are doubles, like all that have a point."""
    number = float(text)
    if not math.isfinite(number):
        raise InvalidFilter(f"Invalid filter expression: the number {text[:40]} is beyond 64-bit floating point")
    whole = int(text) if _INTEGER.fullmatch(text) else None
    return whole if whole is not None and abs(whole) < _INTEGER_END else number
