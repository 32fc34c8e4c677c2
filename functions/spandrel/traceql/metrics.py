"""Time series made of the spans that a pipeline finds, and the query as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .expressions import Comparator, Field, Literal, Operator
from .spansets import Filter, Pipeline


class MetricsFunction(Enum):
    RATE = "rate"
    COUNT = "count_over_time"
    LEAST = "min_over_time"
    LARGEST = "max_over_time"
    AVERAGE = "avg_over_time"
    SUM = "sum_over_time"
    HISTOGRAM = "histogram_over_time"


@dataclass(frozen=True, slots=True)
class OverTime:
    """`field` is None for RATE and COUNT and for them alone."""

    function: MetricsFunction
    field: Field | None
    by: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Quantiles:
    """`quantile_over_time(field, quantiles…)`, quantiles from 0 to 1."""

    field: Field
    quantiles: tuple[float, ...]
    by: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Compare:
    """`compare({…}, top, start, end)`: which attribute values set the selected spans apart from the others.

    Selected are those that match and, when times are given, start in (start_ns, end_ns], unix nanoseconds.
    """

    selection: Filter
    top: int = 10
    start_ns: int = 0
    end_ns: int = 0


@dataclass(frozen=True, slots=True)
class MetricsPipeline:
    source: Pipeline
    function: OverTime | Quantiles | Compare


@dataclass(frozen=True, slots=True)
class MetricsCalculation:
    """Series with series, matched by labels, or series with a number. PLUS, MINUS, TIMES or DIVIDED_BY."""

    operator: Operator
    left: Metrics | Literal
    right: Metrics | Literal


class Rank(Enum):
    TOP = "topk"
    BOTTOM = "bottomk"


@dataclass(frozen=True, slots=True)
class Ranked:
    """At each step only so many series, from the top or the bottom."""

    rank: Rank
    limit: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """Only the points that compare so with a number; a duration counts in seconds. Never a MATCHES."""

    comparator: Comparator
    limit: Literal


@dataclass(frozen=True, slots=True)
class Refined:
    """Series that pass one stage or more; `source` is no Refined."""

    source: Metrics
    stages: tuple[Ranked | Threshold, ...]


Metrics = MetricsPipeline | MetricsCalculation | Refined


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that tells how to answer, not what: `with(exemplars=true)`."""

    name: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Query:
    expression: Pipeline | Metrics
    hints: tuple[Hint, ...] = ()
