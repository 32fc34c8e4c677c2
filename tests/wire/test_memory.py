"""`receive` within its memory, whatever a body unfolds to: what is 2 bytes on the wire can be 700 once it is read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest

from infra.settings import Settings
from spandrel.model.limits import DECODED_BODY_BYTES, JSON_OBJECTS_MAX, JSON_VALUES_MAX
from tests.events import http_event
from tests.memory import run_measured

from .sending import JSON, PROTOBUF
from .test_otlp_protobuf import field, in_request

RECEIVE = """
import json, sys, time
from receive.receiver import Receiver
from spandrel.aws.queue import SqsQueue

class Sqs:
    def send_message(self, **_): pass

receiver = Receiver(SqsQueue(Sqs(), "", lambda: None), time.time_ns)
answer = receiver.answer(json.load(sys.stdin))
print(answer["statusCode"])
"""
FULL = DECODED_BODY_BYTES - 1024  # room for what is around it
IDS = field(1, b"\1" * 16) + field(2, b"\2" * 8)


BODIES: dict[str, tuple[str, Callable[[], bytes], int]] = {
    "resources": (PROTOBUF, lambda: filled(1), 413),
    "scopes": (PROTOBUF, lambda: field(1, filled(2)), 413),
    "scopes of old": (PROTOBUF, lambda: field(1, filled(1000)), 413),
    "spans": (PROTOBUF, lambda: field(1, field(2, filled(2))), 413),
    "spans, then rubbish": (PROTOBUF, lambda: field(1, field(2, filled(2) + b"\x12")), 400),
    "attributes": (PROTOBUF, lambda: in_request(IDS + filled(9)), 200),
    "events": (PROTOBUF, lambda: in_request(IDS + filled(11)), 200),
    "links": (PROTOBUF, lambda: in_request(IDS + filled(13)), 200),
    "JSON spans": (JSON, lambda: spans_in_json(FULL // 3), 413),
    "JSON spans, as many objects as may be": (JSON, lambda: spans_in_json(JSON_OBJECTS_MAX - 3), 413),
    "JSON lists": (JSON, lambda: b'{"x":[' + b",".join([b"[]"] * (JSON_VALUES_MAX // 2)) + b"]}", 200),
}


def filled(number: int) -> bytes:
    """As many fields without content as go into a body."""
    empty = field(number, b"")
    return empty * (FULL // len(empty))


def spans_in_json(count: int) -> bytes:
    return b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b",".join([b"{}"] * count) + b"]}]}]}"


@pytest.mark.parametrize("what", BODIES)
def test_a_body_of_nothing_but_empty_parts_is_answered_within_the_functions_memory(what: str) -> None:
    content_type, body, status = BODIES[what]
    headers = {"content-type": content_type, "content-encoding": "gzip"}
    event = http_event(headers=headers, body=gzip.compress(body(), 1))
    answered, peak_mib = run_measured(RECEIVE, json.dumps(event).encode())
    assert answered == str(status)
    assert peak_mib < Settings().memory_mib.receive
