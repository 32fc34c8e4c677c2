"""The settings of a deployment: what cdk.json says under the context key `spandrel`, validated.

This model is the one place that knows the settings; README's table is held to the descriptions here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
)

from spandrel.model.errors import Rejected
from spandrel.model.retention import EVERYBODY, Retention
from spandrel.model.tenant import tenant_name

CONTEXT_KEY = "spandrel"

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
LogDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
MemoryMib = Annotated[int, Field(ge=128, le=10240)]

# Texts by their pattern, and what to show somebody whose text does not match.
STACK_NAME = r"^[A-Za-z][A-Za-z0-9-]{0,99}$"
ORIGIN = r"^(\*|https?://[^/\s]+)$"
ADDRESS = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
ATTRIBUTE = r"^(span|resource|scope)\.[!-~]{1,200}:(string|int|double|bool|bytes|(string|int|double|bool)\[\])$"
DOMAIN_NAME = r"^([a-z0-9-]+\.)+[a-z0-9-]+$"
CERTIFICATE_ARN = r"^arn:aws[a-z-]*:acm:[^:]+:\d{12}:certificate/\S+$"
EXAMPLES = {
    STACK_NAME: "Spandrel or Spandrel-staging",
    ORIGIN: "https://shop.example.com or *",
    ADDRESS: "on-call@example.com",
    ATTRIBUTE: "span.http.route:string",
    DOMAIN_NAME: "traces.example.com",
    CERTIFICATE_ARN: "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d",
}
Origin = Annotated[str, StringConstraints(pattern=ORIGIN)]
Attribute = Annotated[str, StringConstraints(pattern=ATTRIBUTE)]
Days = Annotated[int, Field(ge=1, le=3650)]
RETENTION_CHARACTERS = 2000  # of the setting as JSON: a function's environment has room for 4 KB


def _checked_tenants(days_of: dict[str, int]) -> dict[str, int]:
    """Tenants' names and, for everybody else, `*`."""
    if EVERYBODY not in days_of:
        raise ValueError(f"{EVERYBODY!r} is missing: the days of all other tenants")
    for tenant in days_of.keys() - {EVERYBODY}:
        try:
            tenant_name(tenant)
        except Rejected as refused:
            raise ValueError(str(refused)) from None
    if len(json.dumps(days_of)) > RETENTION_CHARACTERS:
        raise ValueError(f"these are more than {RETENTION_CHARACTERS} characters, which is all there is room for")
    return days_of


# A number or an object: which of them is told by the value, so that an error is about the one that was meant.
RetentionDays = Annotated[
    Annotated[Days, Tag("~days")] | Annotated[dict[str, Days], AfterValidator(_checked_tenants), Tag("~by tenant")],
    Discriminator(lambda given: "~by tenant" if isinstance(given, dict) else "~days"),
]


