"""Where data rests."""

from __future__ import annotations

from typing import Any

from spandrel.model import lifecycle
from tests.infra.reading import Template

OVER_HTTP = {"Bool": {"aws:SecureTransport": "false"}}


def test_the_bucket_is_encrypted_and_private(template: Template) -> None:
    bucket = template.only("AWS::S3::Bucket")
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_the_bucket_speaks_tls_only_and_admits_nobody_by_its_policy(template: Template) -> None:
    statements = template.only("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert {statement["Effect"] for statement in statements} == {"Deny"}
    assert OVER_HTTP in [statement["Condition"] for statement in statements]
    for statement in statements:
        resources = [template.text(resource) for resource in statement["Resource"]]
        assert resources == ["${StorageBucket.Arn}", "${StorageBucket.Arn}/*"]


def test_tables_speak_tls_only(template: Template) -> None:
    for table in template.all("AWS::DynamoDB::Table").values():
        (statement,) = table["ResourcePolicy"]["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Deny", "dynamodb:*")
        assert statement["Condition"] == OVER_HTTP


def test_tables_are_billed_by_request_and_can_be_restored(template: Template) -> None:
    tables = template.all("AWS::DynamoDB::Table")
    assert set(tables) == {"StorageCatalogue", "StorageKeys"}
    for table in tables.values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_tables_are_encrypted_with_dynamodbs_own_key_which_bills_no_request(template: Template) -> None:
    """`SSEEnabled: false` is not "unencrypted": it chooses the key that AWS owns over one in KMS."""
    for table in template.all("AWS::DynamoDB::Table").values():
        assert table["SSESpecification"] == {"SSEEnabled": False}


def test_tables_have_the_keys_of_the_architecture(template: Template) -> None:
    tables = template.all("AWS::DynamoDB::Table")
    assert keys(tables["StorageCatalogue"]) == {"pk": "HASH", "sk": "RANGE"}
    assert keys(tables["StorageKeys"]) == {"pk": "HASH"}
    for table in tables.values():
        assert {attribute["AttributeType"] for attribute in table["AttributeDefinitions"]} == {"S"}


def test_catalogue_items_expire_by_the_attribute_that_the_adapter_writes(template: Template) -> None:
    tables = template.all("AWS::DynamoDB::Table")
    expected = {"AttributeName": lifecycle.EXPIRES, "Enabled": True}
    assert tables["StorageCatalogue"]["TimeToLiveSpecification"] == expected
    assert "TimeToLiveSpecification" not in tables["StorageKeys"]


def test_data_outlives_the_stack(template: Template) -> None:
    kinds = {"AWS::S3::Bucket", "AWS::DynamoDB::Table"}
    for resource in template.resources.values():
        if resource["Type"] in kinds:
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_large_answers_are_gone_after_a_day(template: Template) -> None:
    rule = lifecycle_rules(template)["answers"]
    assert rule["TagFilters"] == [{"Key": lifecycle.TAG, "Value": lifecycle.ANSWER}]
    assert rule["ExpirationInDays"] == 1


def test_blocks_go_a_little_after_their_spans_are_no_longer_shown(template: Template, full_template: Template) -> None:
    rule = lifecycle_rules(template)["blocks"]
    assert rule["TagFilters"] == [{"Key": lifecycle.TAG, "Value": lifecycle.BLOCK}]
    assert rule["ExpirationInDays"] == 30 + 2
    assert lifecycle_rules(full_template)["blocks"]["ExpirationInDays"] == 7 + 2


def test_no_rule_removes_what_carries_no_tag(template: Template) -> None:
    """Archived traces are such."""
    for name, rule in lifecycle_rules(template).items():
        assert "TagFilters" in rule or "ExpirationInDays" not in rule, name


def test_half_sent_objects_do_not_stay(template: Template) -> None:
    assert lifecycle_rules(template)["half-sent"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_a_browser_can_follow_the_redirect_to_a_large_answer(template: Template, bare_template: Template) -> None:
    """After a redirect to another origin a browser sends `Origin: null`, so only `*` matches it (Fetch standard)."""
    (rule,) = template.only("AWS::S3::Bucket")["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == ["*"]
    assert set(rule["AllowedMethods"]) == {"GET", "HEAD"}
    assert "CorsConfiguration" not in bare_template.only("AWS::S3::Bucket")


def keys(table: dict[str, Any]) -> dict[str, str]:
    return {key["AttributeName"]: key["KeyType"] for key in table["KeySchema"]}


def lifecycle_rules(stack: Template) -> dict[str, dict[str, Any]]:
    rules = stack.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    return {rule["Id"]: rule for rule in rules}
