"""Numbers among the parameters of Zipkin's API, refused in its words."""

from __future__ import annotations

from spandrel.api.parameters import Parameters
from spandrel.model.errors import Rejected

DEFAULT_LIMIT = 10
DEFAULT_LOOKBACK_MS = 24 * 3600 * 1000
TRACES_MAX = 100  # in traceMany, each of which is looked up by itself
_DIGITS_MAX = 19
_MS_NS = 10**6


def positive(parameters: Parameters, name: str) -> int | None:
    """The number, or None where there is none."""
    text = parameters.text(name)
    if text is None:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX):
        raise Rejected(f"{name} is no number: {text[:80]}")
    if int(text) <= 0:
        raise Rejected(f"{name} <= 0")
    return int(text)


def end_and_lookback_ms(parameters: Parameters, now_ns: int) -> tuple[int, int]:
    """`endTs`, by default now, and `lookback`, by default a day; milliseconds."""
    end_ms = positive(parameters, "endTs") or now_ns // _MS_NS
    return end_ms, positive(parameters, "lookback") or DEFAULT_LOOKBACK_MS
