"""Questions to X-Ray's API: over HTTP events, and by boto3 through a server in this process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.model import OperationModel
from botocore.validate import ParamValidator

from authorize.authorizer import Authorizer
from query.answering import Answering
from spandrel.http.request import request_of
from spandrel.model.keys import ApiKey
from tests.archive import Archive
from tests.asking import Asking, Reply
from tests.events import authorizer_event, http_event
from tests.serving import served
from tests.signing import PAIR, PAIR_ID, SECRET, Pairs

SERVICE = botocore.session.get_session().get_service_model("xray")
OPERATIONS: Mapping[str, OperationModel] = {name: SERVICE.operation_model(name) for name in SERVICE.operation_names}
PATHS = {name: operation.http["requestUri"] for name, operation in OPERATIONS.items()}


@dataclass(frozen=True)
class XRay:
    """A client of X-Ray's API that says what it wants and sees what comes back, byte by byte."""

    asking: Asking

    def reply(self, operation: str, members: Any = None, tenant: str = "shop") -> Reply:
        """The reply to an operation, by its name in the service model."""
        path = PATHS[operation]
        body = b"" if members is None else json.dumps(members).encode()
        return self.asking.post(path, body, tenant=tenant, route_key=f"POST {path}", content_type="application/json")

    def ask(self, operation: str, tenant: str = "shop", **members: Any) -> dict[str, Any]:
        """The members of an answer, which is held to the operation's output shape."""
        reply = self.reply(operation, members, tenant)
        assert (reply.status, reply.headers["content-type"]) == (200, "application/json"), reply.body
        check_output(operation, reply.json)
        return dict(reply.json)

    def refusal(self, operation: str, **members: Any) -> tuple[int, str, str]:
        """Status, code and message of a refusal."""
        return refused(self.reply(operation, members))


def xray_of(archive: Archive, now_ns: int) -> XRay:
    return XRay(Asking(Answering(archive.store, archive.objects, lambda: now_ns).answer))


def refused(reply: Reply) -> tuple[int, str, str]:
    """Status, code and message of a refusal in AWS's form."""
    assert reply.headers["content-type"] == "application/json"
    return reply.status, reply.headers["x-amzn-errortype"], reply.json["Message"]


def check_output(operation: str, output: Mapping[str, Any]) -> None:
    """Holds an answer to the shape that the service model gives it: names, types, required members."""
    shape = OPERATIONS[operation].output_shape
    report = ParamValidator().validate(output, shape)
    assert not report.has_errors(), report.generate_report()
    assert not list(unknown(output, shape)), f"{operation} has no {', '.join(unknown(output, shape))}"


def unknown(value: Any, shape: Any, path: str = "") -> Iterator[str]:
    """Members that the shape does not have, in any depth."""
    if shape.type_name == "structure":
        for name, inner in value.items():
            if name in shape.members:
                yield from unknown(inner, shape.members[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif shape.type_name in {"list", "map"}:
        of = shape.member if shape.type_name == "list" else shape.value
        for inner in value if shape.type_name == "list" else value.values():
            yield from unknown(inner, of, path)


@contextmanager
def boto3_of(
    archive: Archive, now_ns: Callable[[], int] = time.time_ns, keys: Sequence[ApiKey] = (PAIR,)
) -> Iterator[BaseClient]:
    """boto3's client of what the archive holds, signing with the pair of tests.signing."""
    answering = Answering(archive.store, archive.objects, now_ns)

    def answered(method: str, target: str, headers: dict[str, str], body: bytes) -> Mapping[str, Any]:
        url = urlsplit(target)
        event = http_event(method, url.path, headers=headers, query=url.query, body=body, context=None)
        seen = authorizer_event(method, url.path) | {"headers": event["headers"], "rawQueryString": url.query}
        for made in (event, seen):
            made["requestContext"]["timeEpoch"] = int(time.time() * 1000)
        event["requestContext"]["authorizer"] = {"lambda": Authorizer(Pairs(*keys)).context(request_of(seen))}
        return answering.answer(event)

    with served(answered) as url:
        yield boto3.client(
            "xray",
            endpoint_url=url,
            region_name="eu-central-1",
            aws_access_key_id=PAIR_ID,
            aws_secret_access_key=SECRET,
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20),
        )
