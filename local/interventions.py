"""What tests do to a running stack: take a right away, kill a function in the middle, let time pass for a queue."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.sqs.models import sqs_backends

from .answers import Answer, failing
from .calls import AwsCall
from .faults import Fault
from .principals import as_text
from .stack import LocalStack


def killing_the_caller(stack: LocalStack) -> Fault:
    """The process that makes the call dies before AWS hears of it, as when Lambda loses a machine."""

    def kill(call: AwsCall) -> Answer:
        for environment in stack.services.lambda_service.running:
            if environment.access_key == call.access_key:
                environment.kill()
        return failing(call)

    return kill


@contextlib.contextmanager
def without_permission(stack: LocalStack, label: str, action: str) -> Iterator[None]:
    """Takes one action, such as `s3:PutObject`, from the role of the function `label`, and gives it back at the end."""
    arn = next(each.role_arn for each in stack.functions if each.label == label)
    role = stack.aws.gate.principals.role(arn)
    before = dict(role.policies)
    after = {name: _without(json.loads(as_text(document)), action) for name, document in before.items()}
    if after == {name: json.loads(as_text(document)) for name, document in before.items()}:
        raise LookupError(f"the role of {label} does not hold {action}")
    role.policies.update({name: json.dumps(document) for name, document in after.items()})
    try:
        yield
    finally:
        role.policies.update(before)


def _without(document: dict[str, Any], action: str) -> dict[str, Any]:
    statements = [
        {**each, "Action": [kept for kept in _list(each["Action"]) if kept != action]}
        for each in _list(document["Statement"])
    ]
    return {**document, "Statement": statements}


def end_visibility_timeouts(stack: LocalStack) -> None:
    """All messages that were received and not deleted can be received again, as if their timeout had passed."""
    for queue in _queues(stack):
        for message in queue._messages:
            message.visible_at = 0
    stack.look_at_queues()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message of a dead-letter queue, with those of its attributes that are text."""

    body: str
    attributes: dict[str, str]


def dead_letters(stack: LocalStack) -> list[DeadLetter]:
    """What the dead-letter queues hold; looking changes nothing."""
    ends = {queue.dead_letter_queue.name for queue in _queues(stack) if queue.dead_letter_queue}
    messages = [message for queue in _queues(stack) if queue.name in ends for message in queue._messages]
    return [DeadLetter(message.body, _texts(message.message_attributes)) for message in messages]


def _texts(attributes: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: value["StringValue"] for name, value in attributes.items() if "StringValue" in value}


def _queues(stack: LocalStack) -> list[Any]:
    return list(sqs_backends[stack.aws.account_id][stack.aws.region].queues.values())


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
