"""The recordings as `receive` gets them from API Gateway, whichever format they are of."""

from __future__ import annotations

import json
import random
from typing import Any

from local.routes import find_route
from tests.events import http_event

from .gateway import ALL
from .sending import RECORDINGS

NAMES = sorted(path.stem for path in RECORDINGS.glob("*.json"))

# What is put into a body besides bytes of any value: lengths and numbers at their bounds, and what opens without end.
NASTY = (
    *(
        b"",
        b"\0",
        b"\xff",
        b"\x80",
        b"\x7f\xff\xff\xff",
        b"\xff\xff\xff\xff",
        b"\x80\x80\x80\x80\x10",
        b"\xff" * 9 + b"\x01",
    ),
    *(b"{", b"[", b"}", b'"', b"\\ud800", b"1e999", b"-", b"null", b"[[[[[[[[", b'{"a":{"a":'),
    *(
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\x0f\x00\x01\x0c\x7f\xff\xff\xff",
        b"\x1c" * 40,
        b"\x0c\0\1" * 40,
    ),
)


def body_of(name: str) -> bytes:
    return (RECORDINGS / f"{name}.body").read_bytes()


def event_of(name: str, body: bytes, encoding: str = "") -> dict[str, Any]:
    """The recorded request with another body."""
    told = json.loads((RECORDINGS / f"{name}.json").read_text())
    path, _, query = told["path"].partition("?")
    found = find_route(ALL, told["method"], path)
    assert found
    headers = {key.lower(): value for key, value in told["headers"]}
    headers |= {"content-encoding": encoding} if encoding else {}
    return http_event(told["method"], path, route_key=found[0].key.text, headers=headers, query=query, body=body)


def damaged(body: bytes, dice: random.Random) -> bytes:
    """The body with some bytes gone, doubled, or replaced by bytes of any value or by nasty ones."""
    changed = bytearray(body)
    for _ in range(dice.randint(1, 5)):
        start = dice.randrange(len(changed) + 1)
        end = min(start + dice.choice([0, 1, 1, 2, 4, 8, 100]), len(changed))
        changed[start:end] = dice.choice(
            [dice.choice(NASTY), dice.randbytes(dice.randint(1, 8)), changed[start:end] * 2]
        )
    return bytes(changed)
