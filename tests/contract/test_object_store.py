from __future__ import annotations

import io
import urllib.parse
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.response import StreamingBody
from botocore.stub import Stubber

from spandrel.aws.clients import client
from spandrel.aws.object_store import S3ObjectStore
from spandrel.model import lifecycle
from spandrel.model.errors import Conflict, NotFound, Overloaded

from .conftest import REGION

BUCKET = "spans"
KEY = "acme/blocks/2026-11-05/0001.parquet"


@pytest.fixture
def s3(aws: None) -> BaseClient:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return s3


@pytest.fixture
def store(s3: BaseClient) -> S3ObjectStore:
    return S3ObjectStore(s3, BUCKET)


@pytest.mark.parametrize("body", [b"", b"\x00\xff", b"x" * 3_000_000], ids=["empty", "binary", "3 MB"])
def test_what_was_put_is_what_is_got(store: S3ObjectStore, body: bytes) -> None:
    store.put(KEY, body)
    assert store.get(KEY) == body


def test_a_range_is_as_much_of_the_object_as_there_is(store: S3ObjectStore) -> None:
    store.put(KEY, b"0123456789")
    assert store.get_range(KEY, 2, 3) == b"234"
    assert store.get_range(KEY, 8, 5) == b"89"
    assert store.get_range(KEY, 10, 1) == b""


def test_a_range_of_an_object_that_is_not_there_is_not_found(store: S3ObjectStore) -> None:
    with pytest.raises(NotFound, match=KEY):
        store.get_range(KEY, 0, 1)


def test_the_same_object_can_be_put_again(store: S3ObjectStore) -> None:
    store.put(KEY, b"once")
    store.put(KEY, b"once")
    assert store.get(KEY) == b"once"


def test_an_object_that_is_not_there_is_not_found_by_name(store: S3ObjectStore) -> None:
    with pytest.raises(NotFound, match=KEY):
        store.get(KEY)


def test_an_object_that_only_passes_through_carries_the_tag_that_the_lifecycle_looks_for(
    store: S3ObjectStore, s3: BaseClient
) -> None:
    store.put("acme/incoming/2026-11-05/1", b"", passing=lifecycle.INCOMING)
    store.put(KEY, b"")
    tags = s3.get_object_tagging(Bucket=BUCKET, Key="acme/incoming/2026-11-05/1")["TagSet"]
    assert tags == [{"Key": lifecycle.TAG, "Value": lifecycle.INCOMING}]
    assert s3.get_object_tagging(Bucket=BUCKET, Key=KEY)["TagSet"] == []


def test_a_link_names_the_object_and_how_long_it_holds_and_is_signed(store: S3ObjectStore) -> None:
    link = urllib.parse.urlsplit(store.link(KEY, 900))
    signed = urllib.parse.parse_qs(link.query)
    assert link.scheme == "https"
    assert BUCKET in link.netloc + link.path
    assert link.path.endswith(KEY)
    assert signed["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert signed["X-Amz-Expires"] == ["900"]


def test_headers_are_kept_with_the_object_for_those_who_follow_a_link(store: S3ObjectStore, s3: BaseClient) -> None:
    store.put(KEY, b"{}", headers={"Content-Type": "application/json", "content-encoding": "gzip"})
    answer = s3.get_object(Bucket=BUCKET, Key=KEY)
    assert (answer["ContentType"], answer["ContentEncoding"]) == ("application/json", "gzip")


@pytest.mark.parametrize(
    ("code", "status", "throttled"),
    [
        ("SlowDown", 503, True),
        ("TooManyRequestsException", 429, True),
        ("InternalError", 500, False),
        ("ServiceUnavailable", 503, False),
        ("RequestTimeout", 400, False),
    ],
)
def test_a_fault_that_passes_is_an_overload(
    store: S3ObjectStore, s3: BaseClient, code: str, status: int, throttled: bool
) -> None:
    with Stubber(s3) as stub, pytest.raises(Overloaded, match=code) as put:
        stub.add_client_error("put_object", code, http_status_code=status)
        store.put(KEY, b"")
    with Stubber(s3) as stub, pytest.raises(Overloaded, match=code):
        stub.add_client_error("get_object", code, http_status_code=status)
        store.get(KEY)
    assert put.value.throttled is throttled
    assert put.value.retry_after_s > 0


@pytest.mark.parametrize(
    "fault",
    [
        ConnectTimeoutError(endpoint_url="https://s3"),
        ReadTimeoutError(endpoint_url="https://s3"),
        EndpointConnectionError(endpoint_url="https://s3"),
        ConnectionClosedError(endpoint_url="https://s3"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_no_answer_in_time_is_an_overload(store: S3ObjectStore, s3: BaseClient, fault: Exception) -> None:
    def no_answer(**_call: Any) -> None:
        raise fault

    s3.meta.events.register("before-call.s3", no_answer)
    with pytest.raises(Overloaded):
        store.put(KEY, b"")
    with pytest.raises(Overloaded):
        store.get(KEY)


def test_half_an_object_is_an_overload_and_never_a_short_answer(store: S3ObjectStore, s3: BaseClient) -> None:
    with Stubber(s3) as stub, pytest.raises(Overloaded):
        stub.add_response("get_object", {"Body": StreamingBody(io.BytesIO(b"half"), content_length=8)})
        store.get(KEY)


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", "InvalidAccessKeyId"])
def test_a_fault_that_somebody_has_to_mend_is_neither_missing_nor_overload(
    store: S3ObjectStore, s3: BaseClient, code: str
) -> None:
    with Stubber(s3) as stub, pytest.raises(ClientError, match=code):
        stub.add_client_error("get_object", code, http_status_code=403)
        store.get(KEY)


def test_the_client_gives_up_before_the_gateway_does() -> None:
    from spandrel.aws import clients

    longest_pauses_s = 1 + 2  # standard mode: up to 2^(attempt - 1) seconds, between three attempts
    calls_s = clients.ATTEMPTS * (clients.CONNECT_TIMEOUT_S + clients.READ_TIMEOUT_S)
    assert calls_s + longest_pauses_s < 30


def test_an_object_is_written_over_the_version_that_was_read_and_no_other(store: S3ObjectStore) -> None:
    store.put_over(KEY, b"one", None)
    body, version = store.get_version(KEY)
    assert body == b"one"
    store.put_over(KEY, b"two", version)
    for stale in (version, None):
        with pytest.raises(Conflict, match=KEY):
            store.put_over(KEY, b"three", stale)
    assert store.get(KEY) == b"two"


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"])
def test_a_write_that_lost_is_a_conflict(store: S3ObjectStore, s3: BaseClient, code: str) -> None:
    with Stubber(s3) as stub, pytest.raises(Conflict):
        stub.add_client_error("put_object", code, http_status_code=412)
        store.put_over(KEY, b"", "version")