class SettingsError(Exception):
    """A setting that cannot be: one line that names it."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CustomDomain(_Model):
    """A domain name of one's own instead of API Gateway's."""

    name: Annotated[str, StringConstraints(pattern=DOMAIN_NAME)] = Field(description="the domain name")
    certificate_arn: Annotated[str, StringConstraints(pattern=CERTIFICATE_ARN)] = Field(
        description="its certificate in AWS Certificate Manager, in the region of the stack"
    )


class Memory(_Model):
    """Memory of each function in MiB. A function gets one whole vCPU at 1769 MiB, and a share of one below."""

    receive: MemoryMib = 1024
    store: MemoryMib = 1769
    plan: MemoryMib = 256
    compact: MemoryMib = 3008
    query: MemoryMib = 1769
    authorize: MemoryMib = 256
    show: MemoryMib = 256


class Settings(_Model):
    """Every setting has a default; cdk.json lists them all."""

    stack_name: Annotated[str, StringConstraints(pattern=STACK_NAME)] = Field(
        default="Spandrel", description="name of the CloudFormation stack; another name deploys a second, separate one"
    )
    retention_days: RetentionDays = Field(
        default=30,
        description="how many days spans are shown and kept, from their arrival; where tenants differ, "
        '`{"*": 30, "shop": 7}`',
    )
    batching_window_s: Annotated[int, Field(ge=1, le=300)] = Field(
        default=5,
        description="how many seconds of spans are gathered into one block; a span is found a little after that",
    )
    store_concurrency: Annotated[int, Field(ge=2, le=1000)] = Field(
        default=5,
        description="how many batches are stored at once at most, so that a flood leaves the account's other functions "
        "room (a new account has a quota of 10)",
    )
    merges_a_minute: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=4,
        description="how many merges begin each minute at most, of up to 64 blocks each; a steady flood needs more",
    )
    throttle_rate: Annotated[int, Field(ge=1)] = Field(
        default=1000, description="requests a second that API Gateway lets through on average; more are answered 429"
    )
    throttle_burst: Annotated[int, Field(ge=1)] = Field(
        default=2000, description="requests it lets through at one instant"
    )
    memory_mib: Memory = Field(default=Memory(), description="memory of each function")
    log_level: LogLevel = Field(
        default="WARNING",
        description="what the functions log; at WARNING a healthy invocation logs nothing and costs nothing",
    )
    log_retention_days: LogDays = Field(
        default=14, description="how many days logs are kept (one of CloudWatch's steps)"
    )
    access_log: bool = Field(
        default=False, description="whether API Gateway logs each request, about 0.10 USD a million requests"
    )
    alarm_email: Annotated[str, StringConstraints(pattern=ADDRESS)] | None = Field(
        default=None,
        description="who is told of alarms; the address gets a mail to confirm. Without it alarms only show",
    )
    athena_attributes: list[Attribute] = Field(
        default=[],
        description="attributes that are columns of the table for Athena, as `span.http.route:string` or "
        "`resource.userId:int`; without any it has the others",
    )
    dashboard: bool = Field(
        default=True,
        description="whether there is a CloudWatch dashboard; beyond an account's first three it costs 3 USD a month",
    )
    cors_origins: list[Origin] = Field(default=["*"], description="origins whose pages may call the API; [] for none")
    custom_domain: CustomDomain | None = Field(default=None, description="a domain name of one's own for the API")
    snap_start: bool = Field(
        default=False,
        description="whether functions that answer requests start from a snapshot: faster cold starts for about "
        "3.9 USD a GB of memory and month",
    )

    @property
    def retention_text(self) -> str:
        """`retention_days` as the functions read it."""
        return json.dumps(self.retention_days)

    @property
    def retention(self) -> Retention:
        return Retention.from_text(self.retention_text)


def settings_from(context: Mapping[str, Any]) -> Settings:
    """The settings of a CDK context; SettingsError in one line for the first that cannot be."""
    misplaced = sorted(name for name in context if name in Settings.model_fields)
    if misplaced:
        raise SettingsError(f"{misplaced[0]}: belongs under context.{CONTEXT_KEY} in cdk.json")
    given = context.get(CONTEXT_KEY, {})
    if not isinstance(given, Mapping):
        raise SettingsError(f"context.{CONTEXT_KEY} in cdk.json is an object of settings, not {given!r}")
    try:
        return Settings.model_validate(dict(given))
    except ValidationError as error:
        raise SettingsError(_one_line(error)) from None


def _one_line(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"] if not str(part).startswith("~"))
    match first["type"]:
        case "extra_forbidden" if len(first["loc"]) == 1:
            return f"{name}: there is no such setting; there are {', '.join(Settings.model_fields)}"
        case "extra_forbidden":
            return f"{name}: there is no such setting"
        case "value_error":
            return f"{name}: {first['ctx']['error']}"
        case "missing":
            return f"{name}: is missing"
        case "string_pattern_mismatch":
            return f"{name}: should be like {EXAMPLES[first['ctx']['pattern']]}, not {first['input']!r}"
        case _:
            return f"{name}: {re.sub('^(Input|String) should', 'should', first['msg'])}, not {first['input']!r}"
