"""What Grafana's Tempo data source asks, as it asks it.

From grafana/grafana: public/app/plugins/datasource/tempo (datasource.ts, language_provider.ts), pkg/tsdb/tempo
(tempo.go, trace.go, traceql_query.go), and the queries of Traces Drilldown.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from query.answering import Answering
from tests.archive import archive_in
from tests.asking import Asking
from tests.contract import tempo_answers
from tests.contract.jaeger_shop import put_shop
from tests.contract.tempo_answers import NOW_NS

REQUESTS = Path(__file__).parent / "tempo_cases" / "grafana.json"
SCHEMAS = {name: getattr(tempo_answers, name) for name in dir(tempo_answers) if name.isupper()}


class Asked(NamedTuple):
    """A request, and what there must be in its answer: the name of a schema, and texts."""

    what: str
    path: str
    query: Mapping[str, str]
    accept: str
    answer: str
    holds: list[str]


CASES = [Asked(**one) for one in json.loads(REQUESTS.read_text())]


@pytest.fixture(scope="module")
def tempo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with archive_in(tmp_path_factory.mktemp("grafana")) as archive:
        put_shop(archive)
        yield Asking(Answering(archive.store, archive.objects, lambda: NOW_NS).answer)


@pytest.mark.parametrize("asked", CASES, ids=lambda asked: asked.what)
def test_grafana_is_answered(tempo: Asking, asked: Asked) -> None:
    basic = "Basic " + base64.b64encode(b"grafana:key").decode()
    reply = tempo.get(f"/tempo{asked.path}", asked.query, accept=asked.accept, authorization=basic)
    assert reply.status == 200, reply.body
    assert reply.headers["content-type"].startswith(asked.accept.partition(",")[0])
    if asked.answer in SCHEMAS:
        tempo_answers.assert_fits(reply.json, SCHEMAS[asked.answer])
    if asked.answer == "TraceByIDResponse":
        trace: Any = tempo_answers.trace_by_id_response().FromString(reply.body).trace
        assert len(trace.resourceSpans) == 2
    for text in asked.holds:
        assert text.encode() in reply.body, reply.body
