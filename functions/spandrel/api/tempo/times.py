"""When a question is about. Tempo's routes have two forms of it: whole seconds where traces and names are searched, and
for metrics many spellings, which Grafana and people at a terminal use (grafana/tempo, pkg/api/http.go).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from spandrel.api.parameters import Parameters, whole_number
from spandrel.api.time_text import duration_ns, time_ns
from spandrel.model.errors import Rejected
from spandrel.model.limits import SEARCH_WINDOW_MAX_HOURS

SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
DEFAULT_RANGE_NS = 60 * MINUTE_NS  # until now
_RANGE_MAX_NS = SEARCH_WINDOW_MAX_HOURS * 60 * MINUTE_NS
_SECONDS_MAX = 2**32 - 1
_NS_MAX = 2**63 - 1
_SECONDS_DIGITS = 10  # a longer number is one of nanoseconds
_BAD = "rpc error: code = Code(400) desc = could not parse '{}' parameter: {}"

_FRACTION = re.compile(r"\d{1,19}\.\d{0,9}", re.ASCII)
_NUMBER = re.compile(r"\d{1,19}", re.ASCII)
_STEP_SECONDS = re.compile(r"\d{1,19}(?:\.\d{0,9})?|\.\d{1,9}", re.ASCII)
# Prometheus' durations: each unit once, the longest first.
_UNITS_NS = {
    "y": 365 * 24 * 60 * MINUTE_NS,
    "w": 7 * 24 * 60 * MINUTE_NS,
    "d": 24 * 60 * MINUTE_NS,
    "h": 60 * MINUTE_NS,
    "m": MINUTE_NS,
    "s": SECOND_NS,
    "ms": 10**6,
}
_SINCE = re.compile("".join(rf"(?:(\d{{1,9}}){unit})?" for unit in _UNITS_NS), re.ASCII)

# How a step is chosen where none is asked for: a 240th of the range, cut to one of these.
_POINTS = 240
_GRANULARITIES_NS = tuple(seconds * SECOND_NS for seconds in (3600, 300, 60, 15, 5, 1))
_FINEST_NS = 50 * 10**6  # of ranges of less than a minute


def range_of(parameters: Parameters, now_ns: int) -> tuple[int, int]:
    """[start, end) of `start` and `end`, unix seconds that both belong to the range; without them the last hour."""
    seconds = whole_number(0, _SECONDS_MAX)
    start_s, end_s = parameters.parsed(seconds, "start") or 0, parameters.parsed(seconds, "end") or 0
    if not start_s and not end_s:
        return now_ns - DEFAULT_RANGE_NS, now_ns + 1
    if end_s <= start_s:
        raise Rejected(f"http parameter start must be before end. received start={start_s} end={end_s}")
    return start_s * SECOND_NS, end_s * SECOND_NS + 1


def range_of_metrics(parameters: Parameters, now_ns: int) -> tuple[int, int]:
    """[start, end) of `start` and `end`, or of `since` until now or `end`; by default the last hour."""
    since_ns = _parsed(parameters, "since", _since_ns) or DEFAULT_RANGE_NS
    given_end_ns, given_start_ns = _parsed(parameters, "end", _time_ns), _parsed(parameters, "start", _time_ns)
    end_ns = now_ns if given_end_ns is None else given_end_ns
    start_ns = max(min(end_ns, now_ns) - since_ns, 0) if given_start_ns is None else given_start_ns
    if start_ns >= end_ns:
        raise Rejected("end must be greater than start")
    return start_ns, end_ns


def step_of(parameters: Parameters, start_ns: int, end_ns: int) -> int:
    """`step`, a Go duration or seconds; else one that suits the range. Nanoseconds."""
    step_ns = _parsed(parameters, "step", _step_ns)
    if step_ns == 0:
        raise Rejected("step must be greater than 0")
    return default_step_ns(end_ns - start_ns) if step_ns is None else step_ns


def default_step_ns(length_ns: int) -> int:
    """The step of a range of that length, as Tempo chooses it."""
    baseline_ns = length_ns // _POINTS
    if length_ns < MINUTE_NS:
        return max(baseline_ns // _FINEST_NS, 1) * _FINEST_NS
    for granularity_ns in _GRANULARITIES_NS:
        if baseline_ns > granularity_ns:
            return baseline_ns // granularity_ns * granularity_ns
    return SECOND_NS


def aligned(start_ns: int, end_ns: int, step_ns: int) -> tuple[int, int]:
    """The steps, counted from 1970, that hold the range: so they stay where they are as time passes. The longest ranges
    that may be asked about stay as they are, because nothing longer may.
    """
    first_ns, last_ns = start_ns - start_ns % step_ns, end_ns + -end_ns % step_ns
    return (first_ns, last_ns) if last_ns - first_ns <= _RANGE_MAX_NS else (start_ns, end_ns)


def _parsed(parameters: Parameters, name: str, parse: Callable[[str], int]) -> int | None:
    text = parameters.text(name)
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise Rejected(_BAD.format(name, error)) from error


def _time_ns(text: str) -> int:
    """Unix seconds, also with a fraction, unix nanoseconds, or RFC 3339."""
    if _FRACTION.fullmatch(text):
        whole, _, fraction = text.partition(".")
        found_ns = int(whole) * SECOND_NS + int(fraction.ljust(9, "0"))
    elif _NUMBER.fullmatch(text):
        found_ns = int(text) * (SECOND_NS if len(text) <= _SECONDS_DIGITS else 1)
    else:
        found_ns = time_ns(text)
    if not 0 <= found_ns <= _NS_MAX:
        raise ValueError(f"takes a time from 1970 to 2262, not {text[:80]!r}")
    return found_ns


def _since_ns(text: str) -> int:
    found = _SINCE.fullmatch(text)
    counts = found.groups("0") if found else ()
    length_ns = sum(int(count) * unit_ns for count, unit_ns in zip(counts, _UNITS_NS.values(), strict=False))
    if not length_ns:
        raise ValueError(f"takes a duration like 15m, 1h30m or 7d, not {text[:80]!r}")
    return length_ns


def _step_ns(text: str) -> int:
    step_ns = math.floor(float(text) * SECOND_NS) if _STEP_SECONDS.fullmatch(text) else duration_ns(text)
    if not 0 <= step_ns <= _NS_MAX:
        raise ValueError(f"takes seconds or a duration like 15s, of more than nothing, not {text[:80]!r}")
    return step_ns
