"""Whether policies allow an action on a resource, as IAM evaluates them within one account.

The rules are those of "Policy evaluation logic" in the IAM User Guide: an explicit Deny anywhere wins; otherwise one
Allow, in the policies of the caller or of the resource, is enough; otherwise the answer is no. What a policy says in a
way that this module cannot evaluate is an error and never an Allow.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

Context = Mapping[str, str]
"""Condition keys of the request, lower-case, such as `aws:securetransport`."""


class NotEvaluated(Exception):
    """A policy uses an element of the policy language that the local IAM does not know."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What a request needs: one action, such as `s3:GetObject`, on one resource (an ARN, or `*`)."""

    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the ARNs that name them (role and session) or the service principal, and their own policies."""

    names: tuple[str, ...]
    policies: tuple[str, ...] = ()


def allows(
    caller: Caller, permission: Permission, resource_policies: Sequence[str] = (), context: Context | None = None
) -> bool:
    """`resource_policies`: JSON of the policies on the resource itself. NotEvaluated when they cannot be understood."""
    request = _Request(caller, permission, context or {})
    own = [statement for policy in caller.policies for statement in _statements(policy)]
    of_resource = [
        {"Resource": "*"} | statement  # a role's trust policy names no resource: it is about the role
        for policy in resource_policies
        for statement in _statements(policy)
        if request.is_by(statement.get("Principal"))
    ]
    effects = {statement["Effect"] for statement in [*own, *of_resource] if request.fits(statement)}
    return "Allow" in effects and "Deny" not in effects


@dataclass(frozen=True, slots=True)
class _Request:
    caller: Caller
    permission: Permission
    context: Context

    def fits(self, statement: Mapping[str, Any]) -> bool:
        return (
            _listed(statement, "Action", self.permission.action, ignore_case=True)
            and _listed(statement, "Resource", self.permission.resource)
            and all(self._holds(*condition) for condition in _conditions(statement))
        )

    def is_by(self, principal: object) -> bool:
        """Whether a resource policy's Principal names the caller: `*`, an ARN, an account, or a service."""
        if principal == "*":
            return True
        if not isinstance(principal, dict) or not principal.keys() <= {"AWS", "Service"}:
            raise NotEvaluated(f"Principal {principal!r}")
        named = [name for names in principal.values() for name in _list(names)]
        return any(name == "*" or name in self.caller.names or self._is_of_account(name) for name in named)

    def _is_of_account(self, principal: str) -> bool:
        return principal.endswith(":root") and principal.split(":")[4] in {
            name.split(":")[4] for name in self.caller.names if name.startswith("arn:")
        }

    def _holds(self, condition: str, key: str, wanted: Sequence[str]) -> bool:
        name, if_exists, _ = condition.partition("IfExists")
        compare = _OPERATORS.get(name)
        if compare is None:
            raise NotEvaluated(f"condition operator {condition}")
        value = self.context.get(key.lower())
        if value is None:
            return bool(if_exists)
        return any(compare(pattern, value) for pattern in wanted)


def _listed(statement: Mapping[str, Any], element: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether the statement's Action or Resource (or the complement: NotAction, NotResource) takes in the value."""
    if element in statement:
        return any(_like(pattern, value, ignore_case=ignore_case) for pattern in _list(statement[element]))
    excluded = statement.get(f"Not{element}")
    if excluded is None:
        raise NotEvaluated(f"a statement without {element}")
    return not any(_like(pattern, value, ignore_case=ignore_case) for pattern in _list(excluded))


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    for condition, keys in statement.get("Condition", {}).items():
        for key, wanted in keys.items():
            yield condition, key, [str(value) for value in _list(wanted)]


def _like(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    return _pattern(pattern, ignore_case).fullmatch(value) is not None


@cache
def _pattern(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    if "${" in pattern:
        raise NotEvaluated(f"the policy variable in {pattern}")
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda wanted, value: compare(float(value), float(wanted))


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
    "NumericLessThan": _number(operator.lt),
    "NumericGreaterThanEquals": _number(operator.ge),
}


@cache
def _statements(policy: str) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = _list(json.loads(policy)["Statement"])
    return statements


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
