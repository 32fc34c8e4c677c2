"""Who notices, and what it costs that nobody does anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.packaging import VERBS
from spandrel.model.log_lines import UNREAD_BLOCKS
from tests.infra.reading import Template

ALARM_METRIC_USD = 0.10  # a month (CloudWatch, us-east-1)
# An event source mapping asks an empty queue with five long polls at a time, 20 s each, at 0.40 USD a million.
POLLING_USD = 5 * (3600 / 20) * 24 * 30 / 1e6 * 0.40

# A call a minute by EventBridge Scheduler at 1 USD a million, each an invocation of about 50 ms at 256 MiB that makes
# two consistent reads of the catalogue.
CALLS = 60 * 24 * 30
SCHEDULE_USD = CALLS / 1e6 * (1.00 + 0.20 + 2 * 0.125) + CALLS * 0.050 * 0.25 * 0.0000133334

# Of everything that the stack may hold, what it costs a month while nobody uses it. Storage and requests come with use.
IDLE_USD = {
    "AWS::ApiGatewayV2::Api": 0,
    "AWS::ApiGatewayV2::Authorizer": 0,
    "AWS::ApiGatewayV2::Integration": 0,
    "AWS::ApiGatewayV2::Route": 0,
    "AWS::ApiGatewayV2::Stage": 0,
    "AWS::CloudWatch::Alarm": ALARM_METRIC_USD,
    "AWS::DynamoDB::Table": 0,
    "AWS::Glue::Database": 0,  # a catalogue of under a million objects costs nothing
    "AWS::Glue::Table": 0,
    "AWS::IAM::Policy": 0,
    "AWS::IAM::Role": 0,
    "AWS::Lambda::Alias": 0,
    "AWS::Lambda::EventInvokeConfig": 0,
    "AWS::Lambda::EventSourceMapping": POLLING_USD,
    "AWS::Lambda::Function": 0,
    "AWS::Lambda::Permission": 0,
    "AWS::Lambda::Version": 0,
    "AWS::Logs::LogGroup": 0,
    "AWS::Logs::MetricFilter": 0,  # its metric is billed in hours that have data
    "AWS::S3::Bucket": 0,
    "AWS::S3::BucketPolicy": 0,
    "AWS::Scheduler::Schedule": SCHEDULE_USD,
    "AWS::SQS::Queue": 0,
    "AWS::SQS::QueuePolicy": 0,
}


def test_a_stack_that_nobody_uses_costs_less_than_a_dollar_a_month(bare_template: Template) -> None:
    """KeyError: a new kind of resource needs its price here."""
    cost = sum(IDLE_USD[resource["Type"]] for resource in bare_template.resources.values())
    assert 0 < cost < 1


def test_the_dashboard_is_the_only_thing_more_and_a_setting(template: Template, bare_template: Template) -> None:
    """An account's first three dashboards are free of charge, each further one costs 3 USD a month."""
    more = {r["Type"] for r in template.resources.values()} - {r["Type"] for r in bare_template.resources.values()}
    assert more == {"AWS::CloudWatch::Dashboard"}
    assert len(template.all("AWS::CloudWatch::Dashboard")) == 1


@pytest.mark.parametrize(
    ("name", "metric", "dimensions"),
    [
        ("DeadLetters", "ApproximateNumberOfMessagesVisible", {"QueueName": "${IngestionDeadLetters.QueueName}"}),
        ("OldestMessage", "ApproximateAgeOfOldestMessage", {"QueueName": "${IngestionQueue.QueueName}"}),
        ("StoreErrors", "Errors", {"FunctionName": "${IngestionStoreFunction}"}),
        ("ServerErrors", "5xx", {"ApiId": "${ApiHttpApi}"}),
        ("Throttles", "Throttles", {}),
    ],
)
def test_an_alarm_watches(template: Template, name: str, metric: str, dimensions: dict[str, str]) -> None:
    alarm = template.all("AWS::CloudWatch::Alarm")[f"Monitoring{name}"]
    watched = {dimension["Name"]: template.text(dimension["Value"]) for dimension in alarm.get("Dimensions", [])}
    assert (alarm["MetricName"], watched) == (metric, dimensions)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["TreatMissingData"] == "notBreaching"
    assert len(alarm["AlarmDescription"]) > 40


def test_there_is_no_alarm_besides(template: Template) -> None:
    assert len(template.all("AWS::CloudWatch::Alarm")) == 5


def test_answers_without_some_of_their_blocks_are_counted(template: Template) -> None:
    counted = template.only("AWS::Logs::MetricFilter")
    assert template.text(counted["LogGroupName"]) == "${ReadingQueryLogs}"
    assert counted["FilterPattern"] == f'{{ $.message = "*{UNREAD_BLOCKS}*" }}'
    (metric,) = counted["MetricTransformations"]
    assert (metric["MetricName"], metric["MetricValue"]) == ("AnswersWithUnreadBlocks", "1")


def test_one_given_up_message_alarms_at_once(template: Template) -> None:
    alarm = template.all("AWS::CloudWatch::Alarm")["MonitoringDeadLetters"]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (1, 1, "Maximum")


def test_a_message_that_three_tries_did_not_store_is_too_old(template: Template, full_template: Template) -> None:
    for stack in (template, full_template):
        hidden_s = stack.all("AWS::SQS::Queue")["IngestionQueue"]["VisibilityTimeout"]
        assert stack.all("AWS::CloudWatch::Alarm")["MonitoringOldestMessage"]["Threshold"] == 3 * hidden_s


def test_without_an_address_alarms_tell_nobody(template: Template) -> None:
    assert not template.all("AWS::SNS::Topic")
    assert not any("AlarmActions" in alarm for alarm in template.all("AWS::CloudWatch::Alarm").values())


def test_with_an_address_every_alarm_tells_it_of_trouble_and_of_its_end(full_template: Template) -> None:
    subscription = full_template.only("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "on-call@example.com")
    topic = full_template.text(subscription["TopicArn"])
    for alarm in full_template.all("AWS::CloudWatch::Alarm").values():
        assert [full_template.text(action) for action in alarm["AlarmActions"]] == [topic]
        assert [full_template.text(action) for action in alarm["OKActions"]] == [topic]


def test_the_topic_takes_alarms_of_this_account_over_tls(full_template: Template) -> None:
    statements = full_template.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (allowed,) = [statement for statement in statements if statement["Effect"] == "Allow"]
    (denied,) = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert full_template.text(allowed["Condition"]["StringEquals"]["aws:SourceAccount"]) == "${AWS::AccountId}"
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_dashboard_shows_every_function_the_queues_and_the_api(template: Template) -> None:
    shown = {metric[1] for metric in dashboard_metrics(template)}
    assert {"Count", "4xx", "5xx", "Latency", "Invocations", "Errors", "Duration", "Throttles"} <= shown
    assert {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"} <= shown
    functions = {m[3] for m in dashboard_metrics(template) if m[1] == "Duration"}
    assert len(functions) == len(VERBS)


def dashboard_metrics(stack: Template) -> list[list[Any]]:
    body = json.loads(stack.text(stack.only("AWS::CloudWatch::Dashboard")["DashboardBody"]))
    return [metric for widget in body["widgets"] for metric in widget["properties"]["metrics"]]
