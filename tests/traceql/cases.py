"""The cases of cases.jsonl over the spans of spans.json: what each query finds, gives, or is refused for.

One JSON object a line. `section` heads the lines below it. In `query`'s line stands one of

    spans    the spansets that come out, `|` between them: the last two digits of span ids, `a*` for all that begin so
    series   [labels, values by step] each, in steps of a minute from START_NS; null where there is no point
    error    unparsable (`at` line:column), mistyped or unsupported
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .oracle.reading import request_of
from .oracle.spans import Span, Trace, traces_of
from .oracle.steps import SECOND_NS, Steps

HERE = Path(__file__).parent
START_NS = 1_790_000_040 * SECOND_NS
STEPS = Steps(START_NS, START_NS + 240 * SECOND_NS, 60 * SECOND_NS)

Spansets = list[list[str]]


@dataclass(frozen=True)
class Case:
    section: str
    query: str
    expected: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.section}: {self.query}"


def cases(expecting: str) -> list[Case]:
    """Those that expect `spans`, `series` or an `error`."""
    found, section = [], ""
    for line in (HERE / "cases.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if "section" in entry:
            section = entry["section"]
        elif expecting in entry:
            found.append(Case(section, entry["query"], entry))
    return found


def traces() -> list[Trace]:
    return traces_of(request_of((HERE / "spans.json").read_text()))


def short(span: Span) -> str:
    """The name of a span in the cases."""
    return span.span_id.hex()[-2:]


def spansets(written: str, spans: list[str]) -> Spansets:
    """`a1 a2 | b*` as lists, each sorted; `spans` are all there are."""
    found = [[name for word in part.split() for name in _named(word, spans)] for part in written.split("|")]
    return sorted(sorted(spanset) for spanset in found if spanset)


def _named(word: str, spans: list[str]) -> list[str]:
    return [name for name in spans if name.startswith(word[:-1])] if word.endswith("*") else [word]
