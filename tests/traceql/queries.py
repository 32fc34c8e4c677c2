"""Queries for hypothesis: any tree that a text can say, whether it makes sense or not.

Drawn by hand, from the root down, because combined strategies of this size are slow and describe themselves at length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from spandrel.traceql.expressions import (
    FALSE,
    TRUE,
    Attribute,
    Calculation,
    Comparator,
    Comparison,
    Junction,
    Kind,
    Literal,
    Logic,
    Negative,
    Not,
    Operator,
    Presence,
    Scope,
    Status,
)
from spandrel.traceql.folding import OPERATORS
from spandrel.traceql.intrinsics import NUMERIC, Intrinsic, ValueType
from spandrel.traceql.literals import INTEGER_MAX, INTEGER_MIN
from spandrel.traceql.metrics import (
    Compare,
    Hint,
    MetricsCalculation,
    MetricsFunction,
    MetricsPipeline,
    OverTime,
    Quantiles,
    Query,
    Rank,
    Ranked,
    Refined,
    Threshold,
)
from spandrel.traceql.spansets import (
    Aggregate,
    AggregateFunction,
    Coalesce,
    Filter,
    GroupBy,
    Pipeline,
    Relation,
    ScalarCalculation,
    ScalarFilter,
    ScalarPipeline,
    Select,
    Side,
    SpansetJunction,
    Structure,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", "a", "GET /", '"', "\\", "`", "\n\t\x00", "é", "//", "/* */", "span.a"]
)
KEYS = TEXT | st.sampled_from(["http.route", "service.name", "a-b+c/d*e", "1", "span.x", "resource.", "a b", "name"])
INTEGERS = st.integers(INTEGER_MIN, INTEGER_MAX) | st.integers(0, 9)
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.5, 1.0, 1e22, 5e-324])
DURATIONS = st.integers(-INTEGER_MAX, INTEGER_MAX) | st.sampled_from([0, 1, 1_500_000, 10**9, 5400 * 10**9])


def _literals(value_type: ValueType, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Literal]:
    return values.map(lambda value: Literal(value_type, value))


PLAIN_NUMBERS = _literals(ValueType.INTEGER, INTEGERS) | _literals(ValueType.FLOAT, FLOATS)
NUMBERS = PLAIN_NUMBERS | _literals(ValueType.DURATION, DURATIONS)
LITERALS = st.one_of(
    NUMBERS,
    _literals(ValueType.TEXT, TEXT),
    st.sampled_from([TRUE, FALSE]),
    _literals(ValueType.STATUS, st.sampled_from(Status).map(int)),
    _literals(ValueType.KIND, st.sampled_from(Kind).map(int)),
)
ATTRIBUTES = st.builds(Attribute, st.sampled_from(Scope), KEYS) | st.builds(
    Attribute, st.sampled_from([Scope.ANY, Scope.SPAN, Scope.RESOURCE]), KEYS, st.just(True)
)
FIELDS = ATTRIBUTES | st.sampled_from(Intrinsic)
FIELD_LISTS = st.lists(FIELDS, min_size=1, max_size=3).map(tuple)
EQUALITY_AND_ORDER = [one for one in Comparator if "~" not in one.value]
COUNTING = [MetricsFunction.RATE, MetricsFunction.COUNT]


@st.composite
def queries(draw: st.DrawFn) -> Query:
    expression = draw(st.sampled_from([_pipeline, _metrics]))(draw, 3)
    hints = st.builds(Hint, st.sampled_from(["exemplars", "sample", "x1"]), LITERALS)
    return Query(expression, tuple(draw(st.lists(hints, max_size=2))))


def _expression(draw: st.DrawFn, depth: int) -> Any:
    """`depth`: how many more levels there may be."""
    kinds: list[Any] = [None, Not, Negative, Calculation, Comparison, Presence, Junction]
    match draw(st.sampled_from(kinds if depth else [None])):
        case None:
            return draw(LITERALS | FIELDS)
        case kind if kind is Not:
            return Not(_expression(draw, depth - 1))
        case kind if kind is Negative:
            operand = _expression(draw, depth - 1)
            is_number = isinstance(operand, Literal) and operand.type in NUMERIC
            return operand if is_number else Negative(operand)  # a number takes the sign itself
        case kind if kind is Presence:
            return Presence(_expression(draw, depth - 1), draw(st.booleans()))
        case kind if kind is Junction:
            return _junction(draw, Junction, _expression, depth)
        case kind:
            signs = st.sampled_from(list(Operator if kind is Calculation else Comparator))
            return kind(draw(signs), _expression(draw, depth - 1), _expression(draw, depth - 1))


def _junction(draw: st.DrawFn, junction: Any, operand: Callable[[st.DrawFn, int], Any], depth: int) -> Any:
    logic = draw(st.sampled_from(Logic))
    operands: list[Any] = []
    for _ in range(draw(st.integers(2, 3))):
        one = operand(draw, depth - 1)
        operands += one.operands if isinstance(one, junction) and one.logic is logic else [one]
    return junction(logic, tuple(operands))


def _spansets(draw: st.DrawFn, depth: int) -> Any:
    match draw(st.sampled_from([Filter, Structure, SpansetJunction, Pipeline] if depth else [Filter])):
        case kind if kind is Filter:
            return Filter(_expression(draw, 2))
        case kind if kind is SpansetJunction:
            return _junction(draw, SpansetJunction, _spansets, depth)
        case kind if kind is Pipeline:
            pipeline = _pipeline(draw, depth - 1)
            alone = len(pipeline.stages) == 1 and isinstance(pipeline.stages[0], Filter | Structure | SpansetJunction)
            return pipeline.stages[0] if alone else pipeline  # in parentheses it is itself
    relation, side = draw(st.sampled_from(Relation)), draw(st.sampled_from(Side))
    return Structure(relation, side, _spansets(draw, depth - 1), _spansets(draw, depth - 1))


def _pipeline(draw: st.DrawFn, depth: int) -> Pipeline:
    stages = [_stage(draw, depth)]
    for _ in range(draw(st.integers(0, 2))):
        stages.append(Coalesce() if draw(st.booleans()) else _stage(draw, depth))
    flat = [inner for stage in stages for inner in (stage.stages if isinstance(stage, Pipeline) else [stage])]
    return Pipeline(tuple(flat))


def _stage(draw: st.DrawFn, depth: int) -> Any:
    match draw(st.sampled_from([Filter, ScalarFilter, GroupBy, Select])):
        case kind if kind is ScalarFilter:
            sides = [_scalar(draw, depth), draw(NUMBERS) if draw(st.booleans()) else _scalar(draw, depth)]
            left, right = draw(st.permutations(sides))
            return ScalarFilter(draw(st.sampled_from(EQUALITY_AND_ORDER)), left, right)
        case kind if kind is GroupBy:
            return GroupBy(_expression(draw, 2))
        case kind if kind is Select:
            return Select(draw(FIELD_LISTS))
    return _spansets(draw, depth)


def _scalar(draw: st.DrawFn, depth: int) -> Any:
    match draw(st.sampled_from([Aggregate, ScalarCalculation, ScalarPipeline] if depth else [Aggregate])):
        case kind if kind is ScalarPipeline:
            of = Aggregate(AggregateFunction.COUNT, None)
            return ScalarPipeline(_pipeline(draw, depth - 1), of)
        case kind if kind is ScalarCalculation:
            return _calculation(draw, ScalarCalculation, _scalar, depth, list(Operator))
    function = draw(st.sampled_from(AggregateFunction))
    return Aggregate(function, None if function is AggregateFunction.COUNT else _expression(draw, 2))


def _calculation(
    draw: st.DrawFn, kind: Any, operand: Callable[[st.DrawFn, int], Any], depth: int, operators: list[Operator]
) -> Any:
    number = draw(PLAIN_NUMBERS) if draw(st.booleans()) else operand(draw, depth - 1)
    left, right = draw(st.permutations([operand(draw, depth - 1), number]))
    return kind(draw(st.sampled_from(operators)), left, right)


def _metrics(draw: st.DrawFn, depth: int) -> Any:
    kinds: list[Any] = [MetricsPipeline, MetricsCalculation, Refined]
    match draw(st.sampled_from(kinds if depth else [MetricsPipeline])):
        case kind if kind is MetricsCalculation:
            operators = sorted(OPERATORS, key=lambda operator: operator.value)
            return _calculation(draw, MetricsCalculation, _metrics, depth, operators)
        case kind if kind is Refined:
            source = _metrics(draw, depth - 1)
            earlier = source.stages if isinstance(source, Refined) else ()
            stages = draw(st.lists(SECOND_STAGES, min_size=1, max_size=2))
            return Refined(source.source if isinstance(source, Refined) else source, (*earlier, *stages))
    return MetricsPipeline(_pipeline(draw, depth), _function(draw))


SECOND_STAGES = st.builds(Ranked, st.sampled_from(Rank), st.integers(0, 9)) | st.builds(
    Threshold, st.sampled_from(EQUALITY_AND_ORDER), NUMBERS
)


def _function(draw: st.DrawFn) -> OverTime | Quantiles | Compare:
    by = draw(st.just(()) | FIELD_LISTS)
    match draw(st.sampled_from([OverTime, Quantiles, Compare])):
        case kind if kind is Quantiles:
            quantiles = st.lists(st.floats(0, 100, allow_subnormal=False), min_size=1, max_size=2)
            return Quantiles(draw(FIELDS), tuple(draw(quantiles)), by)
        case kind if kind is Compare:
            top, start_ns, end_ns = (draw(st.integers(0, 5)) for _ in range(3))
            return Compare(Filter(_expression(draw, 2)), top, start_ns, end_ns)
    function = draw(st.sampled_from(MetricsFunction))
    return OverTime(function, None if function in COUNTING else draw(FIELDS), by)
