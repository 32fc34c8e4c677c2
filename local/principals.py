"""Who holds an access key, and what policies a resource has; read from moto at each call, so changes bite at once."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends
from moto.sqs.models import sqs_backends
from moto.sts.models import sts_backends

from .calls import AwsCall
from .iam import Caller, Permission, allows

PARTITION = "aws"
ADMINISTRATOR_KEY = "AKIALOCALADMINISTRAT"
ADMINISTRATOR_SECRET = "local-administrator"
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


class Principals:
    """The identities of one account: its administrator, and the sessions of its roles."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        self._kept: dict[str, list[str]] = {}

    def put_policy(self, arn: str, policy: str) -> None:
        """Keeps one more policy (JSON) of a resource that moto keeps none for, or would apply wrongly."""
        self._kept.setdefault(arn, []).append(policy)

    def allows_service(self, service: str, needed: Permission, source_arn: str) -> bool:
        """Whether the policies of the resource let an AWS service use it for the sake of `source_arn`."""
        return allows(Caller((service,)), needed, self._kept.get(needed.resource, []), {"aws:sourcearn": source_arn})

    def caller(self, call: AwsCall) -> Caller | None:
        """Whose key signed the call; None for a key or a session token that nobody was given."""
        if call.access_key == ADMINISTRATOR_KEY:
            return Caller((f"arn:{PARTITION}:iam::{self._account_id}:root",), (EVERYTHING,))
        session = sts_backends[self._account_id][PARTITION].get_assumed_role_from_access_key(call.access_key or "")
        if session is None or session.session_token != _session_token(call):
            return None
        return Caller((session.role_arn, session.arn), self._policies_of_role(session.role_arn))

    def resource_policies(self, call: AwsCall) -> list[str]:
        """The policy of the bucket or queue that the call is about, if it has one."""
        if call.service == "s3":
            return self._kept.get(f"arn:aws:s3:::{call.resource_name}", [])
        if call.service == "sqs":
            queue = sqs_backends[self._account_id][call.region].queues.get(call.resource_name)
            return [queue.policy] if queue is not None and queue.policy else []
        return []

    def trust_policies(self, role_arn: str) -> list[str]:
        """Who may become the role; empty when there is no such role."""
        role = self.role(role_arn)
        return [as_text(role.assume_role_policy_document)] if role else []

    def role(self, arn: str) -> Any:
        """moto's own object of the role, or None; its `policies` are those in the role itself, by name."""
        roles = iam_backends[self._account_id][PARTITION].roles.values()
        return next((role for role in roles if role.arn == arn), None)

    def _policies_of_role(self, arn: str) -> tuple[str, ...]:
        role = self.role(arn)
        if role is None:
            return ()
        managed = [policy.document for policy in role.managed_policies.values()]
        return tuple(as_text(document) for document in [*role.policies.values(), *managed])


def as_text(document: object) -> str:
    """A policy as JSON; moto keeps some as text and some as a dict."""
    return document if isinstance(document, str) else json.dumps(document)


def _session_token(call: AwsCall) -> str:
    linked = call.request.parameters.get("X-Amz-Security-Token", [""])
    return call.request.headers.get("x-amz-security-token", linked[0])
