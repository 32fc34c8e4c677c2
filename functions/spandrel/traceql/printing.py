"""Query -> text, in one way for each query: `parse(text(query)) == query`.

Also the names by which answers call fields and what is made of them; they are those of Grafana Tempo.
"""

from __future__ import annotations

from . import literals
from .expressions import (
    Attribute,
    Calculation,
    Comparison,
    Expression,
    Junction,
    Kind,
    Literal,
    Negative,
    Not,
    Presence,
    Status,
    Written,
)
from .intrinsics import Intrinsic, ValueType
from .metrics import (
    Compare,
    Metrics,
    MetricsCalculation,
    MetricsPipeline,
    OverTime,
    Quantiles,
    Query,
    Ranked,
    Refined,
    Threshold,
)
from .spansets import (
    Aggregate,
    Coalesce,
    Filter,
    GroupBy,
    Pipeline,
    Scalar,
    ScalarCalculation,
    ScalarFilter,
    ScalarPipeline,
    Select,
    SpansetJunction,
    Spansets,
    Stage,
    Structure,
    Whole,
)


def text(query: Query) -> str:
    """The query as TraceQL. Everything that is made of two parts puts those in parentheses that are so as well."""
    hints = ", ".join(f"{hint.name}={literal(hint.value)}" for hint in query.hints)
    expression = query.expression
    written = pipeline(expression) if isinstance(expression, Pipeline) else metrics(expression)
    return f"{written} with({hints})" if hints else written


def pipeline(stages: Pipeline) -> str:
    return " | ".join(stage(one) for one in stages.stages)


def stage(one: Stage) -> str:
    match one:
        case ScalarFilter(comparator, left, right):
            return f"{_operand(scalar(left), left)} {comparator.value} {_operand(scalar(right), right)}"
        case GroupBy(grouped):
            return f"by({expression(grouped)})"
        case Coalesce():
            return "coalesce()"
        case Select(fields):
            return f"select({_list(fields)})"
    return spansets(one)


def spansets(one: Spansets) -> str:
    match one:
        case Filter(condition):
            return f"{{ {expression(condition)} }}"
        case Pipeline():
            return pipeline(one)
        case Structure(relation, side, left, right):
            return f"{_spansets_operand(left)} {side.value}{relation.value} {_spansets_operand(right)}"
        case SpansetJunction(logic, operands):
            return f" {logic.value} ".join(_spansets_operand(operand) for operand in operands)
        case Whole(operand, found):
            return f"{'with' if found else 'without'} {_spansets_operand(operand)}"


def scalar(one: Scalar) -> str:
    match one:
        case Literal():
            return literal(one)
        case Aggregate(function, operand):
            return f"{function.value}({expression(operand) if operand is not None else ''})"
        case ScalarCalculation(operator, left, right):
            return f"{_operand(scalar(left), left)} {operator.value} {_operand(scalar(right), right)}"
        case ScalarPipeline(source, of):
            return f"{pipeline(source)} | {scalar(of)}"


def metrics(one: Metrics) -> str:
    match one:
        case MetricsPipeline(source, function):
            return f"{pipeline(source)} | {metrics_function(function)}"
        case MetricsCalculation(operator, left, right):
            return f"{_series(left)} {operator.value} {_series(right)}"
        case Refined(source, stages):
            return metrics(source) + "".join(_second_stage(further) for further in stages)


def metrics_function(one: OverTime | Quantiles | Compare) -> str:
    match one:
        case OverTime(function, field, by):
            return f"{function.value}({_list([field] if field else [])}){_groups(by)}"
        case Quantiles(field, quantiles, by):
            numbers = ", ".join(literals.float_text(quantile) for quantile in quantiles)
            return f"quantile_over_time({label(field)}, {numbers}){_groups(by)}"
        case Compare(selection, top, start_ns, end_ns):
            times = f", {start_ns}, {end_ns}" if start_ns or end_ns else ""
            return f"compare({spansets(selection)}, {top}{times})"


def expression(one: Expression) -> str:
    match one:
        case Literal():
            return literal(one)
        case Attribute() | Intrinsic():
            return label(one)
        case Not(operand):
            return f"!{_inner(operand)}"
        case Negative(operand):
            return f"-{_inner(operand)}"
        case Calculation(sign, left, right) | Comparison(sign, left, right):
            return f"{_inner(left)} {sign.value} {_inner(right)}"
        case Presence(operand, present):
            return f"{_inner(operand)} {'!=' if present else '='} nil"
        case Junction(logic, operands):
            return f" {logic.value} ".join(_inner(operand) for operand in operands)
        case Written(scope, key, written):
            return f"{label(Attribute(scope, key))} = {literals.quoted(written)}"


def label(field: Attribute | Intrinsic) -> str:
    """The field as it is written, which is also its name in answers: `name`, `span.http.route`, `.x`."""
    return field.value if isinstance(field, Intrinsic) else literals.attribute_text(field)


def literal(one: Literal) -> str:
    value = one.value
    match one.type:
        case ValueType.TEXT:
            return literals.quoted(str(value))
        case ValueType.BOOLEAN:
            return "true" if value else "false"
        case ValueType.INTEGER:
            return "minInt" if value == literals.INTEGER_MIN else str(value)
        case ValueType.FLOAT:
            return literals.float_text(float(value))
        case ValueType.DURATION:
            return literals.duration_text(int(value))
        case ValueType.STATUS:
            return Status(int(value)).name
        case ValueType.KIND:
            return Kind(int(value)).name


def _inner(operand: Expression) -> str:
    """In parentheses unless it is one word. A number with a sign is none: -2 ^ 2 is the negative of 2 ^ 2."""
    written = expression(operand)
    one_word = isinstance(operand, Literal | Attribute | Intrinsic) and not written.startswith("-")
    return written if one_word else f"({written})"


def _operand(written: str, operand: Scalar) -> str:
    return written if isinstance(operand, Literal | Aggregate) else f"({written})"


def _spansets_operand(operand: Spansets) -> str:
    written = spansets(operand)
    return written if isinstance(operand, Filter) else f"({written})"


def _series(operand: Metrics | Literal) -> str:
    return literal(operand) if isinstance(operand, Literal) else f"({metrics(operand)})"


def _second_stage(further: Ranked | Threshold) -> str:
    match further:
        case Ranked(rank, limit):
            return f" | {rank.value}({limit})"
        case Threshold(comparator, limit_value):
            return f" {comparator.value} {literal(limit_value)}"


def _groups(by: tuple[Attribute | Intrinsic, ...]) -> str:
    return f" by({_list(by)})" if by else ""


def _list(fields: list[Attribute | Intrinsic] | tuple[Attribute | Intrinsic, ...]) -> str:
    return ", ".join(label(field) for field in fields)
