"""`up`: how long the stack on this machine takes to be ready, to show a span that was sent to it, and to stop.

It is started as a user does it, as a process. The first start fills what later ones find (packages, template); the
second is the one that counts.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from commands.assembly import ROOT
from commands.failure import CommandFailed

from .figures import Figure, Target

READY_S = Target("at most", 15)
FOUND_S = Target("at most", 2)
SPANS = 10  # sent and looked for, one after the other
PATIENCE_S = 30
POLL_S = 0.02
SECOND_NS = 10**9


def figures() -> Iterator[Figure]:
    """Seconds until the second start is ready, until a span is found (median and longest), and until it has stopped."""
    with _up():
        pass
    begun_s = time.perf_counter()
    with _up() as (process, url):
        yield Figure("up", "a second start until it is ready", time.perf_counter() - begun_s, "s", READY_S)
        found_s = [_seconds_until_found(url) for _ in range(SPANS)]
        yield Figure("up", "a span from sent to found, median", statistics.median(found_s), "s")
        yield Figure("up", f"a span from sent to found, the slowest of {SPANS}", max(found_s), "s", FOUND_S)
        stopping_s = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        yield Figure("up", "stopped after SIGTERM", time.perf_counter() - stopping_s, "s")


@contextmanager
def _up() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`./spandrel up` while it serves, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "commands", "up", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")])},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith("ready "):
                raise CommandFailed("./spandrel up does not start here (see above)")
            yield process, line.removeprefix("ready ").rstrip()
        finally:
            process.terminate()


def _seconds_until_found(url: str) -> float:
    """From before the request that sends one span to the first answer that has its trace."""
    trace_id = os.urandom(16)
    now_ns = time.time_ns()
    export = ExportTraceServiceRequest()
    span = (
        export.resource_spans.add()
        .scope_spans.add()
        .spans.add(trace_id=trace_id, span_id=os.urandom(8), name="sent", start_time_unix_nano=now_ns - SECOND_NS)
    )
    span.end_time_unix_nano = now_ns
    begun_s = time.perf_counter()
    headers = {"content-type": "application/x-protobuf"}
    with urlopen(Request(f"{url}/v1/traces", export.SerializeToString(), headers)):
        pass
    while not _has(url, trace_id):
        if time.perf_counter() - begun_s > PATIENCE_S:
            raise CommandFailed(f"a span was not found within {PATIENCE_S} seconds")
        time.sleep(POLL_S)
    return time.perf_counter() - begun_s


def _has(url: str, trace_id: bytes) -> bool:
    try:
        with urlopen(f"{url}/api/v3/traces/{trace_id.hex()}"):
            return True
    except HTTPError as error:
        if error.code != 404:
            raise
        return False
