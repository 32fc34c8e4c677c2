from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandrel.model.errors import Rejected
from spandrel.model.trace_ids import trace_id_of

ID = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
LOWER = bytes(8) + ID[8:]
DOCS = Path(__file__).parents[2] / "docs" / "querying.md"
DOCUMENTED = dict(
    re.findall(r"^\| ([^|]+) \| `([^`]+)` \|", DOCS.read_text().partition("may be spelt")[2], re.MULTILINE)
)
SPAN_ID = st.binary(min_size=8, max_size=8).map(bytes.hex)
IDS = st.binary(min_size=16, max_size=16).filter(any)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_spelling_names_the_same_trace(name: str) -> None:
    expected = LOWER if name == "Datadog's number" else ID
    assert trace_id_of(DOCUMENTED[name]) == expected
    assert trace_id_of(f"  {DOCUMENTED[name]}\n") == expected
    if name != "base64":
        assert trace_id_of(DOCUMENTED[name].upper()) == expected


def test_the_documentation_has_a_row_for_every_header_and_tool() -> None:
    assert len(DOCUMENTED) == 11


@pytest.mark.parametrize(
    "text",
    [
        *("af7651916cd43dd8448eb211c80319c", "X-B3-TraceId: 0af7651916cd43dd8448eb211c80319c"),
        *("Root=1-0af76519-16cd43dd8448eb211c80319c", "X-Amzn-Trace-Id: Root=1-0af76519-16cd43dd8448eb211c80319c"),
        "Root=1-0af76519-16cd43dd8448eb211c80319c;Lineage=a87bd80c:1|68fd508a:5",
        "traceparent: 01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-of-a-later-version",
        "b3: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        *(f"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{sampled}" for sampled in "01d"),
        "uber-trace-id: 0af7651916cd43dd8448eb211c80319c%3Ab7ad6b7169203331%3A0%3A1",
        "0af7651916cd43dd8448eb211c80319c/1",
        "0af7651916cd43dd8448eb211c80319c;o=1",
        "projects/shop/traces/0af7651916cd43dd8448eb211c80319c/spans/b7ad6b7169203331",
        "x-datadog-trace-id: 9532127138774266268\nx-datadog-tags: _dd.p.tid=0af7651916cd43dd,_dd.p.dm=-1",
        "CvdlGRbNQ92ESOshHIAxnA",
    ],
)
def test_a_header_may_have_its_name_or_lack_a_part(text: str) -> None:
    assert trace_id_of(text) == ID


@pytest.mark.parametrize(
    ("text", "low"),
    [("x-datadog-trace-id: 12", 12), ("12", 0x12), ("1" * 17, int("1" * 17)), ("1" * 16, int("1" * 16, 16))],
)
def test_a_number_is_datadogs_where_its_header_or_its_length_says_so(text: str, low: int) -> None:
    assert trace_id_of(text) == low.to_bytes(16, "big")


def test_the_old_64_bit_spellings_are_the_lower_half() -> None:
    for text in ("8448eb211c80319c", "8448eb211c80319c-b7ad6b7169203331-1", "8448eb211c80319c:b7ad6b7169203331:0:1"):
        assert trace_id_of(text) == LOWER


@pytest.mark.parametrize("text", ["+/+/+/+/+/+/+/+/+/+/+w==", "-_-_-_-_-_-_-_-_-_-_-w"])
def test_base64_may_be_that_of_urls(text: str) -> None:
    assert trace_id_of(text) == base64.b64decode("+/+/+/+/+/+/+/+/+/+/+w==")


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "x", "0x1", "١", "1" * 33, "0" * 32, "AAAAAAAAAAAAAAAAAAAAAA==", "1-2", "1-00000000-" + "0" * 24),
        *("00-0af7651916cd43dd8448eb211c80319c", "Root=0af7651916cd43dd8448eb211c80319c", "Parent=53995c3f42cd8ad8"),
        *("b3: 0", "traceparent:", "x-datadog-trace-id: abc", "x-datadog-trace-id: 0", str(2**64), "9" * 20),
        *("CvdlGRbNQ92ESOshHIAxnB==", "CvdlGRbNQ92ESOshHIAx", "0af7651916cd43dd8448eb211c80319c/x", "a:b:c"),
        *("Root=" * 10_000, ";" * 100_000, "1" * 100_000, "9" * 17 + " _dd.p.tid=" * 10_000),
    ],
)
def test_what_spells_no_id_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="trace id") as refused:
        trace_id_of(text)
    assert len(str(refused.value)) < 400


@given(IDS, SPAN_ID)
def test_any_id_is_read_in_any_spelling(trace_id: bytes, span_id: str) -> None:
    digits, low = trace_id.hex(), int.from_bytes(trace_id[8:])
    spellings = [
        digits,
        f"1-{digits[:8]}-{digits[8:]}",
        f"Root=1-{digits[:8]}-{digits[8:]};Parent={span_id};Sampled=0",
        f"00-{digits}-{span_id}-00",
        f"{digits}-{span_id}-1",
        f"{digits.lstrip('0')}:{span_id}:0:1",
        f"{digits}/{int(span_id, 16)};o=1",
        base64.b64encode(trace_id).decode(),
        f"x-datadog-trace-id: {low}, x-datadog-tags: _dd.p.tid={digits[:16]}",
    ]
    assert {trace_id_of(spelling) for spelling in spellings} == {trace_id}


@given(st.text(alphabet="0123456789abcdefABCDEF-:;/=+_% Rot", max_size=60))
def test_no_text_does_more_than_to_be_refused(text: str) -> None:
    try:
        assert len(trace_id_of(text)) == 16
    except Rejected:
        return
