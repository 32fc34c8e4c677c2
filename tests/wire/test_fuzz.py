"""Every recording again, damaged, cut short and too large: a clear 4xx, never a 5xx, a crash or a hang, memory flat."""

from __future__ import annotations

import gzip
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandrel.http.response import Response
from spandrel.model.limits import BODY_BYTES, DECODED_BODY_BYTES
from tests.memory import run_measured

from .recorded_events import NAMES, body_of, damaged, event_of
from .test_otlp_answers import answered

TAKEN, REFUSED = {200, 202}, {400, 413}
CPU_SECONDS_MAX = 2
FLAT_MIB = 160
EVERY = pytest.mark.parametrize("name", NAMES)


def expect_sound_answer(event: dict[str, Any]) -> Response:
    """The answer: in time, and a reason in it where it is a refusal."""
    began = time.process_time()
    response = answered(event)
    assert time.process_time() - began < CPU_SECONDS_MAX
    assert response.status in TAKEN | REFUSED
    assert response.status in TAKEN or len(response.body) > 10
    return response


@EVERY
@settings(deadline=None, max_examples=100, derandomize=True)
@given(dice=st.randoms(use_true_random=False))
def test_a_damaged_body_is_taken_or_refused(name: str, dice: random.Random) -> None:
    expect_sound_answer(event_of(name, damaged(body_of(name), dice)))


@EVERY
@settings(deadline=None, max_examples=25, derandomize=True)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_body_that_is_cut_short_is_taken_or_refused(name: str, share: float) -> None:
    body = body_of(name)
    response = expect_sound_answer(event_of(name, body[: int(share * len(body))]))
    assert response.status in REFUSED or "protobuf" in name or share * len(body) < 1  # protobuf may end at any field


@EVERY
def test_a_body_that_is_too_large_is_refused_as_that_before_it_is_read(name: str) -> None:
    body = body_of(name)
    whole = body * (BODY_BYTES // len(body) + 1)
    assert expect_sound_answer(event_of(name, whole)).status == 413
    unfolds = gzip.compress(body * (DECODED_BODY_BYTES // len(body) + 1))
    assert expect_sound_answer(event_of(name, unfolds, "gzip")).status == 413


@EVERY
def test_a_compressed_body_that_is_cut_short_or_goes_on_is_refused(name: str) -> None:
    compressed = gzip.compress(body_of(name))
    for broken in (compressed[:-1], compressed[: len(compressed) // 2], compressed + b"\0\1"):
        assert expect_sound_answer(event_of(name, broken, "gzip")).status == 400


def test_memory_stays_flat_over_thousands_of_damaged_bodies() -> None:
    printed, peak_mib = run_measured(DAMAGE, b"")
    assert int(printed) == 100 * len(NAMES)
    assert peak_mib < FLAT_MIB


DAMAGE = """
import random
from tests.wire.recorded_events import NAMES, body_of, damaged, event_of
from receive.receiver import Receiver

class Takes:
    def send(self, tenant, bodies, received_ns):
        for _ in bodies: pass

receiver, dice, answers = Receiver(Takes(), lambda: 1), random.Random(1), 0
for name in NAMES * 100:
    assert receiver.answer(event_of(name, damaged(body_of(name), dice)))["statusCode"] < 500
    answers += 1
print(answers)
"""
