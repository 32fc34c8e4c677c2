from __future__ import annotations

import time

import pytest

from local.interventions import end_visibility_timeouts, without_permission
from local.stack import LocalStack
from tests.builders import request_of, span

from .http import ask
from .spandrel import Client, client_of_tenant, new_tenant, new_trace_id, spans_sent


def test_two_tenants_never_see_each_other(spandrel: LocalStack) -> None:
    trace_id = new_trace_id()
    sent = {name: request_of(span(name, trace_id=trace_id, start_ns=time.time_ns()), service=name) for name in "ab"}
    clients = {name: client_of_tenant(spandrel, new_tenant()) for name in sent}
    for name, client in clients.items():
        client.store(sent[name])
    for name, client in clients.items():
        assert client.trace(trace_id) == spans_sent(sent[name])
        assert client.get("/api/v3/services").json["services"] == [name]
    assert not Client(spandrel).trace(trace_id)


def test_a_key_opens_only_what_its_scopes_say(spandrel: LocalStack) -> None:
    tenant = new_tenant()
    sender, reader = client_of_tenant(spandrel, tenant, "ingest"), client_of_tenant(spandrel, tenant, "query")
    request = request_of(span("scoped", start_ns=time.time_ns()))
    assert (sender.send(request).status, reader.send(request).status) == (200, 403)
    assert (sender.get("/api/v3/services").status, reader.get("/api/v3/services").status) == (403, 200)


def test_without_the_right_to_send_messages_no_span_is_accepted(spandrel: LocalStack) -> None:
    client = Client(spandrel)
    request = request_of(span("unsent", trace_id=new_trace_id(), start_ns=time.time_ns()))
    with without_permission(spandrel, "receive", "sqs:SendMessage"):
        assert client.send(request).status >= 500
    assert client.send(request).status == 200


@pytest.mark.parametrize("action", ["s3:PutObject", "dynamodb:PutItem"])
def test_without_the_rights_of_store_no_span_is_found_and_none_is_lost(spandrel: LocalStack, action: str) -> None:
    client, trace_id = Client(spandrel), new_trace_id()
    request = request_of(span("unstored", trace_id=trace_id, start_ns=time.time_ns()))
    with without_permission(spandrel, "store", action):
        client.store(request)
        assert not client.trace(trace_id)
    end_visibility_timeouts(spandrel)
    spandrel.settle()
    assert client.trace(trace_id) == spans_sent(request)


@pytest.mark.parametrize("action", ["dynamodb:Query", "s3:GetObject"])
def test_without_the_rights_of_query_no_trace_is_shown(spandrel: LocalStack, action: str) -> None:
    client, trace_id = Client(spandrel), new_trace_id()
    client.store(request_of(span("unseen", trace_id=trace_id, start_ns=time.time_ns())))
    with without_permission(spandrel, "query", action):
        assert client.get(f"/api/v3/traces/{trace_id.hex()}").status != 200
    assert client.get(f"/api/v3/traces/{trace_id.hex()}").status == 200


def test_a_trace_is_archived_with_the_rights_of_query(spandrel: LocalStack) -> None:
    client, trace_id = Client(spandrel), new_trace_id()
    request = request_of(span("archived", trace_id=trace_id, start_ns=time.time_ns()))
    client.store(request)
    path = f"/api/archive/{trace_id.hex()}"
    with without_permission(spandrel, "query", "s3:PutObject"):
        assert ask(spandrel.url, "POST", path).status >= 500
    assert ask(spandrel.url, "POST", path).status == 200
    assert client.trace(trace_id) == spans_sent(request)


def test_without_the_right_to_look_keys_up_no_key_is_known(spandrel: LocalStack) -> None:
    client = client_of_tenant(spandrel, new_tenant())
    with without_permission(spandrel, "authorize", "dynamodb:GetItem"):
        assert client.get("/api/v3/services").status >= 400
    assert client.get("/api/v3/services").status == 200
