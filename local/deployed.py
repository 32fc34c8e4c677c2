"""What the stack's template made of the functions, the API and the queue: read back from the local AWS, as deployed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .assembly import Stack
from .aws import LocalAws
from .failures import NotServed
from .routes import RouteKey, by_precedence

RETRIES = 2  # Lambda's default for asynchronous invocations
RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
UNIT_S = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function. `label` is the package of its handler: `store` for `store.handler.handle`."""

    name: str
    arn: str
    handler: str
    variables: Mapping[str, str]
    memory_mb: int
    timeout_s: int
    role_arn: str
    retries: int  # of what is invoked for later and fails

    @property
    def label(self) -> str:
        return self.handler.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Target:
    """A function as the API calls it: by an ARN that may name an alias. `authorizer_id`: when it is asked as one."""

    function: str
    arn: str
    authorizer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the API. `authorizer`: who is asked before, if anybody."""

    key: RouteKey
    target: Target
    authorizer: Target | None
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Cors:
    """CORS of the whole API, as API Gateway takes it; without `origins` the API has none."""

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age_s: int | None = None
    credentials: bool = False


@dataclass(frozen=True, slots=True)
class Api:
    """The HTTP API of the stack."""

    api_id: str
    account_id: str
    region: str
    routes: tuple[Route, ...]
    cors: Cors = field(default_factory=Cors)

    @property
    def execution_arn(self) -> str:
        """The API as permissions to invoke name it, without stage, method and path."""
        return f"arn:aws:execute-api:{self.region}:{self.account_id}:{self.api_id}"


@dataclass(frozen=True, slots=True)
class QueueMapping:
    """The event source mapping that feeds a function from a queue."""

    function: str
    queue_url: str
    queue_arn: str
    batch_size: int
    window_s: float
    reports_failures: bool
    visibility_timeout_s: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """What invokes a function again and again. `payload` is JSON; None is the event that Scheduler makes up."""

    name: str
    arn: str
    every_s: int
    target_arn: str
    role_arn: str
    payload: str | None


def functions(aws: LocalAws, stack: Stack) -> dict[str, Function]:
    """All functions of the stack, by the name they are deployed under."""
    return {name: _function(aws, name) for name in stack.ids("AWS::Lambda::Function")}


def _function(aws: LocalAws, name: str) -> Function:
    configuration = aws.client("lambda").get_function_configuration(FunctionName=name)
    configs = aws.client("lambda").list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
    return Function(
        name=configuration["FunctionName"],
        arn=configuration["FunctionArn"],
        handler=configuration["Handler"],
        variables=configuration.get("Environment", {}).get("Variables", {}),
        memory_mb=configuration["MemorySize"],
        timeout_s=configuration["Timeout"],
        role_arn=configuration["Role"],
        retries=configs[0]["MaximumRetryAttempts"] if configs else RETRIES,
    )


def api(aws: LocalAws, stack: Stack) -> Api:
    """The stack's API. NotServed when it asks for what the local gateway does not do."""
    gateway = aws.client("apigatewayv2")
    (api_id,) = stack.ids("AWS::ApiGatewayV2::Api")
    integrations = {
        item["IntegrationId"]: item for item in gateway.get_integrations(ApiId=api_id, MaxResults="500")["Items"]
    }
    authorizers = {
        authorizer_id: _authorizer(gateway.get_authorizer(ApiId=api_id, AuthorizerId=authorizer_id))
        for authorizer_id in stack.ids("AWS::ApiGatewayV2::Authorizer")
    }
    routes = [
        _route(route, integrations, authorizers)
        for route in gateway.get_routes(ApiId=api_id, MaxResults="500")["Items"]
    ]
    cors = _cors(gateway.get_api(ApiId=api_id).get("CorsConfiguration", {}))
    return Api(api_id, aws.account_id, aws.region, tuple(by_precedence(routes)), cors)


