"""What a row of stages is as a whole: spans, a number or series."""

from __future__ import annotations

from typing import Any

from .expressions import Literal
from .joining import refined
from .kinds import METRICS, SCALAR, STAGE, FirstStage, SecondStage, Stages, named
from .metrics import Metrics, MetricsPipeline
from .parts import Part, part, refusal
from .spansets import Coalesce, GroupBy, Pipeline, ScalarFilter, ScalarPipeline, Select


def whole(found: Part) -> Pipeline | Metrics:
    """The query without its hints."""
    result = inner(found)
    if isinstance(result.node, SCALAR):
        raise refusal("an aggregate is compared with something here: count() > 2", found.node.parts[-1].at)
    if isinstance(result.node, Literal):
        raise refusal("a number alone finds nothing; a query begins with { or an aggregate", result.at)
    if isinstance(result.node, (*METRICS, Pipeline)):
        return result.node
    return Pipeline((result.node,))


def inner(found: Part) -> Part:
    """The stages between parentheses: a single set of spans, number or metrics is itself, the rest is a pipeline."""
    stages: Stages = found.node
    first, *others = stages.parts
    if not others and not isinstance(first.node, (GroupBy, Select, ScalarFilter, Coalesce, FirstStage, SecondStage)):
        return first
    if isinstance(first.node, METRICS):
        return part(refined(first.node, _second_stages(others)), first.at, found)
    return _of_spans(found)


def _of_spans(found: Part) -> Part:
    spans: list[Any] = []
    parts = found.node.parts
    for index, stage in enumerate(parts):
        if isinstance(stage.node, FirstStage):
            return _metrics(found, spans, stage, parts[index + 1 :])
        if isinstance(stage.node, SCALAR) and spans and index == len(parts) - 1:
            return part(_scalar(spans, stage.node), stage.at, found)
        spans += _checked(stage, first=not spans)
    return part(Pipeline(tuple(spans)), found.at, found)


def _scalar(spans: list[Any], scalar: Any) -> ScalarPipeline:
    if isinstance(scalar, ScalarPipeline):
        return ScalarPipeline(Pipeline((*spans, *scalar.source.stages)), scalar.scalar)
    return ScalarPipeline(Pipeline(tuple(spans)), scalar)


def _metrics(found: Part, spans: list[Any], stage: Part, behind: list[Part]) -> Part:
    if not spans:
        raise refusal("a metrics function needs spans before it: { } | rate()", stage.at)
    metrics = MetricsPipeline(Pipeline(tuple(spans)), stage.node.function)
    stages = (*stage.node.thresholds, *_second_stages(behind))
    return part(refined(metrics, stages), stage.at, found)


def _second_stages(parts: list[Part]) -> tuple[Any, ...]:
    for found in parts:
        if not isinstance(found.node, SecondStage):
            raise refusal(f"only topk() and bottomk() follow metrics after `|`, not {named(found.node)}", found.at)
    return tuple(stage for found in parts for stage in found.node.stages)


def _checked(stage: Part, *, first: bool) -> tuple[Any, ...]:
    """The stage as one of a pipeline of spans; a pipeline in its place is as many."""
    node = stage.node
    if isinstance(node, SCALAR):
        raise refusal("an aggregate is compared with something here: count() > 2", stage.at)
    if first and isinstance(node, Coalesce):
        raise refusal("coalesce() needs spans before it: { } | by(name) | coalesce()", stage.at)
    if isinstance(node, SecondStage):
        raise refusal("topk() and bottomk() need metrics before them: { } | rate() | topk(5)", stage.at)
    if not isinstance(node, STAGE):
        raise refusal(f"{named(node)} is no stage of a pipeline", stage.at)
    return node.stages if isinstance(node, Pipeline) else (node,)
