"""Answers as the request's body tells it to, goes wrong as it tells it to, or tells what it was given."""

import json
import os
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

invocations = count(1)


def handle(event: dict[str, Any], _context: object) -> Any:
    invocation = next(invocations)
    body = json.loads(event["body"]) if not event["isBase64Encoded"] and event.get("body") else {}
    if "answer" in body:
        return body["answer"]
    if "do" in body:
        return ACTIONS[body["do"]](body.get("with"))
    told = {"event": event, "environment": dict(os.environ), "pid": os.getpid(), "invocations": invocation}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(told)}


def raise_error(_: None) -> None:
    print("about to fail")
    raise ValueError("on purpose")


def take_memory(mb: int) -> int:
    taken = [bytearray(os.urandom(1024) * 1024) for _ in range(mb)]
    time.sleep(15)
    return len(taken)


def meet(folder: str) -> int:
    """Waits until two processes have come here, and tells which this is."""
    Path(folder, str(os.getpid())).touch()
    while len(list(Path(folder).iterdir())) < 2:
        time.sleep(0.01)
    return os.getpid()


ACTIONS: dict[str, Callable[[Any], Any]] = {
    "raise": raise_error,
    "exit": lambda _: os._exit(3),
    "take memory": take_memory,
    "sleep": time.sleep,
    "meet": meet,
    "answer much": lambda kib: "x" * 1024 * kib,
}
