"""Cloud Trace's version 1 as its clients ask it, through the functions' own ways in."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from google.cloud import trace_v1
from hypothesis import given
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from query.answering import Answering
from spandrel.api.cloudtrace import v1
from spandrel.api.cloudtrace.trace_json import trace_text
from spandrel.api.spans import spans_of_otlp
from spandrel.http.request import request_of as http_request_of
from spandrel.model.cloudtrace import TODAY
from tests.archive import Archive, archive_in
from tests.asking import Asking, Reply
from tests.builders import RECEIVED_NS, request_of, span
from tests.wire.cloudtrace_sending import TRACE, accepted, batch, patch, recorded_event, v1_span, v2_span
from tests.wire.test_cloudtrace_round_trip import GENERATED, V1_SPAN, as_read

SECOND_NS = 10**9
NOW_NS = RECEIVED_NS + 60 * SECOND_NS
LIST = "/v1/projects/shop-1/traces"
ROUTES = {True: "/v1/projects/{project}/traces", False: "/v1/projects/{project}/traces/{proxy+}"}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_in(tmp_path) as archive:
        yield archive


@pytest.fixture
def asking(archive: Archive) -> Asking:
    return asking_at(archive, NOW_NS)


def asking_at(archive: Archive, now_ns: int) -> Asking:
    return Asking(Answering(archive.store, archive.objects, lambda: now_ns).answer)


def asked(asking: Asking, path: str = LIST, **query: str) -> Reply:
    """The reply, which Google's own types can read if it is no refusal."""
    reply = asking.get(path, query, route_key=f"GET {ROUTES[path.endswith('/traces')]}")
    if reply.status == 200:
        message = trace_v1.ListTracesResponse if path.endswith("/traces") else trace_v1.Trace
        message.from_json(reply.body.decode(), ignore_unknown_fields=False)
    return reply


def listed(asking: Asking, **query: str) -> list[int]:
    """The numbers of the traces of a list."""
    reply = asked(asking, **query)
    assert reply.status == 200, reply.json
    return [int(trace["traceId"], 16) for trace in reply.json.get("traces", [])]


def refusal(reply: Reply, status: int = 400, code: str = "INVALID_ARGUMENT") -> str:
    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
    error = reply.json["error"]
    assert (error["code"], error["status"]) == (status, code)
    return str(error["message"])


def trace_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def put(archive: Archive, number: int, *spans: Span, service: str = "shop", **resource: Any) -> None:
    for one in spans:
        one.trace_id = trace_id(number)
    archive.add(request_of(*spans, service=service, resource=resource))


def root(name: str = "root", second: float = 0, **other: Any) -> Span:
    return span(name, start_ns=RECEIVED_NS + int(second * SECOND_NS), **other)


def child(name: str = "child", second: float = 0, parent: bytes = b"\1" * 8, **other: Any) -> Span:
    return span(name, start_ns=RECEIVED_NS + int(second * SECOND_NS), parent=parent, **other)


def in_v1(otlp: Any) -> Any:
    return json.loads(trace_text(spans_of_otlp(otlp), "shop-1", numbered=False))


# What was written is read


@given(sent=V1_SPAN)
@GENERATED
def test_a_span_of_v1_comes_back_equal(sent: dict[str, Any]) -> None:
    (found,) = in_v1(accepted(patch(sent)).otlp)["spans"]
    assert found == {key: value for key, value in sent.items() if value != "1970-01-01T00:00:00Z"}


def test_a_trace_comes_back_as_a_client_of_v1_sent_it(archive: Archive) -> None:
    event = recorded_event("cloudtrace-python-v1")
    taken = accepted(event)
    start_ns = taken.otlp.resource_spans[0].scope_spans[0].spans[0].start_time_unix_nano
    archive.add(taken.otlp, received_ns=start_ns + SECOND_NS)
    (sent,) = as_read(http_request_of(event).body)["traces"]
    reply = asked(asking_at(archive, start_ns + SECOND_NS), f"{LIST}/{sent['traceId']}")
    by_id = {"spans": sorted(sent["spans"], key=lambda one: (one["startTime"], one["spanId"]))}
    assert reply.json == sent | by_id


