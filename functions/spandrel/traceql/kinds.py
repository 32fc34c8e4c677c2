"""What a stage of a pipeline can be while a query is read, and how an error names it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .expressions import Literal
from .metrics import (
    Compare,
    MetricsCalculation,
    MetricsPipeline,
    OverTime,
    Quantiles,
    Ranked,
    Refined,
    Threshold,
)
from .parts import Part
from .spansets import (
    Aggregate,
    Coalesce,
    Filter,
    GroupBy,
    Pipeline,
    ScalarCalculation,
    ScalarFilter,
    ScalarPipeline,
    Select,
    SpansetJunction,
    Structure,
)


@dataclass(frozen=True, slots=True)
class Stages:
    """A pipeline of which it is not known yet whether it gives spans, a number or series."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class FirstStage:
    """A metrics function that waits for the spans before it, and the thresholds directly behind it."""

    function: OverTime | Quantiles | Compare
    thresholds: tuple[Threshold, ...] = ()


@dataclass(frozen=True, slots=True)
class SecondStage:
    """topk() or bottomk() that waits for the series before it, and the thresholds directly behind it."""

    stages: tuple[Ranked | Threshold, ...]


SPANSETS = (Filter, Structure, SpansetJunction, Pipeline)
SCALAR = (Aggregate, ScalarCalculation, ScalarPipeline)
METRICS = (MetricsPipeline, MetricsCalculation, Refined)
STAGE = (*SPANSETS, ScalarFilter, GroupBy, Coalesce, Select)

_NAMES: tuple[tuple[tuple[type, ...], str], ...] = (
    (SPANSETS, "a set of spans"),
    (SCALAR, "an aggregate"),
    (METRICS, "a metrics query in parentheses"),
    ((Literal,), "a number"),
    ((ScalarFilter,), "a comparison of aggregates"),
    ((GroupBy,), "by()"),
    ((Coalesce,), "coalesce()"),
    ((Select,), "select()"),
    ((FirstStage,), "a metrics function"),
    ((SecondStage,), "topk() or bottomk()"),
)


def named(node: Any) -> str:
    """The kind of a node, for an error."""
    return next(name for types, name in _NAMES if isinstance(node, types))
