from __future__ import annotations

import pytest

from spandrel.model import ids
from spandrel.model.errors import Rejected


def test_a_trace_id_is_read_in_any_case_and_without_its_leading_zeros() -> None:
    full = bytes.fromhex("00000000000000000123456789abcdef")
    assert ids.trace_id_from_hex("123456789ABCDEF") == full
    assert ids.trace_id_from_hex("0123456789abcdef") == full
    assert ids.trace_id_from_hex(full.hex()) == full


@pytest.mark.parametrize("text", ["", "g", "0x1", "1" * 33, "0" * 32, " 1", "1\n", "١"])
def test_what_is_no_trace_id_is_refused_by_name(text: str) -> None:
    with pytest.raises(Rejected, match="trace id"):
        ids.trace_id_from_hex(text)


def test_a_span_id_has_at_most_sixteen_digits() -> None:
    assert ids.span_id_from_hex("a") == bytes(7) + b"\x0a"
    with pytest.raises(Rejected, match="span id"):
        ids.span_id_from_hex("1" * 17)
