"""Values of a query's fields as text."""

from __future__ import annotations

from spandrel.model.spans import KIND_NAMES
from spandrel.traceql.expressions import Literal
from spandrel.traceql.intrinsics import ValueType
from spandrel.traceql.printing import literal


def literal_text(value: Literal) -> str:
    """As TraceQL writes it, but for texts, which are themselves, and kinds that OTLP has no word for (yet)."""
    if isinstance(value.value, str):
        return value.value
    if value.type is ValueType.KIND and value.value not in KIND_NAMES:
        return str(value.value)
    return literal(value)
