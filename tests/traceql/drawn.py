"""Spans and checked queries about them, drawn so that they often have to do with each other."""

from __future__ import annotations

from random import Random
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from spandrel.traceql.checking import check
from spandrel.traceql.errors import InvalidQuery
from spandrel.traceql.expressions import (
    FALSE,
    TRUE,
    Attribute,
    Calculation,
    Comparator,
    Comparison,
    Expression,
    Junction,
    Literal,
    Logic,
    Negative,
    Not,
    Operator,
    Presence,
    Scope,
)
from spandrel.traceql.intrinsics import NUMERIC, Intrinsic, ValueType, type_of
from spandrel.traceql.metrics import Query
from spandrel.traceql.parser import parse
from spandrel.traceql.printing import text
from spandrel.traceql.spansets import (
    Aggregate,
    AggregateFunction,
    Coalesce,
    Filter,
    GroupBy,
    Pipeline,
    Relation,
    ScalarFilter,
    Select,
    Side,
    SpansetJunction,
    Spansets,
    Stage,
    Structure,
    Whole,
)

MILLISECOND_NS = 10**6
KEYS = ("a", "b", "C")
NAMES = ("GET /", "pay", "", "é")
SERVICES = ("web", "cart")
# Halves and quarters, whose sums are the same in any order.
VALUES: tuple[Any, ...] = ("x", "X", "", "5", True, False, 0, 1, 5, -3, 2**53 + 1, 2**63 - 1, 0.5, 5.0, -0.25)
RARE_VALUES: tuple[Any, ...] = (float("nan"), float("inf"), b"x", None, ["x", "y"], [1, 5], [0.5], [True], [], [1, "x"])
EQUALITY = (Comparator.EQUAL, Comparator.UNEQUAL)
ORDER = (Comparator.LESS, Comparator.LESS_OR_EQUAL, Comparator.GREATER, Comparator.GREATER_OR_EQUAL)
PATTERNS = ("x", "X|y", ".*", "[a-z]+ ?/?", "GET.*", "(?i)x")


def request(draw: Random, start_ns: int) -> ExportTraceServiceRequest:
    """A few traces of a few spans each, which start within seconds from `start_ns` on."""
    found = ExportTraceServiceRequest()
    for number in range(draw.randint(1, 4)):
        trace_id = bytes(14) + bytes([draw.choice((0, 0xAB)), number + 1])
        span_ids = [bytes(7) + bytes([one]) for one in range(1, draw.randint(2, 9))]
        begin_ns = start_ns + draw.randrange(3000) * MILLISECOND_NS
        for place, span_id in enumerate(span_ids):
            span = _span(draw, trace_id, begin_ns + place * draw.randint(1, 50) * MILLISECOND_NS + place)
            span.span_id = draw.choice(span_ids) if draw.random() < 0.1 else span_id
            if draw.random() < 0.8:
                span.parent_span_id = draw.choice(
                    [*span_ids[: place + 1], *span_ids[: place + 1], *span_ids, b"nowhere!"]
                )
            found.resource_spans.append(_alone(draw, span))
    return found


def _span(draw: Random, trace_id: bytes, start_ns: int) -> Span:
    duration_ns = draw.choice((0, 1, 5, 5 * MILLISECOND_NS, 700 * MILLISECOND_NS, -3))
    return Span(
        trace_id=trace_id,
        name=draw.choice(NAMES),
        kind=draw.choice(Span.SpanKind.values()),
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + duration_ns,
        status=Status(code=draw.choice(Status.StatusCode.values()), message=draw.choice(("", "", "x"))),
        attributes=_attributes(draw),
        events=[_event(draw, start_ns) for _ in range(draw.choice((0, 0, 1, 2)))],
        links=[_link(draw) for _ in range(draw.choice((0, 0, 0, 1, 2)))],
    )


def _event(draw: Random, start_ns: int) -> Span.Event:
    time_ns = start_ns + draw.choice((-5, 0, 5 * MILLISECOND_NS))
    return Span.Event(name=draw.choice(NAMES), time_unix_nano=time_ns, attributes=_attributes(draw))


def _link(draw: Random) -> Span.Link:
    return Span.Link(trace_id=bytes(15) + b"\1", span_id=bytes(7) + b"\2", attributes=_attributes(draw))


def _alone(draw: Random, span: Span) -> ResourceSpans:
    service = KeyValue(key="service.name", value=AnyValue(string_value=draw.choice(SERVICES)))
    scope = InstrumentationScope(
        name=draw.choice(("", "x")), version=draw.choice(("", "x")), attributes=_attributes(draw)
    )
    return ResourceSpans(
        resource=Resource(attributes=[service, *_attributes(draw)]), scope_spans=[ScopeSpans(scope=scope, spans=[span])]
    )


def _attributes(draw: Random) -> list[KeyValue]:
    keys = [draw.choice(KEYS) for _ in range(draw.choice((0, 0, 1, 1, 2, 3)))]
    return [
        KeyValue(key=key, value=_value(draw.choice(RARE_VALUES if draw.random() < 0.2 else VALUES))) for key in keys
    ]


def _value(value: Any) -> AnyValue:
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
    return AnyValue(array_value=ArrayValue(values=[_value(one) for one in value]))


def query(draw: Random) -> Query:
    """A search that makes sense, as its text says it."""
    while True:
        stages = tuple(_stage(draw, 2) for _ in range(draw.choice((1, 1, 1, 2, 3))))
        try:
            return check(parse(text(Query(Pipeline(stages)))))
        except InvalidQuery:
            continue


