"""The fields that are no attributes, in SQL."""

from __future__ import annotations

from spandrel.traceql.intrinsics import OF_EVENTS, OF_LINKS, Intrinsic, ValueType, type_of

from . import facts
from .fragment import Fragment, combined
from .places import Place, is_there
from .values import NOTHING, Alternative, IdColumn, Value

# Columns that are always there, null meaning the default where one stands beside them.
_COLUMNS: dict[Intrinsic, tuple[str, int | str | None]] = {
    Intrinsic.NAME: ("name", None),
    Intrinsic.KIND: ("kind", None),
    Intrinsic.DURATION: ("duration_nano", None),
    Intrinsic.STATUS: ("status_code", 0),
    Intrinsic.STATUS_MESSAGE: ("status_message", ""),
    Intrinsic.INSTRUMENTATION_NAME: ("scope_name", ""),
    Intrinsic.INSTRUMENTATION_VERSION: ("scope_version", ""),
}
_IDS = {Intrinsic.TRACE_ID: "trace_id", Intrinsic.SPAN_ID: "span_id", Intrinsic.PARENT_ID: "parent_span_id"}

# Times of events are unsigned; their difference, modulo 2^64, is kept as blocks keep durations.
_SINCE_START = (
    "CASE WHEN {} IS NOT NULL THEN (coalesce(({}).time_unix_nano, 0)::HUGEINT - start_time_unix_nano::HUGEINT "
    "+ 27670116110564327424) % 18446744073709551616 - 9223372036854775808 END"
)


def intrinsic(field: Intrinsic, place: Place) -> Value:
    """The value of the field there. Of what `facts` knows, only where the place is with them."""
    kind = type_of(field)
    if field in _COLUMNS:
        column, default = _COLUMNS[field]
        return Value((Alternative(kind, Fragment(column), default=default),))
    if field in _IDS:
        return _id(Fragment(_IDS[field]), of_trace=field is Intrinsic.TRACE_ID)
    if field in facts.COLUMNS:
        assert place.with_facts, f"{field} is asked of a table that has no facts about traces"
        return Value((Alternative(kind, Fragment(facts.COLUMNS[field])),))
    return _of_event(field, place.event) if field in OF_EVENTS else _of_link(field, place.link)


def columns_of(field: Intrinsic) -> set[str]:
    """The columns that the field is read from; of what `facts` knows, those that it is made of."""
    if field in _COLUMNS:
        return {_COLUMNS[field][0]}
    if field in OF_EVENTS:
        return {"events", "start_time_unix_nano"}
    return {"links"} if field in OF_LINKS else {"trace_id", "span_id", "parent_span_id", "name", "service"}


def _of_event(field: Intrinsic, event: Fragment | None) -> Value:
    if not is_there(event):
        return NOTHING
    if field is Intrinsic.EVENT_NAME:
        name = combined("CASE WHEN {} IS NOT NULL THEN coalesce(({}).\"name\", '') END", event, event)
        return Value((Alternative(ValueType.TEXT, name),))
    return Value((Alternative(ValueType.DURATION, combined(_SINCE_START, event, event)),))


def _of_link(field: Intrinsic, link: Fragment | None) -> Value:
    if not is_there(link):
        return NOTHING
    of_trace = field is Intrinsic.LINK_TRACE_ID
    column = "trace_id" if of_trace else "span_id"
    return _id(
        combined(f"CASE WHEN {{}} IS NOT NULL THEN coalesce(({{}}).{column}, ''::BLOB) END", link, link),
        of_trace=of_trace,
    )


def _id(column: Fragment, *, of_trace: bool) -> Value:
    """Bytes as the text of an id."""
    text = combined("ltrim(lower(hex({})), '0')" if of_trace else "lower(hex({}))", column)
    return Value((Alternative(ValueType.TEXT, text, id_column=IdColumn(column, of_trace)),))
