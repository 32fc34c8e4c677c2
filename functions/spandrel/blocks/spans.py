"""Serialized OTLP requests -> the columns of a block, sorted by trace id and start."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from . import otlp_messages
from .attributes import Placement, attribute_columns
from .naming import ALWAYS
from .pairs import key_value_lists, list_of
from .schema import COLUMNS, EVENT, LINK
from .shortening import with_short_values

# Columns that come as they are from the Span message; 0, empty text and empty bytes are what OTLP means by "not there".
_FROM_SPAN = (
    "name",
    "kind",
    "start_time_unix_nano",
    "trace_state",
    "flags",
    "dropped_attributes_count",
    "dropped_events_count",
    "dropped_links_count",
)


class Spans:
    """The spans of some requests, flat in Arrow but still in the order in which they came.

    Raises ValueError when a body cannot be decoded; `receive` has let none through that upb refuses.
    """

    def __init__(self, bodies: list[bytes]) -> None:
        resource_lists = otlp_messages.requests_to_arrow(bodies).column("resource_spans")
        self._resource_spans = pc.list_flatten(resource_lists)
        scope_lists = self._resource_spans.field("scope_spans")
        self._scope_spans = pc.list_flatten(scope_lists)
        self._resource_of_scope = pc.list_parent_indices(scope_lists).cast(pa.int64())
        span_lists = self._scope_spans.field("spans")
        self._spans = with_short_values(pc.list_flatten(span_lists))
        self._scope_of_span = pc.list_parent_indices(span_lists).cast(pa.int64())

    def __len__(self) -> int:
        return len(self._spans)

    @property
    def start_time_unix_nano(self) -> pa.Array:
        return self._spans.field("start_time_unix_nano")

    def table(self, chosen: pa.Array | None = None) -> pa.Table:
        """The spans where `chosen` (booleans; None: all) is true, as a block's table, without columns that say
        nothing.
        """
        order = self._order(chosen)
        columns = self._span_columns(order)
        columns |= self._scope_columns(self._scope_of_span.take(order))
        columns |= self._resource_columns(self._resource_of_scope.take(self._scope_of_span.take(order)))
        return _ordered(columns, len(order))

    def _order(self, chosen: pa.Array | None) -> pa.Array:
        keys = {"trace": self._spans.field("trace_id"), "start": self.start_time_unix_nano}
        order = pc.sort_indices(pa.table(keys), sort_keys=[("trace", "ascending"), ("start", "ascending")])
        order = order.cast(pa.int64())
        return order if chosen is None else order.filter(chosen.take(order))

    def _span_columns(self, order: pa.Array) -> dict[str, pa.Array]:
        spans = self._spans
        columns = {name: spans.field(name).take(order) for name in _FROM_SPAN}
        for name in ("trace_id", "span_id", "parent_span_id"):
            columns[name] = _ids(spans.field(name).take(order), COLUMNS[name])
        duration = pc.subtract(spans.field("end_time_unix_nano"), spans.field("start_time_unix_nano"))  # modulo 2^64
        columns["duration_nano"] = duration.cast(pa.int64(), safe=False).take(order)
        status = spans.field("status")
        columns["status_code"] = pc.struct_field(status, "code").fill_null(0).take(order)
        columns["status_message"] = pc.struct_field(status, "message").fill_null("").take(order)
        columns["events"] = _events(spans.field("events").take(order))
        columns["links"] = _links(spans.field("links").take(order))
        placement = Placement(_inverse(order, len(spans)), len(order))
        attributes, rest = attribute_columns(spans.field("attributes"), placement, "span")
        return columns | attributes | _as_column("span_rest", rest)

    def _scope_columns(self, of_span: pa.Array) -> dict[str, pa.Array]:
        scope = with_short_values(self._scope_spans.field("scope"))
        columns = {
            "scope_name": pc.struct_field(scope, "name"),
            "scope_version": pc.struct_field(scope, "version"),
            "scope_dropped_attributes_count": pc.struct_field(scope, "dropped_attributes_count"),
            "scope_schema_url": self._scope_spans.field("schema_url"),
        }
        attributes, rest = attribute_columns(pc.struct_field(scope, "attributes"), _in_place(len(scope)), "scope")
        return _taken(columns | attributes | _as_column("scope_rest", rest), of_span)

    def _resource_columns(self, of_span: pa.Array) -> dict[str, pa.Array]:
        resource = with_short_values(self._resource_spans.field("resource"))
        columns = {
            "resource_schema_url": self._resource_spans.field("schema_url"),
            "resource_dropped_attributes_count": pc.struct_field(resource, "dropped_attributes_count"),
            "resource_entity_refs": pc.struct_field(resource, "entity_refs"),
        }
        lists = pc.struct_field(resource, "attributes")
        attributes, rest = attribute_columns(lists, _in_place(len(resource)), "resource")
        return _taken(columns | attributes | _as_column("resource_rest", rest), of_span)


def _ordered(columns: dict[str, pa.Array], rows: int) -> pa.Table:
    """The columns that say something, in the format's order: the named ones, then the attributes by name."""
    absent = {name: pa.nulls(rows, COLUMNS[name]) for name in ALWAYS if name not in columns}
    columns = absent | columns
    names = [name for name in COLUMNS if name in columns and (name in ALWAYS or _says_something(columns[name]))]
    attributes = sorted(name for name in columns if name not in COLUMNS)
    return pa.table({name: columns[name] for name in [*names, *attributes]})


def _says_something(column: pa.Array) -> bool:
    if pa.types.is_list(column.type):
        return bool(pc.any(pc.greater(pc.list_value_length(column), 0)).as_py())
    if pa.types.is_dictionary(column.type):
        column = column.dictionary
    zero = "" if pa.types.is_string(column.type) else 0
    return bool(pc.any(pc.not_equal(column, pa.scalar(zero, column.type))).as_py())


def _taken(columns: dict[str, pa.Array], index: pa.Array) -> dict[str, pa.Array]:
    """Few rows spread over many: text by its dictionary, so that it is not copied for each span."""
    return {name: _encoded(column).take(index) for name, column in columns.items()}


def _encoded(column: pa.Array) -> pa.Array:
    return column.dictionary_encode() if pa.types.is_string(column.type) else column


def _as_column(name: str, rest: pa.Array | None) -> dict[str, pa.Array]:
    return {} if rest is None else {name: rest}


def _ids(ids: pa.Array, fixed: pa.DataType) -> pa.Array:
    """Ids of their one width; empty is null. ArrowInvalid, a ValueError, for any other width."""
    return pc.if_else(pc.equal(pc.binary_length(ids), 0), pa.scalar(None, pa.binary()), ids).cast(fixed)


def _in_place(rows: int) -> Placement:
    return Placement(pa.array(range(rows), pa.int64()), rows)


def _inverse(order: pa.Array, rows: int) -> pa.Array:
    return pc.inverse_permutation(order, max_index=rows - 1).cast(pa.int64())


def _events(lists: pa.ListArray) -> pa.ListArray:
    return _nested(lists, EVENT)


def _links(lists: pa.ListArray) -> pa.ListArray:
    return _nested(lists, LINK)


def _nested(lists: pa.ListArray, struct: pa.StructType) -> pa.ListArray:
    messages = with_short_values(pc.list_flatten(lists))
    fields: list[Any] = [
        key_value_lists(messages.field(field.name)) if field.name == "attributes" else messages.field(field.name)
        for field in struct
    ]
    return list_of(pa.StructArray.from_arrays(fields, fields=list(struct)), pc.list_value_length(lists))
