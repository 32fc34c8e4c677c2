"""What `/openapi.json` says is what the functions do: schemathesis asks every operation of it, over stored traces."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.routes import find_route
from query import answering
from query.apis import api_of
from show.described import PAGES
from show.openapi import openapi
from spandrel.api.asked import SPAN, TIME_S, TRACE
from spandrel.api.described import APIS
from spandrel.api.parameters import Parameters
from spandrel.api.xray.call import not_offered
from spandrel.api.xray.groups import GroupBook
from spandrel.http.described import Described, Operation
from spandrel.model.routes import METHODS
from spandrel.model.xray import groups_key
from spandrel.wire.described import FORMATS
from tests.archive import Archive, archive_in
from tests.builders import RECEIVED_NS, request_of, span
from tests.contract.jaeger_shop import put_shop
from tests.routed import ALL, Stack, stack_of

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 6
NOW_NS = RECEIVED_NS + 10 * 10**9
AS_IT_IS = {"accept-encoding": "identity"}
RECORDINGS = Path(__file__).parents[1] / "wire" / "recordings"
# Media type -> a recorded body of it. What schemathesis cannot make of a schema, it draws from these and from noise.
BINARY = {
    "application/x-protobuf": "otlp-python-protobuf.body",
    "application/x-thrift": "jaeger-otel-python.body",
    "application/vnd.apache.thrift.binary": "jaeger-otel-python.body",
    "application/vnd.apache.thrift.compact": "jaeger-client-node.body",
    "application/msgpack": "datadog-python-v04.body",
}

_Value = TypeVar("_Value")


@schemathesis.serializer(*BINARY)
def as_it_is(_context: object, value: object) -> bytes:
    """A body that is bytes already; of what a schema's negation made of it, the text."""
    return value if isinstance(value, bytes) else str(value).encode()


for media_type, name in BINARY.items():
    recorded = (RECORDINGS / name).read_bytes()
    schemathesis.openapi.media_type(media_type, st.one_of(st.just(recorded), st.binary(max_size=64)))

DESCRIBED = [(api, one) for api in (*FORMATS, *APIS, PAGES) for one in api.operations]
ASKED = [(api, one) for api, one in DESCRIBED if one.method == "GET" and api.scope == "query"]
schema = schemathesis.openapi.from_dict(openapi())


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """A shop, one trace of which is that of the document's examples."""
    with archive_in(tmp_path_factory.mktemp("openapi")) as archive:
        put_shop(archive)
        put_example(archive)
        yield archive


@pytest.fixture(scope="module")
def stack(archive: Archive) -> Stack:
    """The functions over it."""
    return stack_of(archive, lambda: NOW_NS)


@pytest.fixture(autouse=True)
def _groups(archive: Archive) -> None:
    """The group of the document's examples, whatever other tests did to groups."""
    archive.objects.kept.pop(groups_key("shop"), None)
    GroupBook(archive.objects, "shop").create("slow", "duration > 5", NOW_NS)


def put_example(archive: Archive) -> None:
    """A trace with something in each place that an answer has."""
    assert TIME_S * 10**9 == RECEIVED_NS
    trace_id = bytes.fromhex(TRACE)
    checkout = span(
        "POST /checkout",
        trace_id=trace_id,
        span_id=bytes.fromhex(SPAN),
        kind=Span.SPAN_KIND_SERVER,
        duration_ns=250_000_000,
        attributes={"user.id": "7", "count": 7, "share": 0.5, "new": True, "raw": b"\0\1", "tags": ["a", "b"]},
        events=[Span.Event(time_unix_nano=RECEIVED_NS + 1000, name="paid")],
        links=[Span.Link(trace_id=bytes(15) + b"\1", span_id=b"\7" * 8)],
        trace_state="a=b",
        flags=1,
    )
    charge = span(
        "charge",
        trace_id=trace_id,
        parent=checkout.span_id,
        kind=Span.SPAN_KIND_CLIENT,
        attributes={"peer.service": "pay", "server.address": "pay.test"},
        status=Status(code=Status.STATUS_CODE_ERROR, message="refused"),
    )
    archive.add(request_of(checkout, charge, service="web", resource={"host.name": "one"}))


