"""Rows of spans, put together as OTLP nests them: by trace and resource, then by scope."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from spandrel.blocks.database import Row
from spandrel.query.trace import Spans

from .columns import Part


@dataclass(frozen=True, slots=True)
class Parts:
    """Which columns of the rows say something of the resource, of the scope and of the span."""

    resource: Part
    scope: Part
    span: Part


@dataclass(slots=True)
class ScopeRows:
    """Spans of one resource and scope; any of the rows tells of both. There is at least one."""

    rows: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class ResourceRows:
    """Spans of one trace and resource by the key of their scope."""

    scopes: dict[str, ScopeRows] = field(default_factory=dict)

    @property
    def row(self) -> Row:
        """One that tells of the resource."""
        return next(iter(self.scopes.values())).rows[0]


def parts_of(spans: Spans) -> Parts:
    """The columns of these rows."""
    return Parts(*(Part(scope, spans.columns) for scope in ("resource", "scope", "span")))


def grouped(spans: Spans, parts: Parts) -> Iterator[ResourceRows]:
    """Traces stay in their order; a trace's spans of equal resource and scope stand together."""
    trace_id = spans.columns.index("trace_id")
    resources: dict[tuple[bytes, str], ResourceRows] = {}
    for row in spans.rows:
        resource = resources.setdefault((row[trace_id], parts.resource.key(row)), ResourceRows())
        resource.scopes.setdefault(parts.scope.key(row), ScopeRows()).rows.append(row)
    yield from resources.values()
