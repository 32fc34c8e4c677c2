"""AWS's own clients send to an endpoint of ours: boto3, and the X-Ray SDK through what stands here for the daemon."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

from spandrel.model.keys import new_pair
from tests.signing import PAIR, PAIR_ID, SECRET
from tests.xray_documents import apart, documents_of, without_the_obvious

from .client_programs import python_client
from .serving import Endpoint, serving
from .test_xray_round_trip import DATAGRAM_HEADER
from .xray_sending import alone, segment

END = b"that is all"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(Endpoint()) as served:
        yield served


def client(endpoint: Endpoint, key_id: str = PAIR_ID, secret: str = SECRET, token: str | None = None) -> BaseClient:
    return boto3.client(
        "xray",
        endpoint_url=endpoint.url,
        region_name="eu-central-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5),
    )


def put(xray: BaseClient, *documents: dict[str, Any]) -> dict[str, Any]:
    return dict(xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(document) for document in documents]))


class TestBoto3:
    def test_segments_arrive_for_the_tenant_of_the_pair(self, endpoint: Endpoint) -> None:
        sent = segment(http={"request": {"method": "GET"}}, annotations={"n": 1})
        assert put(client(endpoint), sent)["UnprocessedTraceSegments"] == []
        ((tenant, request),) = endpoint.queued
        assert (tenant, documents_of(request)) == ("shop", [sent])

    def test_what_is_unprocessed_is_told(self, endpoint: Endpoint) -> None:
        told = put(client(endpoint), alone(parent_id=...), segment())["UnprocessedTraceSegments"]
        message = "Invalid subsegment. ErrorCode: MissingParentId, Cause: null"
        assert told == [{"Id": "53995c3f42cd8ad8", "ErrorCode": "MissingParentId", "Message": message}]
        assert len(endpoint.queued) == 1

    def test_telemetry_is_heard(self, endpoint: Endpoint) -> None:
        record = {"Timestamp": 1714564800.5, "SegmentsSentCount": 1, "BackendConnectionErrors": {"TimeoutCount": 0}}
        answer = client(endpoint).put_telemetry_records(TelemetryRecords=[record], Hostname="h")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert endpoint.queued == []

    def test_a_session_token_does_no_harm(self, endpoint: Endpoint) -> None:
        put(client(endpoint, token="a-token"), segment())
        assert len(endpoint.queued) == 1

    @pytest.mark.parametrize(
        ("key_id", "secret", "code"),
        [
            (PAIR_ID, "wrong", "InvalidSignatureException"),
            (new_pair()[0], SECRET, "UnrecognizedClientException"),
            ("AKIAIOSFODNN7EXAMPLE", SECRET, "UnrecognizedClientException"),
        ],
        ids=["wrong secret", "unknown id", "id of AWS"],
    )
    def test_wrong_credentials_are_refused_as_aws_refuses_them(
        self, endpoint: Endpoint, key_id: str, secret: str, code: str
    ) -> None:
        self.expect_refusal(client(endpoint, key_id, secret), code, 403)
        assert endpoint.queued == []

    def test_a_revoked_pair_is_refused(self) -> None:
        with serving(Endpoint(keys=[replace(PAIR, revoked="2026-11-06")])) as endpoint:
            self.expect_refusal(client(endpoint), "UnrecognizedClientException", 403)

    def test_a_pair_without_the_scope_is_refused(self) -> None:
        with serving(Endpoint(keys=[replace(PAIR, scopes=("query",))])) as endpoint:
            self.expect_refusal(client(endpoint), "AccessDeniedException", 403)

    @pytest.mark.parametrize("clock_s", [-290, 290])
    def test_a_clock_may_be_some_minutes_off(self, clock_s: float) -> None:
        with serving(Endpoint(clock_s=clock_s)) as endpoint:
            put(client(endpoint), segment())
            assert len(endpoint.queued) == 1

    @pytest.mark.parametrize("clock_s", [-310, 310])
    def test_a_clock_that_is_far_off_is_refused_and_told_so(self, clock_s: float) -> None:
        with serving(Endpoint(clock_s=clock_s)) as endpoint:
            told = self.expect_refusal(client(endpoint), "InvalidSignatureException", 403)
            assert "set the clock" in told

    def test_a_call_that_is_no_call_raises_what_the_service_model_knows(self, endpoint: Endpoint) -> None:
        xray = client(endpoint)

        def empty(params: dict[str, Any], **_others: object) -> None:
            params["body"] = b"{}"

        xray.meta.events.register("before-call.xray.PutTraceSegments", empty)
        with pytest.raises(xray.exceptions.InvalidRequestException, match="TraceSegmentDocuments"):
            put(xray, segment())

    @staticmethod
    def expect_refusal(xray: BaseClient, code: str, status: int) -> str:
        with pytest.raises(ClientError) as refused:
            put(xray, segment())
        response = refused.value.response
        assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
        return str(response["Error"]["Message"])


class Daemon:
    """What the X-Ray daemon does with datagrams: takes off their first line, and uploads them in batches."""

    def __init__(self, xray: BaseClient) -> None:
        self._xray = xray
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(10)
        self.documents: list[str] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    @property
    def address(self) -> str:
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def _listen(self) -> None:
        while (datagram := self._socket.recv(64 * 1024)) != END:
            self.documents.append(datagram.decode().removeprefix(DATAGRAM_HEADER))

    def flush(self) -> dict[str, Any]:
        """Uploads all that came before it was called."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(END, self._socket.getsockname())
        self._thread.join()
        self._socket.close()
        return dict(self._xray.put_trace_segments(TraceSegmentDocuments=self.documents))


def test_what_the_python_sdk_traces_arrives_through_the_daemon(endpoint: Endpoint) -> None:
    daemon = Daemon(client(endpoint))
    settings = {"AWS_XRAY_DAEMON_ADDRESS": daemon.address, "AWS_XRAY_CONTEXT_MISSING": "RUNTIME_ERROR"}
    python_client("xray.py", **settings)

    assert daemon.flush()["UnprocessedTraceSegments"] == []
    assert len(daemon.documents) > 1
    ((_, request),) = endpoint.queued
    assert {
        pair.value.string_value
        for resource_spans in request.resource_spans
        for pair in resource_spans.resource.attributes
        if pair.key == "service.name"
    } == {"checkout"}
    sent = [without_the_obvious(json.loads(document)) for document in daemon.documents]
    assert apart(documents_of(request)) == apart(sent)
