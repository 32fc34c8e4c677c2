"""Clients of AWS, made once by each handler's composition root.

By botocore itself: boto3's resources and transfers are not used, and its import costs a cold start 20 ms.
An endpoint (the stack on a developer's machine) and credentials come from the environment, as AWS's SDKs read them.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from botocore.client import BaseClient
from botocore.config import Config
from botocore.session import Session, get_session

Service = Literal["sqs", "s3", "dynamodb", "lambda"]

# Three attempts of at most 1 + 5 s and their pauses end before API Gateway gives up on the function at 30 s.
CONNECT_TIMEOUT_S = 1
READ_TIMEOUT_S = 5
ATTEMPTS = 3


def client(
    service: Service, connections: int = 10, *, read_timeout_s: int = READ_TIMEOUT_S, attempts: int = ATTEMPTS
) -> BaseClient:
    """A client that fails soon enough for its caller to still answer. `connections`: how many calls run at once."""
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        max_pool_connections=connections,
        signature_version="s3v4" if service == "s3" else None,  # links to KMS-encrypted objects need version 4
    )
    return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    """One for the process: what it loads (endpoints, credentials) is shared by its clients."""
    return get_session()
