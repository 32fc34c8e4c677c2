"""What a time series is: labels, and a number or None for each step."""

from __future__ import annotations

from dataclasses import dataclass

from .spans import Span
from .values import Value

Labels = tuple[tuple[str, Value], ...]
Series = dict[Labels, list[float | None]]

SECOND_NS = 10**9


@dataclass(frozen=True)
class Steps:
    """[start_ns, end_ns) in steps; a span belongs to the step in which it starts."""

    start_ns: int
    end_ns: int
    step_ns: int

    @property
    def count(self) -> int:
        return -(-(self.end_ns - self.start_ns) // self.step_ns)

    def of(self, span: Span) -> int:
        return (span.start_ns - self.start_ns) // self.step_ns
