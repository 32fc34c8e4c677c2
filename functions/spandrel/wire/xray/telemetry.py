"""X-Ray's PutTelemetryRecords: POST /TelemetryRecords, what the X-Ray daemon counts about itself, once a minute.

X-Ray gives it back to nobody: no operation reads it. So it is checked, for the daemon to see that it is heard, and let
go. An error here would make the daemon keep and send it again.
"""

from __future__ import annotations

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.http.aws_errors import CONTENT_TYPE, refused_as_aws
from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.errors import Rejected, SpandrelError
from spandrel.wire.formats import Accepted

from .body import body_of


def decode(request: Request) -> Accepted:
    """A sound call without spans."""
    records = body_of(request).get("TelemetryRecords")
    if type(records) is not list or not all(type(record) is dict and "Timestamp" in record for record in records):
        raise Rejected("TelemetryRecords is a list of records, each with its Timestamp")
    return Accepted(ExportTraceServiceRequest(), spans=0)


def answer(_request: Request, _accepted: Accepted) -> Response:
    """PutTelemetryRecordsResult, which has no members."""
    return Response(200, CONTENT_TYPE, b"{}")


def refuse(_request: Request, error: SpandrelError) -> Response:
    return refused_as_aws(error)
