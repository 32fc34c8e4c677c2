from __future__ import annotations

import json
from typing import Any

import pytest

from local.calls import AwsCall, Request, read_call
from local.iam import Permission

ACCOUNT = "111111111111"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table"
KEYS = """<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Object><Key>a</Key></Object><Object><Key>b/c</Key></Object></Delete>"""


def signed(service: str) -> str:
    scope = f"20261122/us-east-1/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential=ASIAKEY/{scope}, SignedHeaders=host, Signature=x"


def call(service: str, target: str, body: dict[str, Any]) -> AwsCall:
    headers = {"authorization": signed(service), "x-amz-target": target}
    return read_call(Request("POST", "/", "", headers, json.dumps(body).encode()), ACCOUNT)


def s3(method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> AwsCall:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_call(Request(method, path, query, {"authorization": signed("s3"), **named}, body), ACCOUNT)


def needs(call: AwsCall) -> set[tuple[str, str]]:
    return {(permission.action, permission.resource) for permission in call.permissions}


def test_a_call_says_who_signed_it_where_and_for_what() -> None:
    made = call("dynamodb", "DynamoDB_20120810.PutItem", {"TableName": "t"})
    assert (made.service, made.operation, made.region, made.access_key) == (
        "dynamodb",
        "PutItem",
        "us-east-1",
        "ASIAKEY",
    )
    assert made.resource_name == "t"


def test_an_unsigned_call_has_no_access_key() -> None:
    assert read_call(Request("GET", "/bucket/key", "", {}, b""), ACCOUNT).access_key is None


def test_a_link_is_signed_in_its_query() -> None:
    query = "X-Amz-Credential=ASIAKEY%2F20261122%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Expires=900"
    made = read_call(Request("GET", "/bucket/a%20b", query, {}, b""), ACCOUNT)
    assert (made.access_key, made.operation) == ("ASIAKEY", "GetObject")
    assert needs(made) == {("s3:GetObject", "arn:aws:s3:::bucket/a b")}


def test_a_transaction_needs_what_its_parts_need() -> None:
    items = [{"Put": {"TableName": "a"}}, {"Delete": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}]
    assert needs(call("dynamodb", "DynamoDB_20120810.TransactWriteItems", {"TransactItems": items})) == {
        ("dynamodb:PutItem", f"{TABLE}/a"),
        ("dynamodb:DeleteItem", f"{TABLE}/a"),
        ("dynamodb:ConditionCheckItem", f"{TABLE}/b"),
    }


def test_a_batch_of_items_needs_the_batch_on_each_table() -> None:
    made = call("dynamodb", "DynamoDB_20120810.BatchWriteItem", {"RequestItems": {"a": [], "b": []}})
    assert needs(made) == {("dynamodb:BatchWriteItem", f"{TABLE}/a"), ("dynamodb:BatchWriteItem", f"{TABLE}/b")}


def test_a_query_of_an_index_is_about_the_index() -> None:
    made = call("dynamodb", "DynamoDB_20120810.Query", {"TableName": "t", "IndexName": "i"})
    assert needs(made) == {("dynamodb:Query", f"{TABLE}/t/index/i")}


@pytest.mark.parametrize("operation", ["SendMessage", "DeleteMessage", "ChangeMessageVisibility"])
def test_a_batch_of_messages_needs_the_permission_of_one(operation: str) -> None:
    queue = {"QueueUrl": f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/incoming"}
    made = call("sqs", f"AmazonSQS.{operation}Batch", queue)
    assert made.operation == f"{operation}Batch"
    assert needs(made) == {(f"sqs:{operation}", f"arn:aws:sqs:us-east-1:{ACCOUNT}:incoming")}


@pytest.mark.parametrize(
    ("method", "path", "query", "operation", "action"),
    [
        ("GET", "/b/k", "", "GetObject", "s3:GetObject"),
        ("HEAD", "/b/k", "", "HeadObject", "s3:GetObject"),
        ("PUT", "/b/k", "", "PutObject", "s3:PutObject"),
        ("PUT", "/b/k", "partNumber=1&uploadId=u", "UploadPart", "s3:PutObject"),
        ("POST", "/b/k", "uploads", "CreateMultipartUpload", "s3:PutObject"),
        ("DELETE", "/b/k", "uploadId=u", "AbortMultipartUpload", "s3:AbortMultipartUpload"),
        ("DELETE", "/b/k", "", "DeleteObject", "s3:DeleteObject"),
    ],
)
def test_an_operation_on_an_object_needs_its_permission(
    method: str, path: str, query: str, operation: str, action: str
) -> None:
    made = s3(method, path, query)
    assert (made.operation, needs(made)) == (operation, {(action, "arn:aws:s3:::b/k")})


def test_listing_is_about_the_bucket() -> None:
    assert needs(s3("GET", "/b", "list-type=2&prefix=a")) == {("s3:ListBucket", "arn:aws:s3:::b")}


def test_deleting_many_objects_needs_the_permission_for_each() -> None:
    made = s3("POST", "/b", "delete", KEYS.encode())
    assert needs(made) == {("s3:DeleteObject", "arn:aws:s3:::b/a"), ("s3:DeleteObject", "arn:aws:s3:::b/b/c")}


def test_tags_and_copies_need_more_than_putting() -> None:
    made = s3("PUT", "/b/k", x_amz_tagging="a=b", x_amz_copy_source="/other/x%20y?versionId=1")
    assert needs(made) == {
        ("s3:PutObject", "arn:aws:s3:::b/k"),
        ("s3:PutObjectTagging", "arn:aws:s3:::b/k"),
        ("s3:GetObject", "arn:aws:s3:::other/x y"),
    }


def test_any_other_service_is_asked_for_on_everything() -> None:
    made = call("ssm", "AmazonSSM.GetParameter", {"Name": "/a"})
    assert made.permissions == (Permission("ssm:GetParameter", "*"),)
