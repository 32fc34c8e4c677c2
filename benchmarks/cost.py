"""`cost`: what a million spans cost in AWS, and a month in which nobody sends any.

The real functions run over moto; what they ask of AWS is counted as AWS bills it, their time of CPU (moto's part of it
stands for the waiting) is measured and taken at the template's memory. What Lambda's poller and API Gateway add follows
from the messages and requests that were counted. The merges after the first are taken to cost what the first does, as
often as an hour of TRAFFIC_A_DAY needs them; all that is kept of the spans after a merge, blocks and what lies beside
them, is paid for a month.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.synth import synthesise

from . import prices
from .aws import Aws, call, local_aws
from .counting import Bill, units
from .events import authorizer_event, export_event, sqs_event
from .figures import Figure, Target
from .hours import hour_of_traffic
from .spans import SpanSource

TRAFFIC_A_DAY = 100 * prices.MILLION
BLOCKS_A_MERGE = 12  # a minute of batches, which is what the planner finds
POLLED_AT_ONCE = 10  # messages that one ReceiveMessage and one DeleteMessageBatch take at most


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests of so many spans, so many in one batching window, over so many windows."""

    spans: int
    requests: int
    windows: int

    @property
    def all_spans(self) -> int:
        return self.spans * self.requests * self.windows


TRAFFICS = (Traffic(512, 10, BLOCKS_A_MERGE), Traffic(50, 100, BLOCKS_A_MERGE), Traffic(1, 200, BLOCKS_A_MERGE))


@dataclass
class Spent:
    """US dollars by what they are spent on."""

    dollars: dict[str, float] = field(default_factory=dict)

    def add(self, what: str, dollars: float) -> None:
        self.dollars[what] = self.dollars.get(what, 0.0) + dollars

    @property
    def total(self) -> float:
        return sum(self.dollars.values())


def figures() -> Iterator[Figure]:
    """US dollars a million spans by size of request, part by part; what others take; the idle month."""
    with TemporaryDirectory() as folder:
        template = _template(Path(folder))
    memory_gb = _memory_gb(template)
    for traffic in TRAFFICS:
        yield from _of_traffic(traffic, _run(traffic, memory_gb))
    others = f"{prices.SPANS_A_TRACE} spans a trace"
    yield Figure("cost", f"the same at AWS X-Ray, {others}", prices.XRAY_MILLION_SPANS, "USD/M spans")
    yield Figure("cost", "the same at Google Cloud Trace", prices.CLOUD_TRACE_MILLION_SPANS, "USD/M spans")
    yield from _idle(template, memory_gb)


def _of_traffic(traffic: Traffic, spent: Spent) -> Iterator[Figure]:
    scale = prices.MILLION / traffic.all_spans
    name = f"{traffic.spans} spans a request"
    target = Target("at most", 0.01) if traffic.spans == 512 else None
    yield Figure("cost", f"{name}: all, with a month in S3", spent.total * scale, "USD/M spans", target)
    for what, dollars in sorted(spent.dollars.items(), key=lambda part: -part[1]):
        yield Figure("cost", f"{name}: {what}", dollars * scale, "USD/M spans")


def _run(traffic: Traffic, memory_gb: dict[str, float]) -> Spent:
    """What the traffic through the real functions costs."""
    spent, bill = Spent(), Bill()
    with local_aws(bill) as aws, _logged() as logged:
        source = SpanSource(start_ns=time.time_ns() - 10**9)
        for _ in range(traffic.windows):
            for body in source.requests(traffic.requests, traffic.spans):
                event = export_event(body)
                spent.add("API Gateway", prices.HTTP_API_REQUEST * units(len(body), prices.HTTP_API_UNIT_BYTES))
                _invoked(spent, "authorize", memory_gb, authorizer_event(aws.key))
                answer = _invoked(spent, "receive", memory_gb, event)
                assert answer["statusCode"] == 200, answer
            _stored(spent, aws, memory_gb)
        _merged(spent, aws, memory_gb)
        spent.add("a month in S3", aws.kept_bytes() / 1e9 * prices.S3_GB_MONTH)
        spent.add("logs", logged() / 1e9 * prices.LOG_GB)
    for unit, count in bill.units.items():
        spent.add(_ON[unit], count * getattr(prices, unit))
    again = hour_of_traffic(TRAFFIC_A_DAY).rewrites - 1
    spent.add("Lambda compact, later merges", again * spent.dollars.get("Lambda compact", 0.0))
    return spent