def test_what_v2_wrote_is_read_as_far_as_v1_has_words_for_it() -> None:
    frame = {"functionName": {"value": "pay"}, "fileName": {"value": "a.py"}, "lineNumber": "3", "columnNumber": "9"}
    sent = v2_span(
        parentSpanId="00f067aa0ba902b7",
        spanKind="CLIENT",
        attributes={
            "attributeMap": {
                "/http/status_code": {"intValue": "503"},
                "retried": {"boolValue": True},
                "/http/method": {"stringValue": {"value": "GET"}},
            }
        },
        status={"code": 14, "message": "overloaded"},
        stackTrace={"stackFrames": {"frame": [frame]}, "stackTraceHashId": "7"},
    )
    found = in_v1(accepted(batch(sent)).otlp)
    (told,) = found["spans"]
    assert (found["projectId"], found["traceId"]) == ("shop-1", TRACE)
    assert told["parentSpanId"] == str(0x00F067AA0BA902B7)
    assert (told["kind"], told["name"], told["endTime"]) == ("RPC_CLIENT", "a", "2024-05-01T12:00:01.500Z")
    labels = told["labels"]
    stack = {"method_name": "pay", "file_name": "a.py", "line_number": 3, "column_number": 9}
    assert json.loads(labels.pop("/stacktrace")) == {"stack_frame": [stack]}
    assert labels == {
        "/http/status_code": "503",
        "/http/method": "GET",
        "retried": "true",
        "/error/message": "overloaded",
        "cloudtrace.status.code": "14",
    }


def test_a_stack_trace_that_was_said_before_stays_what_it_is() -> None:
    (told,) = in_v1(accepted(batch(v2_span(stackTrace={"stackTraceHashId": "7"}))).otlp)["spans"]
    assert told["labels"] == {"cloudtrace.stack_trace": '{"stackTraceHashId":"7"}'}


def test_the_service_of_a_span_is_no_label_where_another_label_says_it() -> None:
    (copied,) = in_v1(accepted(patch(v1_span(labels={"g.co/gae/app/module": "shop"}))).otlp)["spans"]
    assert copied["labels"] == {"g.co/gae/app/module": "shop"}
    (own,) = in_v1(request_of(root(attributes={"http.request.method": "GET"}), service="web"))["spans"]
    assert own["labels"] == {"/http/method": "GET", "service.name": "web"}


def test_a_label_beside_the_attribute_that_means_the_same_keeps_both() -> None:
    labels = {"/http/method": "GET", "http.request.method": "get"}
    (told,) = in_v1(accepted(patch(v1_span(labels=labels))).otlp)["spans"]
    assert told["labels"] == labels


def test_a_client_and_a_server_that_share_an_id_get_two_and_say_so() -> None:
    client = root("call", span_id=b"\1" * 8, kind=Span.SPAN_KIND_CLIENT)
    server = root("serve", span_id=b"\1" * 8, kind=Span.SPAN_KIND_SERVER)
    called, served = in_v1(request_of(client, server))["spans"]
    assert served["parentSpanId"] == called["spanId"] != served["spanId"]
    assert "share the span id" in served["labels"]["spandrel/warnings"]


def test_the_project_is_that_of_the_trace_or_else_of_the_path(archive: Archive, asking: Asking) -> None:
    put(archive, 1, root(), **{"gcp.project_id": "other"})
    put(archive, 2, root(second=1))
    for view in ("MINIMAL", "ROOTSPAN", "COMPLETE"):
        traces = asked(asking, view=view).json["traces"]
        assert [trace["projectId"] for trace in traces] == ["shop-1", "other"]
    assert asked(asking, f"{LIST}/1").json["projectId"] == "other"


