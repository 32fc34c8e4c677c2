"""Cloud Trace v1: what becomes of each part of a trace, and of what is none."""

from __future__ import annotations

from typing import Any

import pytest

from spandrel.model.errors import NotAllowed, Undecodable

from .cloudtrace_sending import START_NS, TRACE, accepted, patch, patch_of, recorded_event, v1, v1_span
from .sending import spans
from .values import attributes


def refused(event: dict[str, Any]) -> str:
    with pytest.raises(Undecodable) as refusal:
        accepted(event)
    return str(refusal.value)


def test_what_googles_python_client_sends_arrives_whole() -> None:
    found = accepted(recorded_event("cloudtrace-python-v1"))
    (resource,) = found.otlp.resource_spans
    assert attributes(resource.resource) == {"gcp.project_id": "my-proj"}
    checkout, query = spans(found)
    assert {checkout.trace_id.hex(), query.trace_id.hex()} == {"382d4f4c6b7bb2f4a972559d9085001d"}
    assert (checkout.span_id.hex(), checkout.parent_span_id, checkout.kind) == ("1e9ad6661ea75994", b"", 2)
    assert (checkout.name, checkout.status.code) == ("/checkout", 0)
    assert checkout.start_time_unix_nano == START_NS + 123_456_789
    assert checkout.end_time_unix_nano == START_NS + 10**9 + 5
    assert attributes(checkout) == {
        "http.request.method": "GET",
        "url.full": "http://x/y",
        "http.response.status_code": 200,
        "g.co/agent": "py",
    }
    assert (query.span_id.hex(), query.parent_span_id, query.kind) == ("f" * 16, checkout.span_id, 3)
    assert (query.status.code, query.status.message, attributes(query)) == (2, "Zoë", {})
    assert query.end_time_unix_nano == START_NS + 300_000_000


@pytest.mark.parametrize(
    ("spelling", "span_id"),
    [
        ("1", "0000000000000001"),
        ("18446744073709551615", "ffffffffffffffff"),
        ("9223372036854775808", "8000000000000000"),
        ("2205310701640571284", "1e9ad6661ea75994"),
        (2205310701640571284, "1e9ad6661ea75994"),
        ("007", "0000000000000007"),
    ],
)
def test_span_ids_are_unsigned_numbers_of_64_bits(spelling: Any, span_id: str) -> None:
    found = v1(spanId=spelling, parentSpanId=spelling)
    assert (found.span_id.hex(), found.parent_span_id.hex()) == (span_id, span_id)


@pytest.mark.parametrize(
    "spelling", ["18446744073709551616", "-1", "1.0", "1e3", "0x1", "a", " 1", 1.5, True, [], -1, 2**64]
)
@pytest.mark.parametrize("field", ["spanId", "parentSpanId"])
def test_other_numbers_are_no_span_ids(field: str, spelling: Any) -> None:
    assert refused(patch(v1_span(), v1_span(**{field: spelling}))).startswith(f"traces[0].spans[1].{field} cannot be ")


@pytest.mark.parametrize("spelling", ["0", 0, "", None])
def test_a_parent_that_is_zero_or_empty_is_none(spelling: Any) -> None:
    assert v1(parentSpanId=spelling).parent_span_id == b""


@pytest.mark.parametrize("spelling", ["0", 0, "", None])
def test_a_span_without_an_id_refuses_its_request(spelling: Any) -> None:
    assert "no span id" in refused(patch(v1_span(), v1_span(spanId=spelling)))


@pytest.mark.parametrize("trace_id", ["", "0" * 32, "1" * 31, "1" * 33, "g" * 32, "1-2", None])
def test_a_trace_id_is_32_hex_digits(trace_id: Any) -> None:
    assert "trace id" in refused(patch_of({"traces": [{"traceId": trace_id, "spans": [v1_span()]}]}))


def test_a_trace_id_may_be_in_capitals() -> None:
    (found,) = spans(accepted(patch_of({"traces": [{"traceId": TRACE.upper(), "spans": [v1_span()]}]})))
    assert found.trace_id.hex() == TRACE


@pytest.mark.parametrize(
    ("kind", "otlp"),
    [
        *[("SPAN_KIND_UNSPECIFIED", 0), ("RPC_SERVER", 2), ("RPC_CLIENT", 3)],
        *[(0, 0), (1, 2), (2, 3), (None, 0)],
    ],
)
def test_a_kind_is_a_name_or_a_number(kind: Any, otlp: int) -> None:
    assert v1(kind=kind).kind == otlp


@pytest.mark.parametrize("kind", ["SERVER", "rpc_server", "1", 3, -1, 1.0, True, {}])
def test_another_kind_is_refused(kind: Any) -> None:
    assert "kind cannot be" in refused(patch(v1_span(kind=kind)))


def test_a_span_that_has_not_ended_is_taken() -> None:
    assert v1(endTime=None).end_time_unix_nano == v1(endTime="").end_time_unix_nano == 0


@pytest.mark.parametrize("start", [None, ""])
def test_a_span_that_never_began_is_refused(start: Any) -> None:
    assert refused(patch(v1_span(startTime=start))) == "traces[0].spans[0].startTime is missing"