_ON = {
    "SQS_UNIT": "SQS",
    "S3_PUT": "S3 requests",
    "S3_GET": "S3 requests",
    "DYNAMODB_WRITE": "DynamoDB",
    "DYNAMODB_READ": "DynamoDB",
}


def _stored(spent: Spent, aws: Aws, memory_gb: dict[str, float]) -> None:
    """One batching window's messages as Lambda's poller takes them: received and deleted ten at a time."""
    messages = aws.take_messages()
    for start in range(0, len(messages), POLLED_AT_ONCE):
        polled = messages[start : start + POLLED_AT_ONCE]
        size = sum(len(message["Body"]) for message in polled)
        spent.add("SQS", prices.SQS_UNIT * (units(size, prices.SQS_UNIT_BYTES) + 1))
    outcome = _invoked(spent, "store", memory_gb, sqs_event(messages))
    assert outcome == {"batchItemFailures": []}, outcome


def _merged(spent: Spent, aws: Aws, memory_gb: dict[str, float]) -> None:
    """The planner's round of that minute and the merges that it hands out."""
    _invoked(spent, "plan", memory_gb, {})
    for job in aws.handed_out():
        _invoked(spent, "compact", memory_gb, job)


def _invoked(spent: Spent, function: str, memory_gb: dict[str, float], event: Any) -> Any:
    began = time.process_time()
    answer = call(function, event)
    seconds = time.process_time() - began
    dollars = prices.LAMBDA_REQUEST + seconds * memory_gb[function] * prices.LAMBDA_GB_SECOND
    spent.add(f"Lambda {function}", dollars)
    return answer


@contextmanager
def _logged() -> Iterator[Callable[[], int]]:
    """How many bytes the functions log."""
    lines: list[int] = []

    class Count(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(len(record.getMessage()) + 200)  # with what Lambda's JSON puts around it

    counter = Count()
    names = ("receive", "store", "plan", "compact", "query", "authorize")
    for name in names:
        logging.getLogger(name).addHandler(counter)
    yield lambda: sum(lines)
    for name in names:
        logging.getLogger(name).removeHandler(counter)


def _template(folder: Path) -> dict[str, Any]:
    (path,) = synthesise(folder).glob("*.template.json")
    template: dict[str, Any] = json.loads(path.read_text())
    return template


def _memory_gb(template: dict[str, Any]) -> dict[str, float]:
    functions = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
    return {function["Handler"].split(".")[0]: function["MemorySize"] / 1024 for function in functions}


def _idle(template: dict[str, Any], memory_gb: dict[str, float]) -> Iterator[Figure]:
    """A month without a span: what the template holds that is billed for being there."""
    count = Counter(resource["Type"] for resource in template["Resources"].values())
    polls = prices.IDLE_POLLERS * prices.MONTH_S / prices.LONG_POLL_S
    calls = sum(prices.MONTH_S / every_s for every_s in _schedules_s(template))
    with local_aws(Bill()):
        call("plan", {})  # cold
        began = time.perf_counter()
        call("plan", {})
        plan_s = time.perf_counter() - began
    a_call = prices.SCHEDULER_CALL + prices.LAMBDA_REQUEST + plan_s * memory_gb["plan"] * prices.LAMBDA_GB_SECOND
    a_call += 2 * prices.DYNAMODB_READ
    parts = {
        "polling": count["AWS::Lambda::EventSourceMapping"] * polls * prices.SQS_UNIT,
        "alarms": count["AWS::CloudWatch::Alarm"] * prices.ALARM_METRIC_MONTH,
        "the schedules of compaction": calls * a_call,
    }
    yield Figure("cost", "an idle month: all", sum(parts.values()), "USD", Target("at most", 1))
    for what, dollars in parts.items():
        yield Figure("cost", f"an idle month: {what}", dollars, "USD")
    yield Figure("cost", "a dashboard beyond the account's third, a month", prices.DASHBOARD_MONTH, "USD")


def _schedules_s(template: dict[str, Any]) -> Iterator[int]:
    """How often each schedule fires, in seconds."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Scheduler::Schedule":
            rate = re.fullmatch(r"rate\((\d+) minutes?\)", resource["Properties"]["ScheduleExpression"])
            assert rate, "schedules are rates of minutes (infra/compaction.py)"
            yield 60 * int(rate[1])
