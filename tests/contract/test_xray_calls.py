"""What all of X-Ray's operations share: who may ask, how a call is read, how it is refused, and its pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from spandrel.api.xray.call import Call
from spandrel.api.xray.endpoints import API
from spandrel.api.xray.members import Members
from spandrel.model.errors import Rejected
from spandrel.model.routes import ROUTES, XRAY_NOT_OFFERED, XRAY_QUESTIONS
from tests.archive import Archive
from tests.builders import RECEIVED_NS
from tests.signing import PAIR
from tests.xray_asking import OPERATIONS, PATHS, XRay, boto3_of, xray_of

TAKEN_IN = {"/TraceSegments", "/TelemetryRecords"}
NOT_OFFERED = sorted(name for name, path in PATHS.items() if path in XRAY_NOT_OFFERED)


@pytest.fixture
def xray(archive: Archive) -> XRay:
    return xray_of(archive, RECEIVED_NS)


def test_every_operation_of_the_service_model_has_a_route_and_an_answer() -> None:
    assert {operation.http["method"] for operation in OPERATIONS.values()} == {"POST"}
    assert set(PATHS.values()) == {*XRAY_QUESTIONS, *XRAY_NOT_OFFERED, *TAKEN_IN}
    assert set(API.posted) == {*XRAY_QUESTIONS, *XRAY_NOT_OFFERED}
    keys = {(route.key, route.function, route.scope) for route in ROUTES}
    assert all((f"POST {path}", "query", "query") in keys for path in API.posted)


@pytest.mark.parametrize("operation", NOT_OFFERED)
def test_an_operation_that_is_not_offered_says_so(xray: XRay, operation: str) -> None:
    status, code, message = xray.refusal(operation)
    assert (status, code) == (400, "InvalidRequestException")
    assert PATHS[operation] in message
    assert "not offered" in message


class TestBoto3:
    def test_a_pair_may_ask_with_the_scope_query(self, archive: Archive) -> None:
        with boto3_of(archive) as client, pytest.raises(client.exceptions.InvalidRequestException, match="not offered"):
            client.get_encryption_config()

    def test_a_pair_that_may_only_send_is_refused(self, archive: Archive) -> None:
        with (
            boto3_of(archive, keys=[replace(PAIR, scopes=("ingest",))]) as client,
            pytest.raises(ClientError) as refusal,
        ):
            client.get_encryption_config()
        error = refusal.value.response
        assert error["Error"]["Code"] == "AccessDeniedException"
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 403

    def test_a_pair_that_nobody_made_is_refused(self, archive: Archive) -> None:
        with boto3_of(archive, keys=[]) as client, pytest.raises(ClientError) as refusal:
            client.get_encryption_config()
        assert refusal.value.response["Error"]["Code"] == "UnrecognizedClientException"


@pytest.mark.parametrize(
    ("read", "value", "said"),
    [
        (lambda members: members.required_text("Name"), None, "null at 'name'"),
        (lambda members: members.required_text("Name"), "", "greater than or equal to 1"),
        (lambda members: members.text("Name", 3), "four", "'four' at 'name' failed to satisfy constraint"),
        (lambda members: members.text("Name"), 4, "a string"),
        (lambda members: members.choice("Name", ["A", "B"]), "C", "enum value set: [A, B]"),
        (lambda members: members.boolean("Name"), "true", "a boolean"),
        (lambda members: members.integer("Name"), True, "an integer"),
        (lambda members: members.integer("Name"), 1.5, "an integer"),
        (lambda members: members.object("Name"), [], "a structure"),
        (lambda members: members.required_texts("Name", 2, 3), None, "must not be null"),
        (lambda members: members.required_texts("Name", 2, 3), "one", "a list"),
        (lambda members: members.required_texts("Name", 2, 3), [], "length between 1 and 2"),
        (lambda members: members.required_texts("Name", 2, 3), ["a", "b", "c"], "length between 1 and 2"),
        (lambda members: members.required_texts("Name", 2, 3), ["a", "long"], "'long' at 'name.2.member'"),
        (lambda members: members.required_texts("Name", 2, 3), [None], "null at 'name.1.member'"),
        (lambda members: members.required_time_ns("Name"), None, "must not be null"),
        (lambda members: members.required_time_ns("Name"), "2026-09-21T14:13:20Z", "timestamp"),
        (lambda members: members.required_time_ns("Name"), -1, "timestamp"),
        (lambda members: members.required_time_ns("Name"), 1e400, "timestamp"),
        (lambda members: members.required_time_ns("Name"), True, "timestamp"),
    ],
)
def test_a_member_is_refused_by_its_name_in_the_words_of_aws(read: Any, value: Any, said: str) -> None:
    with pytest.raises(Rejected, match=r"^1 validation error detected: Value ") as refusal:
        read(Members({"Name": value}))
    assert said in str(refusal.value)
    assert "'name" in str(refusal.value)


def test_members_are_read() -> None:
    members = Members(
        {"T": "t", "E": "", "B": False, "I": 0, "O": {"T": "in"}, "L": ["a"], "S": 1790000000.25, "N": None}
    )
    assert (members.text("T"), members.text("E"), members.text("N"), members.text("absent")) == ("t", "", None, None)
    assert (members.boolean("B"), members.integer("I")) == (False, 0)
    inner = members.object("O")
    assert inner is not None and inner.required_text("T") == "in"
    assert members.required_texts("L", 1, 1) == ["a"]
    assert members.required_time_ns("S") == 1_790_000_000_250_000_000


class TestPages:
    @staticmethod
    def call(archive: Archive, path: str = "/Traces", tenant: str = "shop", **members: Any) -> Call:
        return Call(path, Members(members), archive.reading(tenant), RECEIVED_NS, archive.objects)

    def test_the_first_has_no_position(self, archive: Archive) -> None:
        assert self.call(archive).position() is None
        assert self.call(archive, NextToken=None).position() is None

    def test_a_token_is_read_by_the_same_call_alone(self, archive: Archive) -> None:
        position = [1_790_000_000_000_000_001, "1-5759e988-bd862e3fe1be46a994272793"]
        token = self.call(archive, A=1).token(position)
        assert token == self.call(archive, A=1, NextToken=token).token(position)
        assert self.call(archive, A=1, NextToken=token).position() == position
        for other in (
            self.call(archive, A=2, NextToken=token),
            self.call(archive, NextToken=token),
            self.call(archive, path="/TraceGraph", A=1, NextToken=token),
            self.call(archive, tenant="other", A=1, NextToken=token),
        ):
            with pytest.raises(Rejected, match="NextToken"):
                other.position()

    def test_a_token_that_was_changed_anywhere_is_refused(self, archive: Archive) -> None:
        token = self.call(archive).token([1, "a"])
        changed = {
            token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :] for place in range(len(token))
        }
        for one in {*changed, token + "=", token + "A", token[:-1], "x", "é", "A" * 22, "!" + token}:
            with pytest.raises(Rejected, match="NextToken"):
                self.call(archive, NextToken=one).position()
