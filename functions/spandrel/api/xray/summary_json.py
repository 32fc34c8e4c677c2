"""The spans of a trace -> its summary, as GetTraceSummaries tells it (service model xray-2016-04-12)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from spandrel.api.spans import Span
from spandrel.api.values import Value
from spandrel.model import xray
from spandrel.model.ids import xray_trace_id

from .conditions import RESOURCE_KEYS
from .outcome import first_text, http_of, is_partial, outcome_of, user_of
from .span_places import Placed, entries, placed, services
from .told_causes import causes_of

ANNOTATIONS_MAX = 50  # of one trace, as X-Ray indexes them
ANNOTATION_CHARACTERS = 1000
_S_NS = 10**9
_is_key = re.compile(r"[A-Za-z0-9_.]{1,500}").fullmatch
_PLACED_KEYS = frozenset({*xray.SPAN_ATTRIBUTES.values(), xray.PEER})  # which documents have elsewhere


def summary_of(spans: Sequence[Span], matched_ns: int | None = None) -> Mapping[str, Any]:
    """The members of a summary. `matched_ns`: the time by which an event placed the trace, unix ns."""
    trace = placed(spans)
    roots = entries(trace)
    root = roots[0]
    outcomes = [outcome_of(one.span) for one in roots]
    start_ns = min(span.start_ns for span in spans)
    duration_ns = max(max(span.end_ns, span.start_ns) for span in spans) - start_ns
    told = {
        "Id": xray_trace_id(root.span.trace_id),
        "StartTime": start_ns / _S_NS,
        "Duration": duration_ns / _S_NS,
        "HasFault": any(one.fault for one in outcomes),
        "HasError": any(one.error for one in outcomes),
        "HasThrottle": any(outcome_of(span).throttle for span in spans),
        "IsPartial": any(map(is_partial, spans)),
        "Http": http_of(root.span),
        "Annotations": _annotations(trace),
        "Users": _users(trace),
        "ServiceIds": [service.members for service in services(trace)],
        **_resources(spans),
        **causes_of(trace, duration_ns),
        "Revision": len(spans),
    }
    if root.service.name:
        told["EntryPoint"] = root.service.members
    if root.span.end_ns:
        told["ResponseTime"] = max(root.span.end_ns - root.span.start_ns, 0) / _S_NS
    return told if matched_ns is None else {**told, "MatchedEventTime": matched_ns / _S_NS}


def _annotations(trace: Sequence[Placed]) -> dict[str, list[dict[str, Any]]]:
    """Values by key, each with the services that have it; first those that X-Ray's clients sent as annotations."""
    found: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {}
    listed = ((one, key, value) for one in trace for key, value in _listed(one.span))
    others = ((one, key, value) for one in trace for key, value in _others(one.span))
    for one, key, value in (*listed, *others):
        told = _annotation_value(value)
        if told is None or (len(found) == ANNOTATIONS_MAX and (key, repr(told)) not in found):
            continue
        _, by_service = found.setdefault((key, repr(told)), (told, {}))
        by_service[one.service.name] = one.service.members
    by_key: dict[str, list[dict[str, Any]]] = {}
    for (key, _), (told, by_service) in found.items():
        ids = [members for name, members in by_service.items() if name]
        by_key.setdefault(key, []).append({"AnnotationValue": told, "ServiceIds": ids})
    return by_key


def _listed(span: Span) -> Iterator[tuple[str, Value]]:
    names = span.attributes.get(xray.ANNOTATIONS)
    for name in names if isinstance(names, list) else ():
        if isinstance(name, str) and name in span.attributes:
            yield name.removeprefix(xray.ANNOTATION_PREFIX), span.attributes[name]


def _others(span: Span) -> Iterator[tuple[str, Value]]:
    """What other SDKs say of a span, but for what has a place of its own."""
    listed = dict(_listed(span))
    for key, value in span.attributes.items():
        own = key in _PLACED_KEYS or key.startswith(xray.PREFIX) or key in listed
        if not own and _is_key(key):
            yield key, value


def _annotation_value(value: Value) -> dict[str, Any] | None:
    match value:
        case bool():
            return {"BooleanValue": value}
        case int() | float() if math.isfinite(value):
            return {"NumberValue": float(value)}
        case str() if len(value) <= ANNOTATION_CHARACTERS:
            return {"StringValue": value}
    return None


def _users(trace: Sequence[Placed]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in trace:
        if user := user_of(one.span):
            found.setdefault(user, {})[one.service.name] = one.service.members
    return [
        {"UserName": user, "ServiceIds": [members for name, members in by_service.items() if name]}
        for user, by_service in found.items()
    ]


def _resources(spans: Iterable[Span]) -> dict[str, list[dict[str, str]]]:
    """Where the trace ran, each place once."""
    attributes = list({id(span.resource): span.resource.attributes for span in spans}.values())

    def told(keyword: str, member: str) -> list[dict[str, str]]:
        texts = dict.fromkeys(first_text(one, RESOURCE_KEYS[keyword]) for one in attributes)
        return [{member: text} for text in islice(filter(None, texts), ANNOTATIONS_MAX)]

    return {
        "ResourceARNs": told("resource.arn", "ARN"),
        "InstanceIds": told("instance.id", "Id"),
        "AvailabilityZones": told("availabilityzone", "Name"),
    }
