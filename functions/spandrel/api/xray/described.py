"""What X-Ray's questions say of themselves (docs/apis/xray.md): the members of AWS's service model xray-2016-04-12."""

from __future__ import annotations

from collections.abc import Mapping

from spandrel.api.asked import END_S, START_S
from spandrel.http.described import JSON, Answer, Body, Described, Operation, json_answer
from spandrel.http.schemas import BOOLEAN, INTEGER, NUMBER, TEXT, Schema, list_of, map_of, named, one_of, record
from spandrel.model.routes import XRAY_NOT_OFFERED
from spandrel.wire.xray.described import REFUSAL, SCHEMES, UNKNOWN_KEY

_TRACE_ID = "1-0af76519-16cd43dd8448eb211c80319c"
_TIMES = {"StartTime": START_S, "EndTime": END_S}
_TOKEN: Mapping[str, Schema] = {"NextToken?": TEXT}
_IDS = record({"TraceIds": list_of(TEXT), **_TOKEN}, others=True)
_NAMED: Mapping[str, Schema] = {"Name?": TEXT, "Names?": list_of(TEXT), "AccountId?": TEXT, "Type?": TEXT}
_HISTOGRAM = list_of(record({"Value": NUMBER, "Count": INTEGER}))
_GROUP_NAME: Mapping[str, Schema] = {"GroupName?": TEXT, "GroupARN?": TEXT}
_GROUP = record({**_GROUP_NAME, "FilterExpression?": TEXT, "InsightsConfiguration?": record({}, others=True)})
_ONE_GROUP = record({"Group": named("XRayGroup")})


def _cause(entity: Mapping[str, Schema]) -> Schema:
    """Root causes: services on the way to one, each with its path of segments."""
    path = list_of(record({"Name?": TEXT, "Remote?": BOOLEAN, **entity}))
    services = list_of(record({**_NAMED, "EntityPath?": path, "Inferred?": BOOLEAN}))
    return list_of(record({"Services?": services, "ClientImpacting?": BOOLEAN}))


_EXCEPTIONS = {"Exceptions?": list_of(record({"Name?": TEXT, "Message?": TEXT}))}
_SERVICES = list_of(named("XRayServiceId"))
_SCHEMAS: Mapping[str, Schema] = {
    "XRayServiceId": record(_NAMED),
    "XRayGroup": _GROUP,
    "XRayStatistics": record(
        {
            "OkCount?": INTEGER,
            "ErrorStatistics?": record({"ThrottleCount?": INTEGER, "OtherCount?": INTEGER, "TotalCount?": INTEGER}),
            "FaultStatistics?": record({"OtherCount?": INTEGER, "TotalCount?": INTEGER}),
            "TotalCount?": INTEGER,
            "TotalResponseTime?": NUMBER,
        }
    ),
    "XRayEdge": record(
        {
            "ReferenceId?": INTEGER,
            "StartTime?": NUMBER,
            "EndTime?": NUMBER,
            "SummaryStatistics?": named("XRayStatistics"),
            "ResponseTimeHistogram?": _HISTOGRAM,
            "Aliases?": list_of(record({"Name?": TEXT, "Names?": list_of(TEXT), "Type?": TEXT})),
            "EdgeType?": TEXT,
            "ReceivedEventAgeHistogram?": _HISTOGRAM,
        }
    ),
    "XRayService": record(
        {
            **_NAMED,
            "ReferenceId?": INTEGER,
            "Root?": BOOLEAN,
            "State?": TEXT,
            "StartTime?": NUMBER,
            "EndTime?": NUMBER,
            "Edges?": list_of(named("XRayEdge")),
            "SummaryStatistics?": named("XRayStatistics"),
            "DurationHistogram?": _HISTOGRAM,
            "ResponseTimeHistogram?": _HISTOGRAM,
        }
    ),
    "XRaySummary": record(
        {
            "Id?": TEXT,
            **{f"{name}?": NUMBER for name in ("StartTime", "Duration", "ResponseTime", "MatchedEventTime")},
            **{f"{name}?": BOOLEAN for name in ("HasFault", "HasError", "HasThrottle", "IsPartial")},
            "Revision?": INTEGER,
            "Http?": record(
                {
                    **{f"{name}?": TEXT for name in ("HttpURL", "HttpMethod", "UserAgent", "ClientIp")},
                    "HttpStatus?": INTEGER,
                }
            ),
            "Annotations?": map_of(
                list_of(
                    record(
                        {
                            "AnnotationValue": record(
                                {"NumberValue?": NUMBER, "BooleanValue?": BOOLEAN, "StringValue?": TEXT}
                            ),
                            "ServiceIds?": _SERVICES,
                        }
                    )
                )
            ),
            "Users?": list_of(record({"UserName?": TEXT, "ServiceIds?": _SERVICES})),
            "ServiceIds?": _SERVICES,
            "ResourceARNs?": list_of(record({"ARN?": TEXT})),
            "InstanceIds?": list_of(record({"Id?": TEXT})),
            "AvailabilityZones?": list_of(record({"Name?": TEXT})),
            "EntryPoint?": named("XRayServiceId"),
            "FaultRootCauses?": _cause(_EXCEPTIONS),
            "ErrorRootCauses?": _cause(_EXCEPTIONS),
            "ResponseTimeRootCauses?": _cause({"Coverage?": NUMBER}),
        }
    ),
}