# Lists


def test_a_list_tells_as_much_as_its_view_asks_for(archive: Archive, asking: Asking) -> None:
    put(archive, 1, root("a", span_id=b"\1" * 8), child("b", second=-1))
    bare = {"projectId": "shop-1", "traceId": f"{1:032x}"}
    for view in ("", "VIEW_TYPE_UNSPECIFIED", "MINIMAL", "0", "1"):
        assert asked(asking, view=view).json == {"traces": [bare]}
    for view in ("ROOTSPAN", "2"):
        (trace,) = asked(asking, view=view).json["traces"]
        assert [one["name"] for one in trace["spans"]] == ["a"]
    for view in ("COMPLETE", "3"):
        (trace,) = asked(asking, view=view).json["traces"]
        assert [one["name"] for one in trace["spans"]] == ["b", "a"]


def test_kinds_are_numbers_for_clients_that_ask_so(archive: Archive, asking: Asking) -> None:
    put(archive, 1, root(kind=Span.SPAN_KIND_SERVER))
    (named,) = asked(asking, f"{LIST}/1", alt="json").json["spans"]
    (numbered,) = asked(asking, f"{LIST}/1", **{"$alt": "json;enum-encoding=int"}).json["spans"]
    assert (named["kind"], numbered["kind"]) == ("RPC_SERVER", 1)


def test_nothing_found_is_an_empty_message(asking: Asking) -> None:
    assert asked(asking).json == {}


def test_the_range_is_about_roots_and_takes_in_both_ends(archive: Archive, asking: Asking) -> None:
    for number, second in ((1, 0), (2, 1), (3, 2)):
        put(archive, number, root(second=second), child(second=second + 0.5))
    first = asked(asking, f"{LIST}/1").json["spans"][0]["startTime"]
    second = asked(asking, f"{LIST}/2").json["spans"][0]["startTime"]
    assert listed(asking, startTime=first, endTime=second) == [2, 1]
    assert listed(asking, startTime=second, endTime=second) == [2]


def test_without_a_start_a_list_is_of_the_last_day(archive: Archive, asking: Asking) -> None:
    put(archive, 1, root(second=-23 * 3600))
    put(archive, 2, root(second=-25 * 3600))
    assert listed(asking) == [1]


FOUR = {1: ("cart", 0, 5), 2: ("cart/1", 1, 9), 3: ("buy", 2, 7), 4: ("cart", 3, 7)}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("", [4, 3, 2, 1]),
        ("start desc", [4, 3, 2, 1]),
        ("start", [1, 2, 3, 4]),
        ("duration", [1, 3, 4, 2]),
        ("duration desc", [2, 3, 4, 1]),
        ("name", [3, 1, 4, 2]),
        ("name desc", [2, 1, 4, 3]),
        ("trace_id", [1, 2, 3, 4]),
        ("trace_id  desc", [4, 3, 2, 1]),
    ],
)
def test_each_order_goes_by_the_root_and_is_paged_without_gaps_while_traces_arrive(
    archive: Archive, asking: Asking, order: str, expected: list[int]
) -> None:
    for number, (name, second, duration_ns) in FOUR.items():
        long = child("zzz", second=second + 0.1, duration_ns=SECOND_NS, parent=bytes([number]) * 8)
        put(archive, number, root(name, second, duration_ns=duration_ns, span_id=bytes([number]) * 8), long)
    assert listed(asking, orderBy=order) == expected
    told: list[int] = []
    token = ""
    for page in range(4):
        reply = asked(asking, orderBy=order, pageSize="1", pageToken=token).json
        told += [int(trace["traceId"], 16) for trace in reply["traces"]]
        token = reply.get("nextPageToken", "")
        put(archive, 100 + page, root("newer than the list", second=61))
    assert (told, token) == (expected, "")


