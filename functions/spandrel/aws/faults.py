"""What an AWS call's failure means to the caller: Overloaded when the same call can succeed later, else as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NoConnection

from spandrel.model.errors import Overloaded

# The codes by which AWS services say "too fast", as the SDKs' own retry rules list them; those of KMS come through SQS.
THROTTLES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "SlowDown",
        "KmsThrottled",
        "KMS.ThrottlingException",
        "OverLimit",
    }
)
# Faults that pass although their status is below 500.
PASSING = frozenset(
    {"RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete", "TransactionInProgressException"}
)
# No connection, no answer in time, half an answer.
UNANSWERED = (NoConnection, HTTPClientError, IncompleteReadError)
THROTTLED_RETRY_S = 2
FAULT_RETRY_S = 5
MENDING_RETRY_S = 30


@contextmanager
def told_apart(what: str) -> Iterator[None]:
    """Turns failures that pass into Overloaded("<what>: <why>"); others (no permission, no such queue) go through."""
    try:
        yield
    except ClientError as error:
        overloaded = overload(what, error)
        if overloaded is None:
            raise
        raise overloaded from error
    except UNANSWERED as error:
        raise Overloaded(f"{what}: {error}", FAULT_RETRY_S) from error


@contextmanager
def all_pass(what: str) -> Iterator[None]:
    """Turns failures that somebody has to mend into Overloaded too, with a longer pause.

    For what a client waits for that did nothing wrong: told anything else, it drops its spans.
    """
    try:
        with told_apart(what):
            yield
    except (ClientError, BotoCoreError) as error:
        why = code_of(error) if isinstance(error, ClientError) else type(error).__name__
        raise Overloaded(f"{what}: {why}", MENDING_RETRY_S) from error


def overload(what: str, error: ClientError) -> Overloaded | None:
    """The Overloaded that an answer of AWS stands for; None where a repeat would get the same answer."""
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in THROTTLES or status == 429:
        return Overloaded(f"{what}: {code}", THROTTLED_RETRY_S, throttled=True)
    if code in PASSING or status >= 500:
        return Overloaded(f"{what}: {code}", FAULT_RETRY_S)
    return None


def code_of(error: ClientError) -> str:
    """The service's own name of what went wrong, without the namespace that some put before it."""
    return str(error.response.get("Error", {}).get("Code", "")).rpartition("#")[2]
