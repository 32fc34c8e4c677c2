"""Sends the traces of a small shop through the OpenTelemetry SDK: six services, errors, retries, one slow dependency.

Without --endpoint it goes to the stack that `./spandrel up` runs on this machine.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import dataclass
from urllib.error import URLError
from urllib.request import Request, urlopen

from .failure import CommandFailed
from .running import running
from .shop import Shop

FOUND_WITHIN_S = 10


@dataclass(frozen=True, slots=True)
class Target:
    """Where the demo sends to, and the key that it shows."""

    endpoint: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"} if self.key else {}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--endpoint", metavar="URL", help="where to send (default: the stack that runs here)")
    parser.add_argument("--key", default="", help="an API key with the scopes ingest and query, where one is needed")
    parser.add_argument("--traces", type=int, default=50, metavar="N", help="how many orders are placed (default: 50)")
    parser.add_argument("--seed", type=int, default=None, help="the same seed sends the same shop")


def run(arguments: argparse.Namespace) -> int:
    endpoint = arguments.endpoint or running(otherwise="name another one's address with --endpoint").api
    target = Target(endpoint.rstrip("/"), arguments.key)
    _get(target, "/health")
    shop = Shop(f"{target.endpoint}/v1/traces", target.headers, random.Random(arguments.seed))
    trace_ids = shop.open_for(arguments.traces)
    print(f"sent {shop.spans} spans in {len(trace_ids)} traces to {target.endpoint}")
    _wait_for(target, trace_ids[-1])
    print(f"services     {', '.join(_get(target, '/api/v3/services')['services'])}")
    print(f"a trace      {target.endpoint}/api/v3/traces/{trace_ids[-1]}")
    print(f"the slow one {target.endpoint}/api/v3/traces/{shop.slowest}")
    print(f"dependencies {target.endpoint}/api/dependencies?endTs={time.time_ns() // 10**6}&lookback=3600000")
    return 0


def _wait_for(target: Target, trace_id: str) -> None:
    """Until the trace is found: a batching window and a block later."""
    deadline = time.monotonic() + FOUND_WITHIN_S
    while True:
        try:
            _get(target, f"/api/v3/traces/{trace_id}")
        except CommandFailed:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _get(target: Target, path: str) -> dict[str, list[str]]:
    try:
        with urlopen(Request(target.endpoint + path, headers=target.headers), timeout=30) as response:
            answer: dict[str, list[str]] = json.load(response)
            return answer
    except (URLError, OSError, ValueError) as error:
        raise CommandFailed(f"{target.endpoint}{path} does not answer as it should: {error}") from error