def test_a_page_of_whole_traces_ends_before_it_is_too_large(
    archive: Archive, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(v1, "PAGE_SPANS_MAX", 3)
    for number in (1, 2, 3):
        first = root(second=number, span_id=b"\1" * 8)
        put(archive, number, first, child(second=number + 0.1), child("other", second=number + 0.2))
    reply = asked(asking, view="COMPLETE").json
    assert [int(trace["traceId"], 16) for trace in reply["traces"]] == [3]
    reply = asked(asking, view="COMPLETE", pageToken=reply["nextPageToken"]).json
    assert [int(trace["traceId"], 16) for trace in reply["traces"]] == [2]
    assert len(asked(asking, view="MINIMAL").json["traces"]) == 3


def test_a_trace_whose_root_is_not_there_is_listed_by_its_first_span(archive: Archive, asking: Asking) -> None:
    put(archive, 1, child("a", second=1), child("b", second=2))
    put(archive, 2, root(second=1.5))
    assert listed(asking) == [1, 2]
    assert listed(asking, orderBy="start") == [1, 2]
    (trace, _) = asked(asking, view="ROOTSPAN").json["traces"]
    assert [one["name"] for one in trace["spans"]] == ["a"]
    assert listed(asking, filter="span:b") == [1]
    assert listed(asking, filter="root:a") == []


# Filters

FAILED = Status(code=Status.STATUS_CODE_ERROR, message="card refused")


def put_shop(archive: Archive) -> None:
    ids = {"span_id": b"\1" * 8}
    labels: Mapping[str, Any] = {
        "http.request.method": "GET",
        "http.response.status_code": 503,
        "url.full": "https://shop/cart?a=1",
    }
    put(
        archive,
        1,
        root("/_ah/background", 0, duration_ns=2 * SECOND_NS, attributes=labels, **ids),
        child("query", 1, duration_ns=24_000_000, attributes={"rows": 2.5, "cached": True, "zone": "eu-1"}),
    )
    put(archive, 2, root("/_ahx/cart", 1, attributes={"http.response.status_code": 200, "zone": "us 2"}, **ids))
    put(
        archive,
        3,
        root("pay", 2, status=FAILED, duration_ns=10**6, attributes={'say "x"\\': "y"}, **ids),
        service="pay",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [3, 2, 1]),
        ("root:/_ah", [2, 1]),
        ("root:/_ah/", [1]),
        ("/_ah", [2, 1]),
        ("root:query", []),
        ("+root:pay", [3]),
        ("+root:pa", []),
        ("+pay", [3]),
        ("Pay", []),
        ('"pay"', [3]),
        ("span:que", [1]),
        ("+span:query", [1]),
        ("+span:que", []),
        ("^span:que", []),
        ("latency:2s", [1]),
        ("latency:2000", [1]),
        ("latency:2.5s", []),
        ("latency:1000000ns", [3, 2, 1]),
        ("latency:2000001us", []),
        ("label:zone", [2, 1]),
        ("+label:zone", [2, 1]),
        ("^label:zone", [2]),
        ("label:/http/method", [1]),
        ("label:/error/message", [3]),
        ("label:service.name", [3, 2, 1]),
        ("label:nope", []),
        ("zone:eu", [1]),
        ("zone:EU", []),
        ("+zone:eu", []),
        ("+zone:eu-1", [1]),
        ('+zone:"us 2"', [2]),
        ("^zone:eu", []),
        ("^+zone:eu-1", []),
        ("+^zone:eu-1", []),
        ('^zone:"us 2"', [2]),
        ("service.name:pay", [3]),
        ("method:G", [1]),
        ("+method:GE", []),
        ("+method:GET", [1]),
        ("url:https://shop/c", [1]),
        ("/http/url:https://shop/cart?a=1", [1]),
        ("/http/status_code:503", [1]),
        ("/http/status_code:5", [1]),
        ("/http/status_code:2", [2]),
        ("/http/status_code:6", []),
        ("+/http/status_code:50", []),
        ("+/http/status_code:200", [2]),
        ("http.response.status_code:5", [1]),
        ("rows:2", [1]),
        ("rows:2.", [1]),
        ("rows:2.4", []),
        ("+rows:2.5", [1]),
        ("cached:true", [1]),
        ("cached:t", [1]),
        ("cached:false", []),
        ("/error/message:card", [3]),
        ("+/error/message:card", []),
        ('+/error/message:"card refused"', [3]),
        (r'"say \"x\"\\":y', [3]),
        ("root:/_ah span:query zone:eu", [1]),
        ("root:/_ah span:query zone:us", []),
        ("^zone:us root:/_ahx", [2]),
        ("  root:pay   service.name:pay ", [3]),
    ],
)
def test_a_filter_finds_traces_for_which_all_its_terms_hold(
    archive: Archive, asking: Asking, text: str, expected: list[int]
) -> None:
    put_shop(archive)
    assert listed(asking, filter=text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("zone:", "'zone:' cannot be answered: there is no value"),
        ("+", "there is no value"),
        ("++zone:a", "+ stands there twice"),
        ("latency:fast", "a latency is a number"),
        ("latency:1h", "a latency is a number"),
        ("+latency:1s", "without + and ^"),
        ('zone:"eu', "no term can be read from"),
        ('zone:"eu"x', "no term can be read from"),
        ("/stacktrace:pay", "label:/stacktrace finds spans that have it"),
        (" ".join(["a"] * 33), "filter takes 32 terms, not 33"),
    ],
)
def test_a_filter_that_cannot_be_answered_is_refused_by_its_term(asking: Asking, text: str, why: str) -> None:
    assert why in refusal(asked(asking, filter=text))


