"""AWS X-Ray's API as boto3's `xray` client and AWS's other SDKs ask it (docs/apis/xray.md).

The protocol is AWS's restJson1 with the shapes of the service model xray-2016-04-12. Requests are signed, which
`spandrel.http.identity` checks as for the segments that come in.
"""

from __future__ import annotations

from spandrel.api.question import ReadApi
from spandrel.http.aws_errors import refused_as_aws
from spandrel.model.routes import XRAY_NOT_OFFERED

from . import group_calls
from .call import answered, not_offered
from .service_graph import service_graph
from .summaries import trace_summaries
from .time_series import time_series
from .trace_graph import trace_graph
from .traces import batch_get_traces

# path -> what answers it
_OPERATIONS = {
    **dict.fromkeys(XRAY_NOT_OFFERED, not_offered),
    "/TraceSummaries": answered(trace_summaries),
    "/Traces": answered(batch_get_traces),
    "/Groups": answered(group_calls.get_groups),
    "/GetGroup": answered(group_calls.get_group),
    "/CreateGroup": answered(group_calls.create_group),
    "/UpdateGroup": answered(group_calls.update_group),
    "/DeleteGroup": answered(group_calls.delete_group),
    "/TraceGraph": answered(trace_graph),
    "/ServiceGraph": answered(service_graph),
    "/TimeSeriesServiceStatistics": answered(time_series),
}

API = ReadApi({}, refused_as_aws, posted=_OPERATIONS)
