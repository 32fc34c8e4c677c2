"""`receive`: what a request of 512 spans takes once the function is warm, and how long each function takes to start.

Warm: the function's own code from the event to the answer, with a queue that takes everything at once; beside it the
loop over spans that it does without. Cold: the function's package, built for this machine, in a process under AWS's
runtime client, from the start of the process to its first real answer, over a local AWS.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from google.protobuf.json_format import MessageToDict
from moto.server import ThreadedMotoServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infra.packaging import VERBS, Verb, package
from local.deployed import Function
from local.logs import FunctionLog
from local.runtime import Environment
from receive.receiver import Receiver
from spandrel.aws.queue import SqsQueue
from spandrel.blocks.writer import draft
from spandrel.model.catalogue import ObjectStore

from .aws import CREDENTIALS, Resources, made_resources
from .clocks import median_seconds
from .events import authorizer_event, export_event, query_event
from .figures import Figure, Target
from .spans import SPANS_A_REQUEST, SpanSource

COLD_STARTS = 5
COLD_TARGETS_MS = {"receive": 450, "query": 750}


class TakesAll:
    """SQS without SQS: a client whose messages are taken at once."""

    def send_message(self, **message: Any) -> None:
        assert message["MessageBody"]


def figures() -> Iterator[Figure]:
    """Microseconds a request by encoding; milliseconds a cold start by function."""
    yield from _warm()
    yield from _cold()


def _warm() -> Iterator[Figure]:
    request = SpanSource().request(SPANS_A_REQUEST)
    body = request.SerializeToString()
    receiver = Receiver(SqsQueue(TakesAll(), "queue", _no_objects), time.time_ns)
    events = {
        "protobuf": export_event(body),
        "gzip'd protobuf": export_event(gzip.compress(body), encoding="gzip"),
        "JSON": export_event(_json(request), "application/json"),
    }
    for name, event in events.items():
        assert receiver.answer(event)["statusCode"] == 200
        seconds = median_seconds(lambda event=event: receiver.answer(event), runs=21)  # type: ignore[misc]
        yield Figure("receive", f"{SPANS_A_REQUEST} spans in {name}", seconds * 1e6, "us/request")
    naive_s = median_seconds(lambda: _naive(body), runs=21)
    yield Figure("receive", "a loop over the same spans and attributes in Python", naive_s * 1e6, "us/request")


def _no_objects() -> ObjectStore:
    raise LookupError("no request of this benchmark is too large for a message")


def _json(request: Any) -> bytes:
    """As an SDK writes it: ids in hex. Base64 ids of protobuf's own JSON would be refused."""
    told = MessageToDict(request)
    for resource_spans, sent in zip(told["resourceSpans"], request.resource_spans, strict=True):
        for scope_spans, scope in zip(resource_spans["scopeSpans"], sent.scope_spans, strict=True):
            for span, original in zip(scope_spans["spans"], scope.spans, strict=True):
                span |= {"traceId": original.trace_id.hex(), "spanId": original.span_id.hex()}
                span |= {"parentSpanId": original.parent_span_id.hex()}
    return json.dumps(told).encode()


def _naive(body: bytes) -> list[dict[str, Any]]:
    """What a receiver does that looks at each span and attribute."""
    rows = []
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                assert len(span.trace_id) == 16
                assert len(span.span_id) == 8
                rows.append({pair.key: pair.value.WhichOneof("value") for pair in span.attributes})
    return rows


def _cold() -> Iterator[Figure]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each call, else
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    credentials = {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    try:
        with mock.patch.dict(os.environ, credentials), tempfile.TemporaryDirectory() as folder:
            resources = made_resources()
            for verb in VERBS:
                yield from _cold_start(verb, resources, credentials, Path(folder))
    finally:
        server.stop()


def _cold_start(verb: Verb, resources: Resources, credentials: dict[str, str], folder: Path) -> Iterator[Figure]:
    event = _first_event(verb, resources)
    runs = [
        asyncio.run(_started(verb, resources.variables | credentials, event, folder)) for _ in range(COLD_STARTS + 1)
    ][1:]  # the first reads the package from disk
    target = Target("at most", COLD_TARGETS_MS[verb]) if verb in COLD_TARGETS_MS else None
    yield Figure("receive", f"cold start of {verb}", statistics.median(wall for wall, _ in runs) * 1000, "ms", target)
    yield Figure("receive", f"cold start of {verb}, of it CPU", statistics.median(cpu for _, cpu in runs) * 1000, "ms")


async def _started(verb: Verb, variables: dict[str, str], event: Any, folder: Path) -> tuple[float, float]:
    """Seconds by the clock and of CPU, from the start of the process to its first answer."""
    root = package(verb, "host").folder
    function = Function(
        name=verb,
        arn=f"arn:aws:lambda:us-east-1:123456789012:function:{verb}",
        handler=f"{verb}.handler.handle",
        variables=variables,
        memory_mb=3008,
        timeout_s=60,
        role_arn="",
        retries=0,
    )
    log = FunctionLog(folder / "log")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    environment = await Environment.start(function, root, {name: variables[name] for name in CREDENTIALS}, log)
    outcome = await environment.invoke(json.dumps(event).encode())
    seconds = time.perf_counter() - began
    await environment.stop()
    log.close()
    assert not outcome.error, f"{verb}: {outcome.error} {outcome.payload!r}"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _first_event(verb: Verb, resources: Resources) -> Any:
    match verb:
        case "receive":
            return export_event(SpanSource().request(8).SerializeToString())
        case "store":
            return {"Records": []}
        case "authorize":
            return authorizer_event(resources.key)
        case "query":
            return query_event("/api/v3/services")
        case "show":
            return query_event("/ui/search")
        case "compact":
            gone = draft("bench", 0, "gone", is_far=False).record()
            return {"tenant": "bench", "level": 1, "inputs": [gone], "cuts": []}
        case _:
            return {}