@pytest.mark.parametrize("label", [*TODAY, "g.co/r/generic_task/job"])
def test_a_label_is_found_as_it_is_shown_whatever_it_is_kept_as(archive: Archive, asking: Asking, label: str) -> None:
    value = {"/http/url": "https://x", "/http/client_protocol": "https"}.get(label, "12")
    taken = accepted(patch(v1_span(labels={label: value}, startTime="2026-09-21T14:13:20Z", endTime=None)))
    archive.add(taken.otlp)
    times = {"startTime": "2026-09-21T14:00:00Z", "endTime": "2026-09-21T15:00:00Z"}
    (trace,) = asked(asking, view="COMPLETE", **times).json["traces"]
    assert trace["spans"][0]["labels"] == {label: value}
    for text in (f"label:{label}", f'{label}:"{value[:-1]}"', f'+{label}:"{value}"', f'^{label}:"{value}"'):
        assert len(asked(asking, filter=text, **times).json["traces"]) == 1, text


# Refusals


def forged(**said: Any) -> str:
    """A token as nobody was given one."""
    names = {"fingerprint": "x", "start_ns": 0, "end_ns": 1, "rank": 1, "trace_id": TRACE} | said
    return base64.urlsafe_b64encode(json.dumps(list(names.values())).encode()).decode()


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"view": "ALL"}, "malformed parameter view: takes MINIMAL, ROOTSPAN or COMPLETE"),
        ({"orderBy": "latency"}, "malformed parameter orderBy: takes trace_id, name"),
        ({"orderBy": "name asc"}, "malformed parameter orderBy"),
        ({"orderBy": "name, start"}, "malformed parameter orderBy"),
        ({"pageSize": "many"}, "malformed parameter pageSize"),
        ({"startTime": "yesterday"}, "malformed parameter startTime: takes a time like"),
        ({"startTime": "2026-09-21T14:00:01Z", "endTime": "2026-09-21T14:00:00Z"}, "startTime must not be after"),
        ({"startTime": "2024-01-01T00:00:00Z", "endTime": "2026-09-21T14:00:00Z"}, "may ask for 744"),
        ({"pageToken": "?"}, "pageToken is none that this API gave"),
        ({"pageToken": "WzEsMl0"}, "pageToken is none that this API gave"),  # [1,2]
        ({"pageToken": forged(rank=True)}, "pageToken is none that this API gave"),
        ({"pageToken": forged(rank=10**40)}, "pageToken is none that this API gave"),
        ({"pageToken": forged(rank=10**40, end_ns="soon")}, "pageToken is none that this API gave"),
        ({"pageToken": forged(trace_id="ab!")}, "pageToken is none that this API gave"),
        ({"pageToken": forged()}, "pageToken is of a list with other parameters"),
        ({"alt": "proto"}, "alt takes json"),
    ],
)
def test_a_parameter_that_does_not_do_is_refused_by_its_name(asking: Asking, query: dict[str, str], why: str) -> None:
    assert why in refusal(asked(asking, **query))


