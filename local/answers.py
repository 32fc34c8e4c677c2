"""Errors as AWS's services put them, each in its own protocol, so that SDKs read the code, retry and give up alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from .calls import AwsCall


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back instead of the service's own answer."""

    status: int
    content_type: str
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


def error(call: AwsCall, code: str, message: str, status: int) -> Answer:
    """`code` is the SDK's `Error.Code`. `status` holds as it is for S3; JSON services send client errors as 400."""
    if call.service == "s3":
        xml = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message><RequestId>local</RequestId></Error>"
        return Answer(status, "application/xml", f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}')
    if "x-amz-target" in call.request.headers:
        named = {"__type": f"com.amazon.coral.service#{code}", "message": message}
        return Answer(status if status >= 500 else 400, "application/x-amz-json-1.0", json.dumps(named))
    xml = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return Answer(status, "text/xml", f"<ErrorResponse>{xml}<RequestId>local</RequestId></ErrorResponse>")


def throttled(call: AwsCall) -> Answer:
    """Too many requests, in the service's own words."""
    code, status = {
        "s3": ("SlowDown", 503),
        "dynamodb": ("ProvisionedThroughputExceededException", 400),
        "sqs": ("RequestThrottled", 403),
    }.get(call.service, ("ThrottlingException", 400))
    return error(call, code, "Rate exceeded, on purpose", status)


def failing(call: AwsCall) -> Answer:
    """The service has a fault of its own: 500 and nothing done."""
    code = {"s3": "InternalError", "dynamodb": "InternalServerError"}.get(call.service, "InternalFailure")
    return error(call, code, "Failed on purpose", 500)