def _call(path: str, name: str, asked: Schema, example: Mapping[str, object], told: Mapping[str, Schema]) -> Operation:
    """An operation of the service model; not all have to be offered."""
    return Operation("POST", path, name, json_answer("Its output", record(told)), body=Body({JSON: asked}, "", example))


_GRAPH: Mapping[str, Schema] = {"Services": list_of(named("XRayService")), **_TOKEN}
_RANGE: Mapping[str, Schema] = {"StartTime": NUMBER, "EndTime": NUMBER, **_TOKEN}
_OLD: Mapping[str, Schema] = {"ContainsOldGroupVersions?": BOOLEAN}
_ASKED_SUMMARIES = record(
    {
        **_RANGE,
        "TimeRangeType?": one_of("TraceId", "Event", "Service"),
        "Sampling?": BOOLEAN,
        "SamplingStrategy?": record({"Name?": one_of("PartialScan", "FixedRate"), "Value?": NUMBER}, others=True),
        "FilterExpression?": TEXT,
    },
    others=True,
)
_ASKED_STATISTICS = record(
    {
        **_RANGE,
        **_GROUP_NAME,
        "EntitySelectorExpression?": TEXT,
        "Period?": INTEGER,
        "ForecastStatistics?": BOOLEAN,
    },
    others=True,
)
_TRACES = list_of(
    record(
        {
            "Id": TEXT,
            "Duration": NUMBER,
            "LimitExceeded?": BOOLEAN,
            "Segments": list_of(record({"Id": TEXT, "Document": TEXT})),
        }
    )
)
_STATISTICS = list_of(
    record(
        {
            "Timestamp": NUMBER,
            "EdgeSummaryStatistics?": named("XRayStatistics"),
            "ServiceSummaryStatistics?": named("XRayStatistics"),
            "ServiceForecastStatistics?": record({"FaultCountHigh?": INTEGER, "FaultCountLow?": INTEGER}),
            "ResponseTimeHistogram?": _HISTOGRAM,
        }
    )
)
_BY_NAME = record(_GROUP_NAME, others=True)
_BY_NAME_EXAMPLE = {"GroupName": "slow"}
_GROUP_ASKED = record({**_GROUP_NAME, "FilterExpression?": TEXT}, others=True)

_CALLS = (
    _call(
        "/TraceSummaries",
        "GetTraceSummaries",
        _ASKED_SUMMARIES,
        {**_TIMES, "FilterExpression": 'service("web")'},
        {"TraceSummaries": list_of(named("XRaySummary")), "ApproximateTime?": NUMBER, "TracesProcessedCount?": INTEGER}
        | dict(_TOKEN),
    ),
    _call(
        "/Traces",
        "BatchGetTraces",
        _IDS,
        {"TraceIds": [_TRACE_ID]},
        {"Traces": _TRACES, "UnprocessedTraceIds": list_of(TEXT), **_TOKEN},
    ),
    _call("/TraceGraph", "GetTraceGraph", _IDS, {"TraceIds": [_TRACE_ID]}, _GRAPH),
    _call(
        "/ServiceGraph",
        "GetServiceGraph",
        record({**_RANGE, **_GROUP_NAME}, others=True),
        _TIMES,
        {**_GRAPH, "StartTime?": NUMBER, "EndTime?": NUMBER, **_OLD},
    ),
    _call(
        "/TimeSeriesServiceStatistics",
        "GetTimeSeriesServiceStatistics",
        _ASKED_STATISTICS,
        _TIMES,
        {"TimeSeriesServiceStatistics": _STATISTICS, **_OLD, **_TOKEN},
    ),
    _call("/Groups", "GetGroups", record(_TOKEN, others=True), {}, {"Groups": list_of(named("XRayGroup")), **_TOKEN}),
    Operation(
        "POST",
        "/GetGroup",
        "GetGroup",
        json_answer("The group", _ONE_GROUP),
        body=Body({JSON: _BY_NAME}, "", _BY_NAME_EXAMPLE),
    ),
    *(
        Operation(
            "POST",
            f"/{name}",
            name,
            json_answer("The group", _ONE_GROUP),
            body=Body({JSON: _GROUP_ASKED}, "", {"GroupName": example, "FilterExpression": "duration > 5"}),
        )
        for name, example in (("CreateGroup", "slower"), ("UpdateGroup", "slow"))
    ),
    _call("/DeleteGroup", "DeleteGroup", _BY_NAME, _BY_NAME_EXAMPLE, {}),
)
_NOT_OFFERED = Answer("It is not offered here", REFUSAL, 400)

XRAY = Described(
    "X-Ray",
    "AWS X-Ray's questions, as boto3 and AWS's other SDKs ask them",
    (*_CALLS, *(Operation("POST", path, "Not offered", _NOT_OFFERED) for path in XRAY_NOT_OFFERED)),
    refusal=REFUSAL,
    scope="query",
    schemas=_SCHEMAS,
    schemes=SCHEMES,
    large_answers=True,
    unknown_key=UNKNOWN_KEY,
)
