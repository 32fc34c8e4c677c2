from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError

import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

from local.answers import Answer, failing, throttled
from local.aws import LocalAws
from local.calls import AwsCall
from local.failures import CannotAssume

BUCKET, TABLE, QUEUE = "permissions", "permissions", "permissions"
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """An account with a bucket, a table and a queue."""
    aws = LocalAws()
    aws.client("s3").create_bucket(Bucket=BUCKET)
    aws.client("s3").put_object(Bucket=BUCKET, Key="there", Body=b"it is")
    aws.client("sqs").create_queue(QueueName=QUEUE)
    aws.client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    yield aws
    aws.stop()


def role(aws: LocalAws, name: str, *statements: dict[str, Any], trust: dict[str, Any] = TRUST) -> str:
    """The ARN of a new role that may do what the statements say."""
    iam = aws.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy)
    return arn


def allow(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def refusal(call: Any, **parameters: Any) -> tuple[str, int]:
    """(error code, HTTP status) of a call that is to fail."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_a_role_may_do_what_it_is_allowed_to_where_it_is_allowed_to(aws: LocalAws) -> None:
    session = aws.role_session(role(aws, "reader", allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/th*")), "test")
    s3 = aws.client("s3", session)
    assert s3.get_object(Bucket=BUCKET, Key="there")["Body"].read() == b"it is"
    assert refusal(s3.get_object, Bucket=BUCKET, Key="elsewhere") == ("AccessDenied", 403)
    assert refusal(s3.put_object, Bucket=BUCKET, Key="there", Body=b"") == ("AccessDenied", 403)
    queue = f"{aws.endpoint}/{aws.account_id}/{QUEUE}"
    assert refusal(aws.client("sqs", session).send_message, QueueUrl=queue, MessageBody="x") == (
        "AccessDeniedException",
        400,
    )
    assert refusal(aws.client("dynamodb", session).scan, TableName=TABLE) == ("AccessDeniedException", 400)


def test_a_change_of_a_roles_policy_counts_from_the_next_call_on(aws: LocalAws) -> None:
    dynamodb = aws.client("dynamodb", aws.role_session(role(aws, "scanner", allow("dynamodb:Scan", "*")), "test"))
    dynamodb.scan(TableName=TABLE)
    aws.client("iam").delete_role_policy(RoleName="scanner", PolicyName="may")
    assert refusal(dynamodb.scan, TableName=TABLE) == ("AccessDeniedException", 400)


def test_one_who_may_not_list_is_not_told_that_there_is_no_such_object(aws: LocalAws) -> None:
    get = allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*")
    blind = aws.client("s3", aws.role_session(role(aws, "blind", get), "test"))
    assert refusal(blind.get_object, Bucket=BUCKET, Key="nothing") == ("AccessDenied", 403)
    lister = role(aws, "lister", get, allow("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"))
    seeing = aws.client("s3", aws.role_session(lister, "test"))
    assert refusal(seeing.get_object, Bucket=BUCKET, Key="nothing") == ("NoSuchKey", 404)


def test_a_policy_that_cannot_be_evaluated_refuses_and_says_so(aws: LocalAws) -> None:
    strange = allow("s3:GetObject", "*") | {"Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.1"}}}
    s3 = aws.client("s3", aws.role_session(role(aws, "strange", strange), "test"))
    with pytest.raises(ClientError, match="condition operator IpAddress"):
        s3.get_object(Bucket=BUCKET, Key="there")


def test_unknown_keys_and_tokens_are_refused(aws: LocalAws) -> None:
    session = aws.role_session(role(aws, "any", allow("*", "*")), "test")
    stolen = aws.client("dynamodb", {**session, "AWS_SESSION_TOKEN": "of another session"})
    assert refusal(stolen.list_tables) == ("UnrecognizedClientException", 400)
    made_up = aws.client("s3", {"AWS_ACCESS_KEY_ID": "AKIANOBODY", "AWS_SECRET_ACCESS_KEY": "x"})
    assert refusal(made_up.list_buckets) == ("InvalidAccessKeyId", 403)


def test_a_role_that_does_not_trust_lambda_cannot_be_used_by_it(aws: LocalAws) -> None:
    other = {**TRUST, "Principal": {"Service": "scheduler.amazonaws.com"}}
    with pytest.raises(CannotAssume, match="does not trust lambda"):
        aws.role_session(role(aws, "scheduled", trust=other), "test")
    with pytest.raises(CannotAssume, match="no such role"):
        aws.role_session("arn:aws:iam::111111111111:role/nobody", "test")


def presigned(aws: LocalAws, environment: dict[str, str], seconds: int) -> str:
    session = Session()
    session.set_credentials(
        environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_SESSION_TOKEN"]
    )
    made: BaseClient = session.create_client(
        "s3", region_name=aws.region, endpoint_url=aws.endpoint, config=Config(signature_version="s3v4")
    )
    where = {"Bucket": BUCKET, "Key": "there"}
    return str(made.generate_presigned_url("get_object", Params=where, ExpiresIn=seconds))


def test_a_link_gives_what_its_signer_may_read_until_it_expires(aws: LocalAws) -> None:
    session = aws.role_session(role(aws, "linker", allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*")), "test")
    with urllib.request.urlopen(presigned(aws, session, 900)) as answer:
        assert answer.read() == b"it is"
    with pytest.raises(HTTPError, match="403"):
        urllib.request.urlopen(presigned(aws, session, -1))
    aws.client("iam").delete_role_policy(RoleName="linker", PolicyName="may")
    with pytest.raises(HTTPError, match="403"):
        urllib.request.urlopen(presigned(aws, session, 900))


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        (throttled, [("SlowDown", 503), ("ProvisionedThroughputExceededException", 400), ("RequestThrottled", 400)]),
        (failing, [("InternalError", 500), ("InternalServerError", 500), ("InternalFailure", 500)]),
    ],
)
def test_faults_look_as_each_service_puts_them(aws: LocalAws, fault: Any, codes: list[tuple[str, int]]) -> None:
    queue = f"{aws.endpoint}/{aws.account_id}/{QUEUE}"
    faults = aws.gate.faults
    with (
        faults.on("s3", "GetObject", fault),
        faults.on("dynamodb", "Scan", fault),
        faults.on("sqs", "SendMessage", fault),
    ):
        assert [
            refusal(aws.client("s3").get_object, Bucket=BUCKET, Key="there"),
            refusal(aws.client("dynamodb").scan, TableName=TABLE),
            refusal(aws.client("sqs").send_message, QueueUrl=queue, MessageBody="x"),
        ] == codes
    assert aws.client("s3").get_object(Bucket=BUCKET, Key="there")["ContentLength"] == 5


def test_a_fault_meets_as_many_calls_as_were_planned(aws: LocalAws) -> None:
    with aws.gate.faults.on("s3", "GetObject", failing, times=2) as planned:
        for _ in range(2):
            assert refusal(aws.client("s3").get_object, Bucket=BUCKET, Key="there") == ("InternalError", 500)
        aws.client("s3").get_object(Bucket=BUCKET, Key="there")
    assert [call.resource_name for call in planned.met] == [BUCKET, BUCKET]


def test_a_fault_can_look_and_let_the_call_through(aws: LocalAws) -> None:
    def look(call: AwsCall) -> Answer | None:
        return failing(call) if call.request.path.endswith("unlucky") else None

    with aws.gate.faults.on("s3", "PutObject", look):
        aws.client("s3").put_object(Bucket=BUCKET, Key="lucky", Body=b"")
        assert refusal(aws.client("s3").put_object, Bucket=BUCKET, Key="unlucky", Body=b"")[1] == 500


def test_writes_survive_the_transactions_that_fail_beside_them(aws: LocalAws) -> None:
    dynamodb = aws.client("dynamodb")
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": "taken"}})
    put = {"Put": {"TableName": TABLE, "Item": {"pk": {"S": "never"}}}}
    taken = {"TableName": TABLE, "Item": {"pk": {"S": "taken"}}, "ConditionExpression": "attribute_not_exists(pk)"}

    def write(number: int) -> str:
        if number % 2:
            return refusal(dynamodb.transact_write_items, TransactItems=[put, {"Put": taken}])[0]
        dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": f"kept-{number}"}})
        return "kept"

    with ThreadPoolExecutor(8) as writers:
        results = list(writers.map(write, range(60)))
    assert results == ["kept", "TransactionCanceledException"] * 30
    names = {item["pk"]["S"] for item in dynamodb.scan(TableName=TABLE)["Items"]}
    assert {f"kept-{number}" for number in range(0, 60, 2)} <= names
    assert "never" not in names
