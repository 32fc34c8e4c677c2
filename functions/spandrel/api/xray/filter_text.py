"""The tree of a filter expression -> its text, so that `parse(text(term)) == term`; it stands in errors."""

from __future__ import annotations

from .filter_tokens import quoted
from .filter_tree import (
    All,
    Annotation,
    AnyOf,
    Edge,
    Negation,
    Node,
    RootCause,
    RootCauseJson,
    Service,
    Term,
    Test,
    Value,
)


def text(term: Term) -> str:
    """The expression in one line."""
    match term:
        case Test(subject, operator, value):
            name = f"annotation[{quoted(subject.key)}]" if isinstance(subject, Annotation) else subject.name
            return name if operator is None or value is None else f"{name} {operator.value} {_value(value)}"
        case Service(node, condition):
            return f"service({'' if node == Node() else _node(node)}){_braces(condition)}"
        case Edge(source, destination, condition):
            return f"edge({_node(source)}, {_node(destination)}){_braces(condition)}"
        case RootCause(cause, element, condition):
            return f"rootcause.{cause.value}.{element.value}{_braces(condition)}"
        case RootCauseJson(said):
            return f"rootcause.json = #{said}"
        case Negation(operand):
            return f"!{_inner(operand)}"
        case All(operands):
            return " AND ".join(map(_inner, operands))
        case AnyOf(operands):
            return " OR ".join(map(_inner, operands))


def _inner(term: Term) -> str:
    return f"({text(term)})" if isinstance(term, (All, AnyOf)) else text(term)


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else repr(value)


def _node(node: Node) -> str:
    if node.name is not None and node == Node(node.name):
        return quoted(node.name)
    members = {"name": node.name, "type": node.type, "account.id": node.account}
    return f"id({', '.join(f'{name}: {quoted(said)}' for name, said in members.items() if said is not None)})"


def _braces(condition: Term | None) -> str:
    return "" if condition is None else f" {{ {text(condition)} }}"
