from __future__ import annotations

import json
from typing import Any

import pytest

from local.iam import Caller, NotEvaluated, Permission, allows

READ = Permission("s3:GetObject", "arn:aws:s3:::blocks/a/b")
ROLE = "arn:aws:iam::111111111111:role/store"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def caller(*statements: dict[str, Any]) -> Caller:
    return Caller((ROLE,), (policy(*statements),))


def test_what_no_policy_allows_is_not_allowed() -> None:
    assert not allows(Caller((ROLE,)), READ)
    assert not allows(caller(allow("s3:PutObject")), READ)


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:Get*", "S3:getobject", "*", ["s3:PutObject", "s3:Get?bject"]])
def test_actions_match_in_any_case_and_by_wildcards(action: str | list[str]) -> None:
    assert allows(caller(allow(action)), READ)


@pytest.mark.parametrize(
    ("resource", "fits"),
    [
        ("arn:aws:s3:::blocks/*", True),
        (["arn:aws:s3:::other/*", "arn:aws:s3:::blocks/a/?"], True),
        ("arn:aws:s3:::blocks", False),
        ("arn:aws:s3:::blocks/A/b", False),
        ("arn:aws:s3:::blocks/a", False),
    ],
)
def test_a_statement_is_about_its_resources_only(resource: str | list[str], fits: bool) -> None:
    assert allows(caller(allow("s3:GetObject", resource)), READ) is fits


def test_a_denial_anywhere_wins() -> None:
    own = caller(allow("*"))
    assert not allows(caller(allow("*"), deny("s3:Get*")), READ)
    assert not allows(own, READ, [policy(deny("s3:*", Principal="*"))])


def test_the_complement_of_actions_and_resources_is_understood() -> None:
    others = {"Effect": "Allow", "NotAction": "s3:PutObject", "NotResource": "arn:aws:s3:::keys/*"}
    assert allows(caller(others), READ)
    assert not allows(caller(others), Permission("s3:PutObject", READ.resource))
    assert not allows(caller(others), Permission("s3:GetObject", "arn:aws:s3:::keys/k"))


@pytest.mark.parametrize(
    ("principal", "fits"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ROLE}, True),
        ({"AWS": ["arn:aws:iam::222222222222:root", "arn:aws:iam::111111111111:root"]}, True),
        ({"AWS": "arn:aws:iam::222222222222:root"}, False),
        ({"AWS": f"{ROLE}s"}, False),
        ({"Service": "lambda.amazonaws.com"}, False),
    ],
)
def test_a_resource_can_allow_those_whom_it_names(principal: object, fits: bool) -> None:
    assert allows(Caller((ROLE,)), READ, [policy(allow("s3:GetObject", Principal=principal))]) is fits


def test_a_service_is_named_by_a_trust_policy_without_resources() -> None:
    trust = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}})
    becoming = Permission("sts:AssumeRole", ROLE)
    assert allows(Caller(("lambda.amazonaws.com",)), becoming, [trust])
    assert not allows(Caller(("scheduler.amazonaws.com",)), becoming, [trust])


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:securetransport": "true"}, False),
        ({"Bool": {"aws:SecureTransport": False}}, {"aws:securetransport": "false"}, True),
        ({"NumericLessThan": {"s3:TlsVersion": 1.2}}, {"s3:tlsversion": "1.3"}, False),
        ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, {"s3:tlsversion": "1.1"}, True),
        ({"ArnLike": {"aws:SourceArn": ["x", "arn:*:api/*"]}}, {"aws:sourcearn": "arn:aws:api/GET"}, True),
        ({"StringEquals": {"aws:SourceAccount": "1"}, "Bool": {"a": "true"}}, {"aws:sourceaccount": "1"}, False),
        ({"StringEquals": {"aws:SourceAccount": "1"}}, {}, False),
        ({"StringEqualsIfExists": {"aws:SourceAccount": "1"}}, {}, True),
        ({"StringLike": {"s3:prefix": "a/*"}}, {"s3:prefix": "a/b"}, True),
    ],
)
def test_all_conditions_of_a_statement_must_hold(
    condition: dict[str, Any], context: dict[str, str], holds: bool
) -> None:
    assert allows(caller(allow("s3:GetObject", Condition=condition)), READ, context=context) is holds


@pytest.mark.parametrize(
    "statement",
    [
        allow("s3:GetObject", Condition={"DateGreaterThan": {"aws:CurrentTime": "2026-01-01"}}),
        allow("s3:GetObject", "arn:aws:s3:::blocks/${aws:PrincipalTag/team}/*"),
        {"Effect": "Allow", "Action": "s3:GetObject"},
    ],
)
def test_what_cannot_be_evaluated_is_an_error_and_never_a_yes(statement: dict[str, Any]) -> None:
    with pytest.raises(NotEvaluated):
        allows(caller(statement), READ)
