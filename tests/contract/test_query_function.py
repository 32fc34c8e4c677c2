"""The function `query` as Lambda calls it, over S3 and DynamoDB as moto plays them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from query import handler
from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.clients import client
from spandrel.aws.object_store import S3ObjectStore
from spandrel.blocks.writer import write_blocks
from spandrel.model.retention import Retention
from tests.asking import Asking
from tests.builders import request_of, span
from tests.contract.conftest import BUCKET, REGION, TABLE
from tests.tables import make_catalogue_table

DAY_NS = 86_400 * 10**9
NOW_NS = time.time_ns()
FUNCTIONS = Path(__file__).parent.parent.parent / "functions"


@pytest.fixture
def stored(query_function: None) -> Storing:
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    make_catalogue_table(client("dynamodb"), TABLE)
    return Storing()


class Storing:
    """What `store` would have done."""

    def __init__(self) -> None:
        self.objects = S3ObjectStore(client("s3"), BUCKET)
        self.catalogue = DynamoCatalogue(client("dynamodb"), TABLE, Retention(30))
        self._blocks = 0

    def add(self, request: ExportTraceServiceRequest, received_ns: int = NOW_NS, tenant: str = "shop") -> None:
        self._blocks += 1
        for block in write_blocks(tenant, [request.SerializeToString()], received_ns, f"{self._blocks:032x}"):
            self.objects.put(block.entry.key, block.body)
            self.catalogue.add(block.entry)


query = Asking(lambda event: handler.handle(event, None))


def test_a_trace_comes_back_from_s3_and_dynamodb(stored: Storing) -> None:
    stored.add(request_of(span("a", start_ns=NOW_NS), service="web"))
    stored.add(request_of(span("b", start_ns=NOW_NS + 1), service="pay"))
    assert query.get("/api/v3/services").json == {"services": ["pay", "web"]}
    resources = query.get("/api/v3/traces/1").json["result"]["resourceSpans"]
    assert [resource["scopeSpans"][0]["spans"][0]["name"] for resource in resources] == ["a", "b"]


def test_what_arrived_before_retention_is_shown_no_more(stored: Storing) -> None:
    stored.add(request_of(span("old", start_ns=NOW_NS - 31 * DAY_NS), service="old"), NOW_NS - 31 * DAY_NS)
    assert query.get("/api/v3/services").json == {"services": []}
    assert query.get("/api/v3/traces/1").status == 404
    stored.add(request_of(span("replayed", start_ns=NOW_NS - 31 * DAY_NS), service="replayed"))
    assert query.get("/api/v3/services").json == {"services": ["replayed"]}
    assert query.get("/api/v3/traces/1").status == 200


def test_a_link_to_a_large_answer_leads_to_it(stored: Storing) -> None:
    text = "x" * 500
    spans = [span(str(number), start_ns=NOW_NS, attributes={"text": text}) for number in range(6000)]
    stored.add(request_of(*spans))
    reply = query.get("/api/v3/traces/1")
    assert reply.status == 303
    answer = requests.get(reply.headers["location"], timeout=10)
    assert answer.headers["content-type"] == "application/json"
    (resource,) = answer.json()["result"]["resourceSpans"]
    assert len(resource["scopeSpans"][0]["spans"]) == 6000


def test_health_asks_s3_and_dynamodb(stored: Storing) -> None:
    assert query.get("/health", route_key="GET /health", context=None).json["status"] == "up"
    client("dynamodb").delete_table(TableName=TABLE)
    reply = query.get("/health", route_key="GET /health", context=None)
    assert (reply.status, reply.json) == (503, {"status": "down", "catalogue": "down", "bucket": "up"})


def test_nothing_is_read_or_made_at_import() -> None:
    code = "import query.handler, sys; sys.exit('pyarrow' in sys.modules)"
    environment = {"PYTHONPATH": str(FUNCTIONS), "PATH": ""}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
