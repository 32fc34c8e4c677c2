"""What a benchmark measures, and how it is shown: a table for people, a list of objects for programs."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

_HOLDS = {"at most": operator.le, "at least": operator.ge}


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure has to be: `at most` or `at least` a value in the figure's unit."""

    sense: Literal["at most", "at least"]
    value: float

    def __str__(self) -> str:
        return f"{self.sense} {self.value:,g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. Without a target it is there to compare with: a yardstick, a part of a sum."""

    bench: str
    figure: str
    value: float
    unit: str
    target: Target | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        return None if self.target is None else bool(_HOLDS[self.target.sense](self.value, self.target.value))


def as_objects(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """One object a figure, with the number of cores and the date of the run."""
    where = {"cores": os.cpu_count(), "date": datetime.now(UTC).date().isoformat()}
    return [
        asdict(figure) | {"target": str(figure.target) if figure.target else None, "holds": figure.holds} | where
        for figure in figures
    ]


def as_table(figures: Iterable[Figure]) -> str:
    """Lines of columns: bench, figure, value, unit, target."""
    rows = [(f.bench, f.figure, _number(f.value), f.unit, str(f.target or ""), _mark(f)) for f in figures]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = zip(row, widths, strict=True)
    return "  ".join(c.rjust(width) if at == 2 else c.ljust(width) for at, (c, width) in enumerate(cells)).rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"


def _mark(figure: Figure) -> str:
    return {None: "", True: "holds", False: "MISSED"}[figure.holds]
