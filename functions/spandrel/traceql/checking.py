"""Whether a query makes sense: what may stand where, and which types go together.

Rules of grafana/tempo, pkg/traceql (ast_validate.go). An attribute has whatever type its span gives it, so it goes
with everything; intrinsics and literals have one type.
"""

from __future__ import annotations

from .errors import MistypedQuery, UnsupportedQuery, quote
from .expression_checking import check_field, type_of_expression
from .expressions import Field, Literal
from .intrinsics import NUMERIC
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
)
from .printing import label, metrics_function
from .spanset_checking import check_pipeline, check_stage
from .spansets import Pipeline

GROUPS_MAX = 5
COMPARE_TOP_MAX = 1000


def check(query: Query) -> Query:
    """The query itself. MistypedQuery and UnsupportedQuery quote the part at fault."""
    if isinstance(query.expression, Pipeline):
        check_pipeline(query.expression)
    else:
        _check_metrics(query.expression, alone=True)
    return query


def _check_metrics(metrics: Metrics, *, alone: bool) -> None:
    """`alone`: nothing is made of these series."""
    match metrics:
        case MetricsPipeline(source, function):
            check_pipeline(source)
            _check_function(function)
            if isinstance(function, Compare) and not alone:
                raise MistypedQuery(f"{quote(metrics_function(function))}: nothing can be made of its series")
        case MetricsCalculation(_, left, right):
            for side in (left, right):
                if not isinstance(side, Literal):
                    _check_metrics(side, alone=False)
        case Refined(source_metrics, stages):
            _check_metrics(source_metrics, alone=False)
            if any(isinstance(stage, Ranked) and stage.limit < 1 for stage in stages):
                raise MistypedQuery("topk() and bottomk() keep one series or more, not 0")


def _check_function(function: OverTime | Quantiles | Compare) -> None:
    if isinstance(function, Compare):
        _check_compare(function)
        return
    if function.field is not None:
        _check_measured(function.field)
    for field in function.by:
        check_field(field)
    if len(function.by) > GROUPS_MAX:
        raise UnsupportedQuery(
            f"{quote(metrics_function(function))}: metrics are grouped by {GROUPS_MAX} fields at most"
        )
    if isinstance(function, Quantiles) and not all(0 <= quantile <= 1 for quantile in function.quantiles):
        raise MistypedQuery(f"{quote(metrics_function(function))}: quantiles are from 0 to 1")


def _check_measured(field: Field) -> None:
    found = type_of_expression(field)
    if found is not None and found not in NUMERIC:
        raise MistypedQuery(f"metrics are made of numbers; {quote(label(field))} is {found.value}")


def _check_compare(function: Compare) -> None:
    check_stage(function.selection)
    if not 1 <= function.top <= COMPARE_TOP_MAX:
        raise MistypedQuery(f"{quote(metrics_function(function))}: 1 to {COMPARE_TOP_MAX} values of each attribute")
    if (function.start_ns or function.end_ns) and not 0 < function.start_ns < function.end_ns:
        raise MistypedQuery(
            f"{quote(metrics_function(function))}: its start is later than 1970 and earlier than its end"
        )