@schema.exclude(method="HEAD").parametrize()
@settings(
    max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
def test_what_is_asked_is_answered_as_described(case: Any, stack: Stack) -> None:
    case.operation.app = stack
    case.call_and_validate(headers=AS_IT_IS, checks=CHECKS)


def asked(stack: Stack, operation: Operation, method: str, *, without: str = "") -> dict[str, Any]:
    """The answer to an operation's own examples, but for one of its parameters."""
    told = [one for one in operation.parameters if one.example is not None and one.name != without]
    path = operation.address
    for one in told:
        if one.place == "path":
            path = path.replace(f"{{{one.name}}}", str(one.example))
    query = urlencode([(one.name, str(one.example)) for one in told if one.place == "query"])
    headers = {one.name: str(one.example) for one in told if one.place == "header"} | AS_IT_IS
    body = b""
    if operation.body and method == operation.method:
        media_type = next(iter(operation.body.content))
        headers["content-type"] = media_type
        body = body_of(operation, media_type)
    answer = stack.answer(method, path, query, headers, body)
    assert answer
    return dict(answer)


def body_of(operation: Operation, media_type: str) -> bytes:
    assert operation.body
    if media_type not in BINARY:
        return json.dumps(operation.body.example).encode()
    name = "datadog-python-v05.body" if operation.path.endswith("/v0.5/traces") else BINARY[media_type]
    return (RECORDINGS / name).read_bytes()


def named(operation: tuple[Described, Operation]) -> str:
    return f"{operation[1].method} {operation[1].address}"


def is_offered(operation: Operation) -> bool:
    return api_of(operation.path).posted.get(operation.path) is not not_offered


@pytest.mark.parametrize("described", DESCRIBED, ids=named)
def test_its_own_example_is_answered_as_an_operation_says(described: tuple[Described, Operation], stack: Stack) -> None:
    api, operation = described
    answer = asked(stack, operation, operation.method)
    expected = operation.answer.status if is_offered(operation) else 400
    if operation.path.startswith("/ui/files/"):
        expected = 404  # the example's version is none
    assert answer["statusCode"] == expected, answer["body"]
    if api.answers_head and operation.method == "GET":
        head = asked(stack, operation, "HEAD")
        assert (head["statusCode"], head["headers"]["content-type"], head["body"]) == (
            expected,
            answer["headers"]["content-type"],
            "",
        )


@pytest.mark.parametrize("address", sorted({one.address for _, one in DESCRIBED}))
def test_other_methods_than_described_are_refused(address: str, stack: Stack) -> None:
    operations = {one.method: one for _, one in DESCRIBED if one.address == address}
    heads = {"HEAD"} if "GET" in operations else set()
    operation = next(iter(operations.values()))
    functions = {function_of(one, address) for one in operations}
    for method in sorted({*METHODS} - {*operations} - heads):
        if function_of(method, address) is None:
            continue  # refused by the gateway
        answer = asked(stack, operation, method)
        if function_of(method, address) not in functions:
            assert answer["statusCode"] == 404, method  # another function, which has no such path
            continue
        assert answer["statusCode"] == 405, method
        assert set(answer["headers"]["allow"].split(", ")) <= {*operations} | heads


def function_of(method: str, address: str) -> str | None:
    found = find_route(ALL, method, address)
    return found[0].function if found else None


class Recording(Parameters):
    """Parameters that know by which names they were asked for."""

    read: ClassVar[set[str]] = set()

    def parsed(self, parse: Callable[[str], _Value], *names: str) -> _Value | None:
        self.read.update(names)
        return super().parsed(parse, *names)

    def texts(self, name: str) -> list[str]:
        self.read.add(name)
        return super().texts(name)


@pytest.mark.parametrize("described", ASKED, ids=named)
def test_an_operation_has_the_parameters_that_its_code_reads(
    described: tuple[Described, Operation], stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, operation = described
    monkeypatch.setattr(Recording, "read", set())
    monkeypatch.setattr(answering, "Parameters", Recording)
    of_query = [one for one in operation.parameters if one.place == "query"]
    for without in ("", *(one.name for one in of_query if one.example is not None)):
        asked(stack, operation, "GET", without=without)
    assert Recording.read == {name for one in of_query for name in (one.name, *one.aliases)}
