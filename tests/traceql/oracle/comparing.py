"""compare(): what sets the selected spans apart from the others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from spandrel.traceql.expressions import Attribute, Literal, Scope
from spandrel.traceql.intrinsics import Intrinsic, ValueType
from spandrel.traceql.metrics import Compare
from spandrel.traceql.printing import label

from .fields import holds, value_for_span
from .spans import Span
from .steps import Labels, Series, Steps
from .values import Value, as_text, text

_COMPARED = (
    Intrinsic.NAME,
    Intrinsic.KIND,
    Intrinsic.STATUS,
    Intrinsic.STATUS_MESSAGE,
    Intrinsic.ROOT_NAME,
    Intrinsic.ROOT_SERVICE,
)


def comparison(function: Compare, spans: list[Span], steps: Steps) -> Series:
    """Counts of each attribute's most frequent values, and of the spans that have it, in the selection and outside."""
    found: Series = {}
    for name, chosen in (("baseline", False), ("selection", True)):
        counts: dict[str, Counter[Value]] = defaultdict(Counter)
        for span in spans:
            if _selected(function, span) is chosen:
                for key, value in _compared_fields(span):
                    counts[key][value] += 1
                    _count(found, (("__meta_type", text(f"{name}_total")), (key, None)), steps, span)
                    _count(found, (("__meta_type", text(name)), (key, value)), steps, span)
        for key, values in counts.items():
            frequent = sorted(values, key=lambda value: (-values[value], *_place(value)))
            for value in frequent[function.top :]:
                del found[(("__meta_type", text(name)), (key, value))]
    return found


def _place(value: Value) -> tuple[str, str]:
    """By text; of equal ones by type."""
    assert isinstance(value, Literal)
    written = as_text(value)
    return (written.lower(), value.type.name) if value.type is ValueType.BOOLEAN else (written, value.type.name)


def _count(found: Series, labels: Labels, steps: Steps, span: Span) -> None:
    values = found.setdefault(labels, [0.0] * steps.count)
    values[steps.of(span)] = (values[steps.of(span)] or 0.0) + 1


def _selected(function: Compare, span: Span) -> bool:
    in_time = not function.end_ns or function.start_ns < span.start_ns <= function.end_ns
    return in_time and holds(function.selection.condition, span)


def _compared_fields(span: Span) -> Iterator[tuple[str, Value]]:
    """Texts, numbers and truths of the span, its resource and its scope; nothing that is different for each span."""
    for intrinsic in _COMPARED:
        if (value := value_for_span(intrinsic, span)) is not None:
            yield label(intrinsic), value
    for scope, attributes in (
        (Scope.SPAN, span.attributes),
        (Scope.RESOURCE, span.resource),
        (Scope.INSTRUMENTATION, span.scope),
    ):
        for key, value in attributes.items():
            if isinstance(value, Literal):
                yield label(Attribute(scope, key)), value
