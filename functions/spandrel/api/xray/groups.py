"""Groups: filter expressions that have names, for each tenant its own.

All groups of a tenant are in one object, which is written only over the version that was read: of two changes at the
same time both count.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from spandrel.model import xray
from spandrel.model.catalogue import VersionedObjects
from spandrel.model.errors import Conflict, Corrupt, NotFound, Overloaded, Rejected

from .conditions import invalid
from .filter_tree import All, AnyOf, InvalidFilter, Keyword, Negation, Operator, Term, Test

GROUPS_MAX = 25  # of a tenant
NAMED_MAX = 20  # groups in one filter, those in the filters of its groups counted too: so circles end as well
_ATTEMPTS = 5
_ID_BYTES = 20


@dataclass(frozen=True, slots=True)
class Group:
    """`expression` is empty where the group has all traces."""

    name: str
    arn: str
    expression: str


Groups = Mapping[str, Group]
"""By their names."""


@dataclass(frozen=True, slots=True)
class GroupBook:
    """The groups of a tenant, as they are kept."""

    objects: VersionedObjects
    tenant: str

    def groups(self) -> Groups:
        """All of them; Corrupt where what is kept does not read back."""
        return self._read()[0]

    def named(self, name: str | None, arn: str | None) -> Group:
        """The group of that name, or else of that ARN."""
        return _found(self.groups(), name, arn)

    def create(self, name: str, expression: str, now_ns: int) -> Group:
        """A group that was not there. `now_ns` makes its ARN another one than that of an earlier group of its name."""

        def added(groups: Groups) -> Groups:
            if name in groups:
                raise Rejected(f"The group {name} already exists")
            if len(groups) == GROUPS_MAX:
                raise Rejected(f"There are {GROUPS_MAX} groups already, and no more can be kept")
            return {**groups, name: Group(name, _arn(self.tenant, name, now_ns), expression)}

        return self._changed(added)[name]

    def update(self, name: str | None, arn: str | None, expression: str | None) -> Group:
        """The group with another expression; None leaves the one that it has."""

        def updated(groups: Groups) -> Groups:
            group = _found(groups, name, arn)
            return groups if expression is None else {**groups, group.name: replace(group, expression=expression)}

        return _found(self._changed(updated), name, arn)

    def delete(self, name: str | None, arn: str | None) -> None:
        def removed(groups: Groups) -> Groups:
            gone = _found(groups, name, arn)
            return {kept: group for kept, group in groups.items() if kept != gone.name}

        self._changed(removed)

    def _changed(self, change: Callable[[Groups], Groups]) -> Groups:
        """The groups after a change, which is made again where somebody else changed them meanwhile."""
        for _ in range(_ATTEMPTS):
            groups, version = self._read()
            changed = change(groups)
            try:
                self.objects.put_over(self._key, _body(changed), version)
            except Conflict:
                continue
            return changed
        raise Overloaded("groups are being changed by many at the moment")

    def _read(self) -> tuple[Groups, str | None]:
        try:
            body, version = self.objects.get_version(self._key)
        except NotFound:
            return {}, None
        try:
            groups = [Group(one["name"], one["arn"], one["filter"]) for one in json.loads(body)["groups"]]
        except (ValueError, KeyError, TypeError) as error:
            raise Corrupt(f"{self._key} has no groups: {error}", self._key) from error
        return {group.name: group for group in groups}, version

    @property
    def _key(self) -> str:
        return xray.groups_key(self.tenant)


def with_groups(term: Term, groups: Callable[[], Groups], parse: Callable[[str], Term]) -> Term:
    """The term with the filters of groups in the place of their names. InvalidFilter for a group that is not there."""
    return _Expansion(groups, parse).of(term)


class _Expansion:
    """Reads the groups when the first one is named, and counts how many are."""

    def __init__(self, groups: Callable[[], Groups], parse: Callable[[str], Term]) -> None:
        self._groups = groups
        self._parse = parse
        self._known: Groups | None = None
        self._named = 0

    def of(self, term: Term) -> Term:
        match term:
            case Test(Keyword("group.name" | "group.arn" as member)):
                return self._expanded(term, member)
            case Negation(operand):
                return Negation(self.of(operand))
            case All(operands):
                return _flat(All, [self.of(one) for one in operands])
            case AnyOf(operands):
                return _flat(AnyOf, [self.of(one) for one in operands])
        return term

    def _expanded(self, test: Test, member: str) -> Term:
        if test.operator is not Operator.EQUAL or not isinstance(test.value, str):
            raise invalid(test, "a group is named by =")
        self._named += 1
        if self._named > NAMED_MAX:
            raise invalid(test, f"a filter and those of its groups name {NAMED_MAX} groups at most")
        if self._known is None:
            self._known = self._groups()
        name, arn = (test.value, None) if member == "group.name" else (None, test.value)
        try:
            expression = _found(self._known, name, arn).expression
        except Rejected as error:
            raise InvalidFilter(f"Invalid filter expression: {error}") from error
        return self.of(self._parse(expression)) if expression.strip() else _EVERY_TRACE


_EVERY_TRACE = Test(Keyword("duration"), Operator.GREATER_OR_EQUAL, 0)


def _flat(kind: type[All] | type[AnyOf], operands: list[Term]) -> Term:
    flat: list[Term] = []
    for operand in operands:
        flat += operand.operands if isinstance(operand, (All, AnyOf)) and type(operand) is kind else [operand]
    return kind(tuple(flat))


def _found(groups: Groups, name: str | None, arn: str | None) -> Group:
    for group in groups.values():
        if name == group.name or (name is None and arn == group.arn):
            return group
    raise Rejected(f"There is no group {(name if name is not None else arn)!r}")


def _arn(tenant: str, name: str, now_ns: int) -> str:
    """As X-Ray's, but for the region, which no request says; the account is the tenant."""
    drawn = hashlib.sha256(f"{tenant}/{name}/{now_ns}".encode()).digest()[:_ID_BYTES]
    return f"arn:aws:xray::{tenant}:group/{name}/{base64.b32encode(drawn).decode()}"


def _body(groups: Groups) -> bytes:
    kept: list[dict[str, Any]] = [
        {"name": group.name, "arn": group.arn, "filter": group.expression} for group in groups.values()
    ]
    return json.dumps({"groups": kept}).encode()
