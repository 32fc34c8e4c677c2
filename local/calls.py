"""What a request to AWS asks for: which operation of which service, and the permissions that AWS wants for it.

The permissions are those of the Service Authorization Reference. DynamoDB, SQS, S3 and Invoke are exact, because
functions call them; for all others the operation on `*` is asked for, which only an administrator's policy allows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree

from .iam import Permission

ACCOUNT_ID_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request to AWS. Header names are lower-case; `path` is as sent, without the query."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def parameters(self) -> dict[str, list[str]]:
        return parse_qs(self.query, keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One call: `service` and `operation` as AWS's SDKs name them (`s3`, `PutObject`)."""

    service: str
    operation: str
    region: str
    access_key: str | None
    permissions: tuple[Permission, ...]
    request: Request

    @property
    def resource_name(self) -> str:
        """The bucket, queue or table that the call is about, by its name; empty for other services."""
        resource = self.permissions[0].resource if self.permissions else ""
        return resource.split(":")[-1].split("/")[0 if self.service != "dynamodb" else 1]


def read_call(request: Request, account_id: str) -> AwsCall:
    """The call that the request makes; `account_id` completes the ARNs. An unsigned request has no access key."""
    access_key, region, service = _signature(request)
    operation, permissions = _READERS.get(service, _other)(request, f"{region}:{account_id}", service)
    return AwsCall(service, operation, region, access_key, permissions, request)


def _signature(request: Request) -> tuple[str | None, str, str]:
    """(access key, region, service) of a Signature Version 4, be it in the header or in a presigned link."""
    _, found, credential = request.headers.get("authorization", "").partition("Credential=")
    if not found:
        credential = (request.parameters.get("X-Amz-Credential") or [""])[0]
    parts = credential.partition(",")[0].split("/")
    if len(parts) != 5:
        return None, "", "s3" if not request.headers.get("x-amz-target") else ""
    return parts[0], parts[2], parts[3]


Read = tuple[str, tuple[Permission, ...]]


def _target_operation(request: Request) -> str:
    """The operation of AWS's JSON protocols, or of its query protocol, or nothing (REST)."""
    target = request.headers.get("x-amz-target", "").rpartition(".")[2]
    if target:
        return target
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return (parse_qs(request.body.decode()).get("Action") or [""])[0]
    return ""


def _other(request: Request, _where: str, service: str) -> Read:
    operation = _target_operation(request) or f"{request.method} {request.path}"
    return operation, (Permission(f"{service}:{operation}", "*"),)


_OF_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def _dynamodb(request: Request, where: str, service: str) -> Read:
    """A transaction needs the permission of each of its parts; a query of an index is about the index."""
    operation = _target_operation(request)
    body = json.loads(request.body or b"{}")

    def needs(action: str, table: str, index: str | None = None) -> Permission:
        arn = table if table.startswith("arn:") else f"arn:aws:dynamodb:{where}:table/{table}"
        return Permission(f"{service}:{action}", f"{arn}/index/{index}" if index else arn)

    if "TransactItems" in body:
        parts = [part for item in body["TransactItems"] for part in item.items()]
        return operation, tuple(needs(_OF_TRANSACTION[kind], part["TableName"]) for kind, part in parts)
    if "RequestItems" in body:
        return operation, tuple(needs(operation, table) for table in body["RequestItems"])
    if "TableName" in body:
        return operation, (needs(operation, body["TableName"], body.get("IndexName")),)
    return operation, (Permission(f"{service}:{operation}", "*"),)


def _sqs(request: Request, where: str, service: str) -> Read:
    """A batch needs the permission of the single call: SQS knows no `sqs:SendMessageBatch`."""
    operation = _target_operation(request)
    url = json.loads(request.body or b"{}").get("QueueUrl")
    queue = f"arn:aws:sqs:{where}:{url.rpartition('/')[2]}" if url else "*"
    return operation, (Permission(f"{service}:{operation.removesuffix('Batch')}", queue),)


def _s3(request: Request, _where: str, service: str) -> Read:
    bucket, _, key = unquote(request.path).lstrip("/").partition("/")
    operation = _s3_operation(request, key)
    resource = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket or '*'}"
    if operation == "DeleteObjects":
        return operation, tuple(Permission("s3:DeleteObject", f"{resource}/{key}") for key in _keys_to_delete(request))
    needed = [Permission(f"{service}:{_S3_ACTIONS.get(operation, operation)}", resource)]
    if "x-amz-tagging" in request.headers:
        needed.append(Permission("s3:PutObjectTagging", resource))
    if "x-amz-copy-source" in request.headers:
        source = unquote(request.headers["x-amz-copy-source"]).lstrip("/").partition("?")[0]
        needed.append(Permission("s3:GetObject", f"arn:aws:s3:::{source}"))
    return operation, tuple(needed)


# The permission where it is named otherwise than the operation.
_S3_ACTIONS = {
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListObjectsV2": "ListBucket",
    "UploadPart": "PutObject",
}
_S3_OBJECT_OPERATIONS = {
    ("DELETE", ""): "DeleteObject",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("GET", ""): "GetObject",
    ("HEAD", ""): "HeadObject",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("POST", "uploads"): "CreateMultipartUpload",
    ("PUT", ""): "PutObject",
    ("PUT", "uploadId"): "UploadPart",
}
_S3_BUCKET_OPERATIONS = {
    ("GET", "list-type"): "ListObjectsV2",
    ("HEAD", ""): "HeadBucket",
    ("POST", "delete"): "DeleteObjects",
    ("PUT", ""): "CreateBucket",
}
_S3_MARKERS_WITH_VALUE = frozenset({"list-type", "uploadId", "versionId"})


def _s3_operation(request: Request, key: str) -> str:
    """S3 is REST: method, the kind of resource and a marker in the query (`?delete`, `?uploadId=…`) say what to do."""
    parameters = request.parameters.items()
    marker = next((name for name, values in parameters if values == [""] or name in _S3_MARKERS_WITH_VALUE), "")
    operations = _S3_OBJECT_OPERATIONS if key else _S3_BUCKET_OPERATIONS
    return operations.get((request.method, marker), f"{request.method} ?{marker}")


def _keys_to_delete(request: Request) -> list[str]:
    keys = ElementTree.fromstring(request.body).iter("{http://s3.amazonaws.com/doc/2006-03-01/}Key")
    return [key.text or "" for key in keys]


_INVOCATION = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")


def _lambda(request: Request, where: str, service: str) -> Read:
    invocation = _INVOCATION.fullmatch(unquote(request.path))
    if invocation is None:
        return _other(request, where, service)
    name = invocation[1]
    arn = name if name.startswith("arn:") else f"arn:aws:lambda:{where}:function:{name}"
    qualifier = request.parameters.get("Qualifier")
    return "Invoke", (Permission("lambda:InvokeFunction", f"{arn}:{qualifier[0]}" if qualifier else arn),)


_READERS: dict[str, Callable[[Request, str, str], Read]] = {
    "dynamodb": _dynamodb,
    "sqs": _sqs,
    "s3": _s3,
    "lambda": _lambda,
}