def test_a_token_is_of_one_list(archive: Archive, asking: Asking) -> None:
    for number in (1, 2):
        put(archive, number, root())
    token = asked(asking, pageSize="1").json["nextPageToken"]
    assert "other parameters" in refusal(asked(asking, pageToken=token, filter="root:a"))
    assert "other parameters" in refusal(asked(asking, pageToken=token, orderBy="name"))
    assert listed(asking, pageToken=token, pageSize="-1", view="2") == [2]


@pytest.mark.parametrize(("order", "rank"), [("start", "cart"), ("name", 7)])
def test_a_token_that_somebody_wrote_is_refused(archive: Archive, asking: Asking, order: str, rank: Any) -> None:
    for number in (1, 2):
        put(archive, number, root())
    token = asked(asking, pageSize="1", orderBy=order).json["nextPageToken"]
    fingerprint = json.loads(base64.urlsafe_b64decode(token + "==="))[0]
    reply = asked(asking, orderBy=order, pageToken=forged(fingerprint=fingerprint, rank=rank))
    assert "pageToken is none that this API gave" in refusal(reply)


def test_a_trace_that_is_not_there_is_not_found(asking: Asking) -> None:
    assert refusal(asked(asking, f"{LIST}/{'a' * 32}"), 404, "NOT_FOUND") == f"trace {'a' * 32} not found"
    assert "a trace id is" in refusal(asked(asking, f"{LIST}/nonsense"))
    assert refusal(asked(asking, f"{LIST}/"), 404, "NOT_FOUND")


def test_another_method_and_no_key_are_refused_as_google_does(asking: Asking) -> None:
    key = f"DELETE {ROUTES[False]}"
    reply = asking.get(f"{LIST}/1", method="DELETE", route_key=key)
    assert "takes GET and HEAD" in refusal(reply, 405, "UNIMPLEMENTED")
    reply = asking.get(f"{LIST}/1", route_key=f"GET {ROUTES[False]}", context=None)
    refusal(reply, 401, "UNAUTHENTICATED")


def test_nobody_sees_the_traces_of_another_tenant(archive: Archive, asking: Asking) -> None:
    archive.add(request_of(root(trace_id=trace_id(1))), tenant="other")
    assert asked(asking).json == {}
    assert asked(asking, f"{LIST}/1").status == 404


def test_what_googles_library_asks_is_understood(archive: Archive, asking: Asking) -> None:
    """The parameters as they were recorded, with times around the trace."""
    recorded = dict(
        parse_qsl(
            "view=3&pageSize=10&startTime=2026-09-21T14%3A00%3A00.000000500Z&endTime=2026-09-21T16%3A16%3A40Z"
            "&filter=%2Broot%3A%2Fcheckout+latency%3A24ms+%2Fhttp%2Fmethod%3AGET&orderBy=duration+desc"
            "&%24alt=json%3Benum-encoding%3Dint"
        )
    )
    put(archive, 1, root("/checkout", duration_ns=24_000_000, attributes={"http.request.method": "GET"}))
    put(archive, 2, root("/checkout", duration_ns=23_000_000, attributes={"http.request.method": "GET"}))
    assert listed(asking, **recorded) == [1]
