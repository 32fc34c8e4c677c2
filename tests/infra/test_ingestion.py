"""From API Gateway to a block: the queue, its dead letters, and how `store` is fed."""

from __future__ import annotations

import math

from spandrel.model import lifecycle
from tests.infra.reading import Template

DAY_S = 24 * 3600


def test_a_message_stays_hidden_for_six_timeouts_and_the_window(template: Template, full_template: Template) -> None:
    for stack in (template, full_template):
        timeout_s = stack.function("store")["Timeout"]
        window_s = stack.only("AWS::Lambda::EventSourceMapping")["MaximumBatchingWindowInSeconds"]
        queue = stack.all("AWS::SQS::Queue")["IngestionQueue"]
        assert queue["VisibilityTimeout"] >= 6 * timeout_s + window_s


def test_store_is_fed_whole_batches_and_may_fail_some_messages(template: Template) -> None:
    source = template.only("AWS::Lambda::EventSourceMapping")
    assert template.text(source["EventSourceArn"]) == "${IngestionQueue.Arn}"
    assert source["BatchSize"] == 10_000
    assert source["MaximumBatchingWindowInSeconds"] == 5
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert template.text(source["FunctionName"]) == "part of ${IngestionStoreLive}:live"


def test_store_leaves_half_of_a_new_accounts_quota_to_the_others(template: Template) -> None:
    source = template.only("AWS::Lambda::EventSourceMapping")
    assert source["ScalingConfig"] == {"MaximumConcurrency": 5}
    assert "ProvisionedPollerConfig" not in source


def test_the_window_is_a_setting(full_template: Template) -> None:
    assert full_template.only("AWS::Lambda::EventSourceMapping")["MaximumBatchingWindowInSeconds"] == 20


def test_a_message_that_keeps_failing_goes_to_the_dead_letters(template: Template) -> None:
    redrive = template.all("AWS::SQS::Queue")["IngestionQueue"]["RedrivePolicy"]
    assert template.text(redrive["deadLetterTargetArn"]) == "${IngestionDeadLetters.Arn}"
    assert redrive["maxReceiveCount"] == 5


def test_queues_are_encrypted_and_speak_tls_only(template: Template) -> None:
    queues = template.all("AWS::SQS::Queue")
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())
    guarded = set()
    for policy in template.all("AWS::SQS::QueuePolicy").values():
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert statement["Effect"] == "Deny"
        assert statement["Principal"] == {"AWS": "*"}
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        guarded |= {template.text(queue).strip("${}") for queue in policy["Queues"]}
    assert guarded == set(queues)


def test_an_oversized_request_outlives_every_message_that_names_it(template: Template) -> None:
    waits_s = sum(queue["MessageRetentionPeriod"] for queue in template.all("AWS::SQS::Queue").values())
    rules = {rule["Id"]: rule for rule in template.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]}
    assert rules["incoming"]["ExpirationInDays"] > math.ceil(waits_s / DAY_S)
    assert rules["incoming"]["TagFilters"] == [{"Key": lifecycle.TAG, "Value": lifecycle.INCOMING}]
