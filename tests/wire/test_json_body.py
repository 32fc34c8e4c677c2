from __future__ import annotations

import pytest

from spandrel.model.errors import Undecodable
from spandrel.wire.json_body import NOT_UTF8, json_of, mended


def test_a_byte_order_mark_is_no_fault() -> None:
    assert json_of(b"\xef\xbb\xbf[1]") == ([1], "")


def test_what_is_not_utf8_is_replaced_and_the_sender_is_told() -> None:
    assert json_of(b'["caf\xe9"]') == (["caf\ufffd"], NOT_UTF8)


@pytest.mark.parametrize("body", [b"", b"{", b"[NaN]", b"[-Infinity]", b"9" * 5000, b"[1] 2"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Undecodable, match="no JSON"):
        json_of(body)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_json_that_is_nested_without_end_is_refused(opening: bytes) -> None:
    with pytest.raises(Undecodable, match="nested deeper"):
        json_of(opening * 200_000)


def test_half_a_surrogate_pair_is_mended_in_keys_and_values() -> None:
    assert mended({"\ud83d": ["\ude00", {"a": "b\ud83d\ude00"}, 1, None]}) == {
        "\ufffd": ["\ufffd", {"a": "b😀"}, 1, None]
    }
