"""The functions as the template has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.packaging import VERBS
from spandrel.model.limits import MIB, QUERY_BYTES_MAX
from tests.infra.reading import Template

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"
LOGS = "${%sLogs.Arn}"

# All that each role may do. A new line here needs a reason in the code that uses it.
MAY = {
    "receive": {
        ("sqs:SendMessage", "${IngestionQueue.Arn}"),
        ("s3:PutObject", "${StorageBucket.Arn}/*/incoming/*"),
        ("s3:PutObjectTagging", "${StorageBucket.Arn}/*/incoming/*"),
        ("logs:CreateLogStream", "${IngestionReceiveLogs.Arn}"),
        ("logs:PutLogEvents", "${IngestionReceiveLogs.Arn}"),
    },
    "store": {
        ("sqs:ReceiveMessage", "${IngestionQueue.Arn}"),
        ("sqs:DeleteMessage", "${IngestionQueue.Arn}"),
        ("sqs:GetQueueAttributes", "${IngestionQueue.Arn}"),
        ("sqs:SendMessage", "${IngestionDeadLetters.Arn}"),
        ("s3:GetObject", "${StorageBucket.Arn}/*/incoming/*"),
        ("s3:ListBucket", "${StorageBucket.Arn}"),  # else S3 says 403 of a missing object, where 404 is meant
        ("s3:PutObject", "${StorageBucket.Arn}/*/blocks/*"),
        ("s3:PutObjectTagging", "${StorageBucket.Arn}/*/blocks/*"),
        ("dynamodb:PutItem", "${StorageCatalogue.Arn}"),
        ("logs:CreateLogStream", "${IngestionStoreLogs.Arn}"),
        ("logs:PutLogEvents", "${IngestionStoreLogs.Arn}"),
    },
    "plan": {
        ("dynamodb:Query", "${StorageCatalogue.Arn}"),
        ("dynamodb:GetItem", "${StorageCatalogue.Arn}"),
        ("dynamodb:BatchGetItem", "${StorageCatalogue.Arn}"),
        ("dynamodb:PutItem", "${StorageCatalogue.Arn}"),
        ("dynamodb:DeleteItem", "${StorageCatalogue.Arn}"),
        ("s3:DeleteObject", "${StorageBucket.Arn}/*/blocks/*"),
        ("s3:DeleteObject", "${StorageBucket.Arn}/*/traces/*"),
        ("s3:DeleteObject", "${StorageBucket.Arn}/*/merges/*"),
        ("s3:DeleteObject", "${StorageBucket.Arn}/*/tallies/*"),
        ("s3:DeleteObject", "${StorageBucket.Arn}/*/deletions/*"),
        ("s3:DeleteObject", "${StorageBucket.Arn}/*/archive/*"),
        ("s3:ListBucket", "${StorageBucket.Arn}"),
        ("lambda:InvokeFunction", "${CompactionCompactLive}"),
        ("logs:CreateLogStream", "${CompactionPlanLogs.Arn}"),
        ("logs:PutLogEvents", "${CompactionPlanLogs.Arn}"),
    },
    "compact": {
        ("dynamodb:BatchGetItem", "${StorageCatalogue.Arn}"),
        ("dynamodb:GetItem", "${StorageCatalogue.Arn}"),
        ("dynamodb:Query", "${StorageCatalogue.Arn}"),
        ("dynamodb:ConditionCheckItem", "${StorageCatalogue.Arn}"),
        ("dynamodb:PutItem", "${StorageCatalogue.Arn}"),
        ("dynamodb:UpdateItem", "${StorageCatalogue.Arn}"),
        ("dynamodb:DeleteItem", "${StorageCatalogue.Arn}"),
        ("s3:GetObject", "${StorageBucket.Arn}/*/blocks/*"),
        ("s3:PutObject", "${StorageBucket.Arn}/*/blocks/*"),
        ("s3:PutObjectTagging", "${StorageBucket.Arn}/*/blocks/*"),
        ("s3:GetObject", "${StorageBucket.Arn}/*/traces/*"),
        ("s3:PutObject", "${StorageBucket.Arn}/*/traces/*"),
        ("s3:PutObjectTagging", "${StorageBucket.Arn}/*/traces/*"),
        ("s3:DeleteObject", "${StorageBucket.Arn}/*/traces/*"),
        ("s3:PutObject", "${StorageBucket.Arn}/*/merges/*"),
        ("s3:PutObjectTagging", "${StorageBucket.Arn}/*/merges/*"),
        ("s3:PutObject", "${StorageBucket.Arn}/*/tallies/*"),
        ("s3:PutObjectTagging", "${StorageBucket.Arn}/*/tallies/*"),
        ("s3:ListBucket", "${StorageBucket.Arn}"),
        ("logs:CreateLogStream", "${CompactionCompactLogs.Arn}"),
        ("logs:PutLogEvents", "${CompactionCompactLogs.Arn}"),
    },
    "query": {
        ("dynamodb:Query", "${StorageCatalogue.Arn}"),
        ("s3:GetObject", "${StorageBucket.Arn}/*/blocks/*"),
        ("s3:GetObject", "${StorageBucket.Arn}/*/tallies/*"),
        ("s3:GetObject", "${StorageBucket.Arn}/*/archive/*"),
        ("s3:PutObject", "${StorageBucket.Arn}/*/archive/*"),
        ("s3:GetObject", "${StorageBucket.Arn}/*/groups/*"),
        ("s3:PutObject", "${StorageBucket.Arn}/*/groups/*"),
        ("s3:GetObject", "${StorageBucket.Arn}/*/traces/*"),
        ("s3:ListBucket", "${StorageBucket.Arn}"),
        ("s3:GetObject", "${StorageBucket.Arn}/*/answers/*"),
        ("s3:PutObject", "${StorageBucket.Arn}/*/answers/*"),
        ("s3:PutObjectTagging", "${StorageBucket.Arn}/*/answers/*"),
        ("logs:CreateLogStream", "${ReadingQueryLogs.Arn}"),
        ("logs:PutLogEvents", "${ReadingQueryLogs.Arn}"),
    },
    "authorize": {
        ("dynamodb:GetItem", "${StorageKeys.Arn}"),
        ("logs:CreateLogStream", "${AccessAuthorizeLogs.Arn}"),
        ("logs:PutLogEvents", "${AccessAuthorizeLogs.Arn}"),
    },
    "show": {
        ("logs:CreateLogStream", "${PagesShowLogs.Arn}"),
        ("logs:PutLogEvents", "${PagesShowLogs.Arn}"),
    },
}


def test_there_are_the_functions_that_are_packaged(template: Template) -> None:
    assert template.verbs() == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_role_may_do_exactly_what_its_function_does(template: Template, full_template: Template, verb: str) -> None:
    assert template.allowed(verb) == MAY[verb]
    assert full_template.allowed(verb) == MAY[verb]


def test_a_role_has_no_policy_besides_and_is_lambdas_alone(template: Template) -> None:
    roles = {name: role for name, role in template.all("AWS::IAM::Role").items() if "Schedule" not in name}
    assert len(roles) == len(VERBS)
    for role in roles.values():
        assert not {"ManagedPolicyArns", "Policies"} & role.keys()
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize("verb", VERBS)
def test_no_resource_that_a_role_reaches_is_a_wildcard(template: Template, verb: str) -> None:
    for action, resource in template.allowed(verb):
        assert "*" not in action
        assert resource.startswith("${")
        assert "*" not in resource or resource.startswith("${StorageBucket.Arn}/*/")


@pytest.mark.parametrize("verb", VERBS)
def test_a_function_gets_the_variables_of_the_architecture_and_no_others(template: Template, verb: str) -> None:
    assert set(template.function(verb)["Environment"]["Variables"]) == variables_of_architecture(verb)


def test_variables_name_the_resources_of_the_stack(full_template: Template) -> None:
    named = {
        name: full_template.text(value)
        for verb in VERBS
        for name, value in full_template.function(verb)["Environment"]["Variables"].items()
    }
    assert named == {
        "SPANDREL_QUEUE_URL": "${IngestionQueue}",
        "SPANDREL_DEAD_LETTER_QUEUE_URL": "${IngestionDeadLetters}",
        "SPANDREL_BUCKET": "${StorageBucket}",
        "SPANDREL_CATALOGUE_TABLE": "${StorageCatalogue}",
        "SPANDREL_KEY_TABLE": "${StorageKeys}",
        "SPANDREL_RETENTION_DAYS": "7",
        "SPANDREL_LOG_LEVEL": "INFO",
        "SPANDREL_COMPACT_FUNCTION": "${CompactionCompactLive}",
        "SPANDREL_MERGES_A_MINUTE": "100",
        "SPANDREL_BUCKET_DOMAIN": "${StorageBucket.RegionalDomainName}",
    }


@pytest.mark.parametrize("verb", VERBS)
def test_a_function_runs_python_3_13_on_arm(template: Template, verb: str) -> None:
    function = template.function(verb)
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_reserved_or_provisioned_so_that_it_deploys_in_a_new_account(template: Template, verb: str) -> None:
    assert "ReservedConcurrentExecutions" not in template.function(verb)
    assert "VpcConfig" not in template.function(verb)
    for alias in template.all("AWS::Lambda::Alias").values():
        assert "ProvisionedConcurrencyConfig" not in alias


def test_each_function_is_called_through_its_alias(template: Template) -> None:
    aliases = template.all("AWS::Lambda::Alias")
    assert {alias["Name"] for alias in aliases.values()} == {"live"}
    called = [
        *(integration["IntegrationUri"] for integration in template.all("AWS::ApiGatewayV2::Integration").values()),
        template.only("AWS::ApiGatewayV2::Authorizer")["AuthorizerUri"],
        template.only("AWS::Lambda::EventSourceMapping")["FunctionName"],
        *(permission["FunctionName"] for permission in template.all("AWS::Lambda::Permission").values()),
    ]
    for target in called:
        assert any(f"${{{alias}}}" in template.text(target) for alias in aliases), template.text(target)


@pytest.mark.parametrize("verb", VERBS)
def test_a_healthy_invocation_writes_no_line_to_bill(template: Template, verb: str) -> None:
    logging = template.function(verb)["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    assert logging["SystemLogLevel"] == "WARN"
    assert logging["ApplicationLogLevel"] == "WARN"


def test_a_louder_log_level_reaches_function_and_lambda_alike(full_template: Template) -> None:
    function = full_template.function("store")
    assert function["Environment"]["Variables"]["SPANDREL_LOG_LEVEL"] == "INFO"
    assert function["LoggingConfig"]["ApplicationLogLevel"] == "INFO"


def test_every_log_group_forgets(template: Template, full_template: Template) -> None:
    for stack, days in ((template, 14), (full_template, 90)):
        groups = stack.all("AWS::Logs::LogGroup")
        assert {group["RetentionInDays"] for group in groups.values()} == {days}
    for verb in VERBS:
        assert template.text(template.function(verb)["LoggingConfig"]["LogGroup"]).strip("${}") in template.all(
            "AWS::Logs::LogGroup"
        )


def test_snapshots_are_off_unless_asked_for(template: Template) -> None:
    assert not any("SnapStart" in function for function in template.all("AWS::Lambda::Function").values())


def test_snapshots_start_the_functions_that_somebody_waits_for(full_template: Template) -> None:
    for verb in VERBS:
        snapshots = full_template.function(verb).get("SnapStart")
        assert snapshots == (None if verb in {"store", "plan", "compact"} else {"ApplyOn": "PublishedVersions"})


def test_memory_is_a_setting_of_each_function(template: Template, full_template: Template) -> None:
    assert {verb: template.function(verb)["MemorySize"] for verb in VERBS} == {
        "receive": 1024,
        "store": 1769,
        "plan": 256,
        "compact": 3008,
        "query": 1769,
        "authorize": 256,
        "show": 256,
    }
    assert full_template.function("query")["MemorySize"] == 3008


def test_query_has_disk_for_the_blocks_of_a_request_unless_snapshots_forbid_it(
    template: Template, full_template: Template
) -> None:
    assert template.function("query")["EphemeralStorage"]["Size"] * MIB > 2 * QUERY_BYTES_MAX
    assert "EphemeralStorage" not in full_template.function("query")
    assert "EphemeralStorage" not in template.function("store")


def test_a_function_gives_up_before_api_gateway_does(template: Template) -> None:
    assert template.function("receive")["Timeout"] < 30
    assert template.function("query")["Timeout"] < 30
    assert template.function("authorize")["Timeout"] < 10


def variables_of_architecture(verb: str) -> set[str]:
    """The table "What the functions share with the template": an `x` in the function's column."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in ARCHITECTURE.read_text().splitlines()]
    header = next(row for row in rows if row[:1] == ["variable"])
    named = [row for row in rows if row and re.fullmatch(r"`SPANDREL_[A-Z_]+`", row[0])]
    return {row[0].strip("`") for row in named if row[header.index(verb)] == "x"}
