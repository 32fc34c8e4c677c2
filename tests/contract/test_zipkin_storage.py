"""Cases of Zipkin's own storage test kit: what it stored, what it was asked, what it answered, through our API.

They were recorded from Zipkin 878ce2a with its storage in memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from query.answering import Answering
from spandrel.wire.zipkin import endpoint as wire
from tests.archive import archive_in
from tests.asking import Asking, Reply
from tests.contract.zipkin_answers import asking_zipkin
from tests.wire.zipkin_sending import sent_spans

CASES = (Path(__file__).parent / "zipkin_cases" / "storage.jsonl").read_text().splitlines()
Step = Mapping[str, Any]


def traces(reply: Reply) -> list[list[str]]:
    """Of an answer that has some."""
    assert reply.status == 200
    return in_any_order(reply.json)


def in_any_order(found: list[list[Any]]) -> list[list[str]]:
    """Neither spans nor traces have an order in the test kit, but for how the newest are chosen."""
    return sorted(sorted(json.dumps(span, sort_keys=True) for span in trace) for trace in found)


def one_trace(zipkin: Asking, step: Step) -> Any:
    reply = zipkin.get(f"/api/v2/trace/{step['traceId']}")
    return in_any_order([[]] if reply.status == 404 else [reply.json])


def many_traces(zipkin: Asking, step: Step) -> Any:
    return traces(zipkin.get("/api/v2/traceMany", {"traceIds": ",".join(step["traceIds"])}))


def search(zipkin: Asking, step: Step) -> Any:
    return traces(zipkin.get("/api/v2/traces", {name: str(value) for name, value in step["query"].items()}))


def names(path: str) -> Callable[[Asking, Step], Any]:
    def ask(zipkin: Asking, step: Step) -> Any:
        return zipkin.get(path, {"serviceName": step["serviceName"]} if "serviceName" in step else {}).json

    return ask


def as_it_is(result: Any) -> Any:
    return result


def one_in_any_order(trace: list[Any]) -> list[list[str]]:
    return in_any_order([trace])


# How each operation of the kit is asked here -> what is answered; and how the kit's result is compared with that.
ASKED: Mapping[str, tuple[Callable[[Asking, Step], Any], Callable[[Any], Any]]] = {
    "getTrace": (one_trace, one_in_any_order),
    "getTraceMany": (many_traces, in_any_order),
    "getTraces": (search, in_any_order),
    "getServiceNames": (names("/api/v2/services"), as_it_is),
    "getSpanNames": (names("/api/v2/spans"), as_it_is),
    "getRemoteServiceNames": (names("/api/v2/remoteServices"), as_it_is),
}


@pytest.mark.parametrize("case", [json.loads(case) for case in CASES], ids=lambda case: case["case"])
def test_the_answers_are_those_of_zipkin(tmp_path: Path, case: Mapping[str, Any]) -> None:
    now_ns = case["now_ms"] * 10**6
    with archive_in(tmp_path) as archive:
        zipkin = asking_zipkin(Answering(archive.store, archive.objects, lambda: now_ns).answer)
        for step in case["ops"]:
            if step["op"] == "accept":
                archive.add(wire.decode(sent_spans(*step["spans"])).otlp, received_ns=now_ns)
            else:
                asked, compared = ASKED[step["op"]]
                assert asked(zipkin, step) == compared(step["result"]), step