def _route(
    route: Mapping[str, Any], integrations: Mapping[str, Mapping[str, Any]], authorizers: Mapping[str, Target]
) -> Route:
    integration = integrations[route["Target"].removeprefix("integrations/")]
    if integration["IntegrationType"] != "AWS_PROXY" or integration["PayloadFormatVersion"] != "2.0":
        raise NotServed(f"the integration of {route['RouteKey']}: only Lambda with payload format 2.0 is served here")
    kind = route.get("AuthorizationType", "NONE")
    if kind not in {"NONE", "CUSTOM"}:
        raise NotServed(f"authorization {kind} of {route['RouteKey']}")
    return Route(
        RouteKey.parse(route["RouteKey"]),
        Target(function_name(integration["IntegrationUri"]), integration["IntegrationUri"]),
        authorizers[route["AuthorizerId"]] if kind == "CUSTOM" else None,
        integration.get("TimeoutInMillis", 30_000) / 1000,
    )


def _authorizer(authorizer: Mapping[str, Any]) -> Target:
    """A REQUEST authorizer with simple responses that sees every request: no identity source, so nothing is cached."""
    simple = authorizer.get("EnableSimpleResponses") and authorizer.get("AuthorizerPayloadFormatVersion") == "2.0"
    if authorizer["AuthorizerType"] != "REQUEST" or not simple:
        raise NotServed("an authorizer other than REQUEST, payload format 2.0, with simple responses")
    if authorizer.get("IdentitySource") or authorizer.get("AuthorizerResultTtlInSeconds"):
        raise NotServed("an authorizer with identity sources, or whose answers are cached")
    uri = authorizer["AuthorizerUri"]
    arn = uri.partition("/functions/")[2].removesuffix("/invocations")
    return Target(function_name(arn), arn, authorizer["AuthorizerId"])


def function_name(arn_or_name: str) -> str:
    """The bare name, from an ARN or a name that may carry a version or an alias."""
    return arn_or_name.rpartition(":function:")[2].partition(":")[0]


def _cors(configuration: Mapping[str, Any]) -> Cors:
    return Cors(
        origins=tuple(configuration.get("AllowOrigins", ())),
        methods=tuple(configuration.get("AllowMethods", ())),
        headers=tuple(configuration.get("AllowHeaders", ())),
        exposed=tuple(configuration.get("ExposeHeaders", ())),
        max_age_s=configuration.get("MaxAge"),
        credentials=configuration.get("AllowCredentials", False),
    )


def queue_mappings(aws: LocalAws, stack: Stack) -> list[QueueMapping]:
    """The enabled mappings of the stack. NotServed for one that AWS would refuse to create."""
    client = aws.client("lambda")
    mappings = [client.get_event_source_mapping(UUID=uuid) for uuid in stack.ids("AWS::Lambda::EventSourceMapping")]
    return [_queue_mapping(aws, mapping) for mapping in mappings if mapping["State"] == "Enabled"]


def _queue_mapping(aws: LocalAws, mapping: Mapping[str, Any]) -> QueueMapping:
    arn, function = mapping["EventSourceArn"], function_name(mapping["FunctionArn"])
    url = aws.client("sqs").get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    timeout_s = aws.client("lambda").get_function_configuration(FunctionName=function)["Timeout"]
    visibility_timeout_s = int(attributes["VisibilityTimeout"])
    if visibility_timeout_s < timeout_s:
        raise NotServed(f"a queue's visibility timeout ({visibility_timeout_s} s) below its function's ({timeout_s} s)")
    return QueueMapping(
        function=function,
        queue_url=url,
        queue_arn=arn,
        batch_size=mapping["BatchSize"],
        window_s=mapping.get("MaximumBatchingWindowInSeconds", 0),
        reports_failures="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
        visibility_timeout_s=visibility_timeout_s,
    )


def schedules(aws: LocalAws, stack: Stack) -> list[Schedule]:
    """The enabled schedules of the stack. NotServed for one that is no rate."""
    client = aws.client("scheduler")
    made = [client.get_schedule(Name=name) for name in stack.ids("AWS::Scheduler::Schedule")]
    return [_schedule(schedule) for schedule in made if schedule["State"] == "ENABLED"]


def _schedule(schedule: Mapping[str, Any]) -> Schedule:
    rate = RATE.fullmatch(schedule["ScheduleExpression"])
    if rate is None:
        raise NotServed(f"the schedule {schedule['ScheduleExpression']}; only rates are")
    target = schedule["Target"]
    every_s = int(rate[1]) * UNIT_S[rate[2]]
    return Schedule(schedule["Name"], schedule["Arn"], every_s, target["Arn"], target["RoleArn"], target.get("Input"))