def _stage(draw: Random, depth: int) -> Stage:
    match draw.choice((Filter, Filter, Filter, None, None, ScalarFilter, GroupBy, Coalesce, Select)):
        case kind if kind is Filter:
            return Filter(_condition(draw, 2))
        case kind if kind is ScalarFilter:
            return _aggregate(draw)
        case kind if kind is GroupBy:
            return GroupBy(_expression(draw, 1))
        case kind if kind is Coalesce:
            return Coalesce()
        case kind if kind is Select:
            return Select((_field(draw),))
    return _structure(draw, depth)


def _aggregate(draw: Random) -> ScalarFilter:
    function = draw.choice(list(AggregateFunction))
    operand = None if function is AggregateFunction.COUNT else _number(draw, 1)
    limit = draw.choice([Literal(ValueType.INTEGER, draw.choice((0, 1, 2, 5))), _duration(draw), _literal(0.5)])
    return ScalarFilter(draw.choice(EQUALITY + ORDER), Aggregate(function, operand), limit)


def _structure(draw: Random, depth: int) -> Any:
    if draw.random() < 0.4:
        operands = tuple(_spansets(draw, depth - 1) for _ in range(draw.randint(2, 3)))
        return SpansetJunction(draw.choice(list(Logic)), operands)
    if draw.random() < 0.2:
        return Whole(_spansets(draw, depth - 1), found=draw.random() < 0.5)
    relation, side = draw.choice(list(Relation)), draw.choice(list(Side))
    return Structure(relation, side, _spansets(draw, depth - 1), _spansets(draw, depth - 1))


def _spansets(draw: Random, depth: int) -> Spansets:
    if depth and draw.random() < 0.3:
        return (
            _structure(draw, depth) if draw.random() < 0.5 else Pipeline((Filter(_condition(draw, 1)), _stage(draw, 0)))
        )
    return Filter(_condition(draw, 1))


def _condition(draw: Random, depth: int) -> Expression:
    choice = draw.random()
    if depth and choice < 0.35:
        operands = tuple(_condition(draw, depth - 1) for _ in range(draw.randint(2, 3)))
        return Junction(draw.choice(list(Logic)), operands)
    if depth and choice < 0.45:
        return Not(_condition(draw, depth - 1))
    if choice < 0.55:
        return Presence(_field(draw), draw.random() < 0.5)
    if choice < 0.6:
        return draw.choice((TRUE, TRUE, FALSE, _attribute(draw)))
    return _comparison(draw, depth)


def _comparison(draw: Random, depth: int) -> Expression:
    if draw.random() < 0.2:
        sides = [_expression(draw, depth), _expression(draw, depth)]
        return Comparison(draw.choice(EQUALITY + ORDER), *sides)
    field = _field(draw)
    if draw.random() < 0.2:
        pattern = Literal(ValueType.TEXT, draw.choice(PATTERNS))
        return Comparison(draw.choice((Comparator.MATCHES, Comparator.MATCHES_NOT)), field, pattern)
    sides = [field, _literal_for(draw, field)]
    draw.shuffle(sides)
    return Comparison(draw.choice(EQUALITY + ORDER), *sides)


def _expression(draw: Random, depth: int) -> Expression:
    if not depth or draw.random() < 0.5:
        return draw.choice((_field(draw), _field(draw), _literal(draw.choice(VALUES))))
    return _number(draw, depth) if draw.random() < 0.7 else _condition(draw, depth - 1)


def _number(draw: Random, depth: int) -> Expression:
    if not depth or draw.random() < 0.4:
        return draw.choice((_attribute(draw), _attribute(draw), Intrinsic.DURATION, _duration(draw)))
    if draw.random() < 0.2:
        operand = _number(draw, depth - 1)
        return operand if isinstance(operand, Literal) else Negative(operand)
    return Calculation(draw.choice(list(Operator)), _number(draw, depth - 1), _number(draw, depth - 1))


def _field(draw: Random) -> Any:
    fields = [one for one in Intrinsic if one is not Intrinsic.PARENT]
    return _attribute(draw) if draw.random() < 0.6 else draw.choice(fields)


def _attribute(draw: Random) -> Attribute:
    if draw.random() < 0.1:
        return Attribute(Scope.RESOURCE, "service.name")
    return Attribute(draw.choice(list(Scope)), draw.choice((*KEYS, "nope")))


def _literal_for(draw: Random, field: Any) -> Literal:
    """A value that the field may have."""
    if isinstance(field, Attribute):
        return _literal(draw.choice((*VALUES, *SERVICES)))
    kind = type_of(field)
    if kind is ValueType.STATUS or kind is ValueType.KIND:
        return Literal(kind, draw.randrange(3))
    if kind in NUMERIC:
        return _duration(draw) if draw.random() < 0.5 else Literal(ValueType.INTEGER, draw.choice((-1, 0, 1, 2, 3)))
    return Literal(ValueType.TEXT, draw.choice((*NAMES, *SERVICES, "1", "ab01", "0000000000000001", "nothex", "x")))


def _literal(value: Any) -> Literal:
    types = {str: ValueType.TEXT, bool: ValueType.BOOLEAN, int: ValueType.INTEGER, float: ValueType.FLOAT}
    return Literal(types[type(value)], value)


def _duration(draw: Random) -> Literal:
    return Literal(ValueType.DURATION, draw.choice((0, 1, 5, 5 * MILLISECOND_NS, 100 * MILLISECOND_NS)))