def test_an_error_message_is_a_status() -> None:
    found = v1(labels={"/error/message": "no such card", "/error/name": "CardError"})
    assert (found.status.code, found.status.message) == (2, "no such card")
    assert attributes(found) == {"error.type": "CardError"}
    assert v1(labels={"/error/message": ""}).status.code == 2
    assert not v1(labels={"/stacktrace": '{"stack_frame":[]}'}).HasField("status")


def test_labels_without_a_convention_keep_their_names() -> None:
    labels = {
        "/stacktrace": '{"stack_frame":[{"method_name":"pay","line_number":3}]}',
        "/component": "web",
        "/pid": "17",
        "g.co/gce/hostname": "box-2",
        "/http/source/ip": "203.0.113.7",
        "": "",
        "Zoë 💩": "x" * 20_000,
    }
    assert attributes(v1(labels=labels)) == labels


@pytest.mark.parametrize("labels", [{"a": 1}, {"a": True}, {"a": None}, {"a": {}}, [1], "x"])
def test_labels_are_texts(labels: Any) -> None:
    assert "labels" in refused(patch(v1_span(labels=labels)))


def test_an_empty_list_stands_for_no_labels() -> None:
    """As PHP writes an empty map."""
    assert attributes(v1(labels=[])) == {}


def test_traces_of_several_projects_and_services_are_kept_apart() -> None:
    def trace(project: str | None, number: int, **labels: str) -> dict[str, Any]:
        span = v1_span(spanId=str(number), labels={key.replace("_", "/"): value for key, value in labels.items()})
        return {"projectId": project, "traceId": TRACE, "spans": [span]}

    found = accepted(
        patch_of(
            {
                "traces": [
                    trace("one", 1, **{"g.co_gae_app_module": "cart"}),
                    trace("two", 2),
                    trace(None, 3),
                    trace("one", 4, **{"g.co_gae_app_module": "cart"}),
                    trace("", 5, **{"service.name": "stock", "g.co_gae_app_module": "default"}),
                ]
            }
        )
    )
    assert [
        (attributes(resource.resource), [span.span_id[-1] for span in resource.scope_spans[0].spans])
        for resource in found.otlp.resource_spans
    ] == [
        ({"gcp.project_id": "one", "service.name": "cart"}, [1, 4]),
        ({"gcp.project_id": "two"}, [2]),
        ({"gcp.project_id": "shop-1"}, [3]),
        ({"gcp.project_id": "shop-1", "service.name": "stock"}, [5]),
    ]
    assert found.spans == 5


def test_keys_may_be_spelt_as_in_the_proto_file() -> None:
    span = {"span_id": "7", "parent_span_id": "8", "start_time": "2024-05-01T12:00:00Z", "labels": {"a_b": "c"}}
    found = accepted(patch_of({"traces": [{"project_id": "p_1", "trace_id": TRACE, "spans": [span]}]}))
    (made,) = spans(found)
    assert (made.span_id[-1], made.parent_span_id[-1], made.start_time_unix_nano) == (7, 8, START_NS)
    assert attributes(made) == {"a_b": "c"}
    assert attributes(found.otlp.resource_spans[0].resource) == {"gcp.project_id": "p_1"}


def test_unknown_keys_are_ignored() -> None:
    assert v1(fromTheFuture={"deep": [1]}).name == "a"


def test_the_project_of_the_path_may_have_a_domain() -> None:
    event = patch_of({"traces": [{"traceId": TRACE, "spans": [v1_span()]}]}, path="/v1/projects/example.com:p/traces")
    assert attributes(accepted(event).otlp.resource_spans[0].resource) == {"gcp.project_id": "example.com:p"}


@pytest.mark.parametrize(
    "body", [{}, {"traces": []}, {"traces": None}, {"traces": [{}]}, {"traces": [{"traceId": TRACE}]}]
)
def test_a_request_without_spans_is_fine(body: dict[str, Any]) -> None:
    assert accepted(patch_of(body)).spans == 0


@pytest.mark.parametrize(
    "body", [[], None, 1, {"traces": {}}, {"traces": [1]}, {"traces": [{"spans": [None]}]}, {"traces": "x"}]
)
def test_a_body_of_another_shape_is_refused(body: Any) -> None:
    assert refused(patch_of(body))


def test_a_client_that_cannot_send_patch_says_so_in_a_header() -> None:
    """Google's HTTP client for Java."""
    event = patch(v1_span(), method="POST", headers={"x-http-method-override": "PATCH"})
    assert accepted(event).spans == 1
    with pytest.raises(NotAllowed) as refusal:
        accepted(patch(v1_span(), method="POST"))
    assert refusal.value.allowed == ("PATCH",)


def test_half_a_surrogate_pair_is_mended_wherever_it_stands() -> None:
    """Google's agent for Node cuts long texts, and where it cuts there may have been an emoji."""
    found = v1(name="a\ud83d", labels={"k\ud83d": "v\ude00", "/error/message": "m\ud83d"})
    assert (found.name, found.status.message, attributes(found)) == ("a\ufffd", "m\ufffd", {"k\ufffd": "v\ufffd"})
