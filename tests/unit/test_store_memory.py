"""`store` within its memory, whatever a batch of messages decodes to."""

from __future__ import annotations

import json
from collections.abc import Sequence

from infra.settings import Settings
from spandrel.model.limits import DECODED_BODY_BYTES, MIB
from tests.builders import request_of, span
from tests.memory import run_measured

from .test_store import record

STORE = """
import json, sys
from store.batch import Batch

class Ports:
    spans = 0
    def put(self, key, body, passing): pass
    def add(self, entry): self.spans += entry.spans

ports = Ports()
outcome = Batch(ports, ports, ports).store(json.load(sys.stdin))
print(ports.spans, outcome.again, outcome.given_up)
"""
MEMORY_MIB = Settings().memory_mib.store


def stored(bodies: Sequence[bytes]) -> tuple[str, float]:
    records = [record(str(number), body, tenant=f"t{number % 3}") for number, body in enumerate(bodies)]
    return run_measured(STORE, json.dumps(records).encode())


def test_a_batch_that_decodes_to_more_than_the_functions_memory_is_stored_within_a_third_of_it() -> None:
    body = request_of(*(span(f"{n}", attributes={"text": "x" * 4096}) for n in range(3500))).SerializeToString()
    messages = MEMORY_MIB * MIB // len(body) + 1
    printed, peak_mib = stored([body] * messages)
    assert printed == f"{3500 * messages} {{}} {{}}"
    assert peak_mib < MEMORY_MIB / 3


def test_a_message_of_nothing_but_empty_attributes_is_stored_within_the_functions_memory() -> None:
    request = request_of(span("a"))
    whole = request.resource_spans[0].scope_spans[0].spans[0]
    for _ in range((DECODED_BODY_BYTES - 1024) // 2):
        whole.attributes.add()
    printed, peak_mib = stored([request.SerializeToString()])
    assert printed == "1 {} {}"
    assert peak_mib < MEMORY_MIB
