"""Works on messages. Each is kept as an object under its name and receipt; its body says what comes of it."""

import json
import os
from typing import Any

import boto3


def handle(event: dict[str, Any], _context: object) -> Any:
    s3 = boto3.client("s3")
    names = {}
    for record in event["Records"]:
        body = json.loads(record["body"])
        names[record["messageId"]] = body
        key = f"{body['name']}/{record['attributes']['ApproximateReceiveCount']}"
        s3.put_object(Bucket=os.environ["BUCKET"], Key=key, Body=json.dumps(event).encode())
    if any(body.get("do") == "raise" for body in names.values()):
        raise ValueError("on purpose")
    failed = [identifier for identifier, body in names.items() if body.get("do") == "fail"]
    strange = [{"itemIdentifier": ""} for body in names.values() if body.get("do") == "report nonsense"]
    return {"batchItemFailures": [*({"itemIdentifier": each} for each in failed), *strange]}
