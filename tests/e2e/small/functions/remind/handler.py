"""Keeps each event it gets as an object, `reminded/<its name, or the source>/<time>`, and raises if it is told to."""

import json
import os
import time
from typing import Any

import boto3


def handle(event: dict[str, Any], _context: object) -> Any:
    key = f"reminded/{event.get('name', event.get('source'))}/{time.time_ns()}"
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key=key, Body=json.dumps(event).encode())
    if event.get("do") == "raise":
        raise ValueError("on purpose")
    return {"reminded": event.get("name")}
