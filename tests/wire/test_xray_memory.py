"""`receive` within its memory, whatever X-Ray's documents unfold to."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest

from infra.settings import Settings
from spandrel.model.limits import DECODED_BODY_BYTES, SEGMENT_DOCUMENT_CHARACTERS
from tests.events import http_event
from tests.memory import run_measured

from .test_memory import RECEIVE
from .xray_sending import segment, subsegment

ROOM = 1024  # for what is around the parts


def repeated(member: str, brackets: str, part: Callable[[int], str]) -> str:
    """A document as long as may be, with as many parts as go into the member."""
    count = (SEGMENT_DOCUMENT_CHARACTERS - ROOM) // (len(part(2**18)) + 1)
    filling = ",".join(map(part, range(count)))
    return json.dumps(segment())[:-1] + f', "{member}": {brackets[0]}{filling}{brackets[1]}}}'


SUBSEGMENT = json.dumps(subsegment(), separators=(",", ":"))
DOCUMENTS: dict[str, tuple[Callable[[], str], int]] = {
    "subsegments": (lambda: repeated("subsegments", "[]", lambda _: SUBSEGMENT), 413),
    "annotations": (lambda: repeated("annotations", "{}", lambda number: f'"{number:x}":1'), 413),
    "texts": (lambda: repeated("precursor_ids", "[]", lambda _: '"texts"'), 200),
}


@pytest.mark.parametrize("what", DOCUMENTS)
def test_documents_of_nothing_but_small_parts_are_answered_within_the_functions_memory(what: str) -> None:
    make, status = DOCUMENTS[what]
    document = make()
    assert len(document) <= SEGMENT_DOCUMENT_CHARACTERS
    copies = (DECODED_BODY_BYTES - ROOM) // len(json.dumps(document) + ", ")
    body = gzip.compress(json.dumps({"TraceSegmentDocuments": [document] * copies}).encode(), 1)
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    event = http_event("POST", "/TraceSegments", headers=headers, body=body)
    answered, peak_mib = run_measured(RECEIVE, json.dumps(event).encode())
    assert answered == str(status)
    assert peak_mib < Settings().memory_mib.receive
