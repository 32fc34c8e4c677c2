from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from local.stack import LocalStack


def client_of(stack: LocalStack, label: str) -> BaseClient:
    """Lambda's API, under the role of a function."""
    role_arn = next(function.role_arn for function in stack.functions if function.label == label)
    return stack.aws.client("lambda", stack.aws.role_session(role_arn, "test"))


def reminded(stack: LocalStack, name: str) -> list[dict[str, Any]]:
    """The events that the function `remind` got under this name."""
    s3, bucket = stack.client("s3"), stack.stack.outputs["Bucket"]
    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"reminded/{name}/").get("Contents", [])
    return [json.loads(s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()) for each in found]


def test_a_function_can_ask_another_and_hears_the_answer(small: LocalStack) -> None:
    asked = client_of(small, "work").invoke(
        FunctionName=small.stack.outputs["Remind"], Payload=json.dumps({"name": "directly"}).encode()
    )
    assert (asked["StatusCode"], json.loads(asked["Payload"].read())) == (200, {"reminded": "directly"})
    assert "FunctionError" not in asked


def test_an_error_of_the_function_is_told_as_one(small: LocalStack) -> None:
    asked = client_of(small, "work").invoke(
        FunctionName=small.stack.outputs["Remind"], Payload=json.dumps({"name": "once", "do": "raise"}).encode()
    )
    assert asked["FunctionError"] == "Unhandled"
    assert json.loads(asked["Payload"].read())["errorMessage"] == "on purpose"
    assert len(reminded(small, "once")) == 1


def test_an_event_for_later_is_tried_again_as_often_as_the_template_says(small: LocalStack) -> None:
    event = {"name": "stubborn", "do": "raise"}
    asked = client_of(small, "work").invoke(
        FunctionName=small.stack.outputs["Remind"], InvocationType="Event", Payload=json.dumps(event).encode()
    )
    assert asked["StatusCode"] == 202
    small.settle()
    assert reminded(small, "stubborn") == [event, event]


def test_a_function_without_the_permission_may_not_ask(small: LocalStack) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied.*lambda:InvokeFunction"):
        client_of(small, "echo").invoke(FunctionName=small.stack.outputs["Remind"])


def test_a_permission_for_the_alias_is_none_for_the_function_itself(small: LocalStack) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        client_of(small, "work").invoke(FunctionName=small.stack.outputs["Remind"].rpartition(":")[0])


def test_a_schedule_calls_its_target_under_its_own_role(small: LocalStack) -> None:
    small.fire_schedules()
    small.settle()
    (event,) = reminded(small, "aws.scheduler")
    assert event["detail-type"] == "Scheduled Event"
    assert event["account"] == small.aws.account_id
