"""What may stand where in a pipeline."""

from __future__ import annotations

from .errors import UnsupportedQuery, quote
from .expression_checking import check_condition, check_field, check_number, check_reads_spans
from .expressions import Literal
from .printing import stage as text
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
    Stage,
    Structure,
    Whole,
)


def check_pipeline(pipeline: Pipeline) -> None:
    for stage in pipeline.stages:
        check_stage(stage)


def check_stage(stage: Stage | Pipeline) -> None:
    match stage:
        case Filter(condition):
            check_condition(condition)
        case Structure(_, _, left, right):
            check_stage(left)
            check_stage(right)
        case SpansetJunction(_, operands):
            for operand in operands:
                check_stage(operand)
        case Whole(operand):
            check_stage(operand)
        case Pipeline():
            check_pipeline(stage)
        case GroupBy(expression):
            check_reads_spans(expression)
        case Select(fields):
            for field in fields:
                check_field(field)
        case ScalarFilter():
            _check_scalar_filter(stage)
        case Coalesce():
            pass


def _check_scalar_filter(stage: ScalarFilter) -> None:
    _check_scalar(stage.left)
    _check_scalar(stage.right)
    if not isinstance(stage.left, Aggregate) or not isinstance(stage.right, Literal):
        raise UnsupportedQuery(f"{quote(text(stage))}: one aggregate can be compared with one number, nothing else")


def _check_scalar(scalar: Scalar) -> None:
    match scalar:
        case Aggregate(_, operand):
            if operand is not None:
                check_number(operand)
        case ScalarCalculation(_, left, right):
            _check_scalar(left)
            _check_scalar(right)
        case ScalarPipeline(source, of):
            check_pipeline(source)
            _check_scalar(of)
        case Literal():
            pass
