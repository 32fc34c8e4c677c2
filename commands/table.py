"""Rows of text in columns."""

from __future__ import annotations

from collections.abc import Sequence


def printed(rows: Sequence[Sequence[str]]) -> None:
    """Prints them, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
