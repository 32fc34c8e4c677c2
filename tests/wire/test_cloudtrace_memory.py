"""Cloud Trace's bodies within the memory of `receive`, whatever they unfold to."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.settings import Settings
from spandrel.model.limits import JSON_OBJECTS_MAX
from tests.memory import run_measured

from .cloudtrace_sending import TRACE, batch_of, patch_of, v1_span, v2_span
from .test_memory import FULL, RECEIVE

OBJECTS = JSON_OBJECTS_MAX - 100  # room for those around them
SHORTEST = '{"spanId":1,"startTime":"2024-05-01T12:00:00Z"}'


def v1(spans: Any) -> dict[str, Any]:
    return {"traces": [{"traceId": TRACE, "spans": spans}]}


def v2(**fields: Any) -> dict[str, Any]:
    return {"spans": [v2_span(**fields)]}


def listed(item: str, count: int) -> str:
    return f"[{','.join([item] * count)}]"


def mapped(value: str, count: int) -> str:
    return "{" + ",".join(f'"{number:x}":{value}' for number in range(count)) + "}"


# What is sent around `@`, what stands in its place, and the answer: 413 too where SQS could not take the span.
BODIES: dict[str, tuple[dict[str, Any], Callable[[], str], int]] = {
    "spans of v1": (v1("@"), lambda: listed(SHORTEST, 250_000), 413),
    "labels": (v1([v1_span(labels="@")]), lambda: mapped('""', FULL // 12), 413),
    "links": (v2(links={"link": "@"}), lambda: listed('{"type":1}', OBJECTS), 413),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_body_of_many_small_parts_is_answered_within_the_functions_memory(what: str) -> None:
    around, within, status = BODIES[what]
    body = gzip.compress(json.dumps(around).replace('"@"', within()).encode(), 1)
    headers = {"content-encoding": "gzip"}
    event = patch_of(body, headers=headers) if "traces" in around else batch_of(body, headers=headers)
    answered, peak_mib = run_measured(RECEIVE, json.dumps(event).encode())
    assert answered == str(status)
    assert peak_mib < Settings().memory_mib.receive
