"""AWS as moto plays it, in this process; no credentials but these are ever used."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from query import handler

REGION = "eu-central-1"
BUCKET, TABLE = "spans", "catalogue"


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDTEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.fixture
def aws(credentials: None) -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def query_function(aws: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The function `query` with its environment, as at a cold start. BUCKET and TABLE are for the test to make."""
    for name, value in {
        "SPANDREL_BUCKET": BUCKET,
        "SPANDREL_CATALOGUE_TABLE": TABLE,
        "SPANDREL_RETENTION_DAYS": "30",
        "SPANDREL_LOG_LEVEL": "WARNING",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    handler._answering.cache_clear()
    yield
    handler._answering.cache_clear()
