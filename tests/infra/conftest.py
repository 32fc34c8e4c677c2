from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from infra.paths import CACHE
from infra.synth import synthesise
from tests.infra.reading import Template

TemplateOf = Callable[..., Template]


@pytest.fixture(scope="session")
def template() -> Template:
    """Of the settings that cdk.json has."""
    return Template(synthesise(CACHE / "tests" / "defaults"))


@pytest.fixture(scope="session")
def full_template() -> Template:
    """With all that is optional."""
    return Template(
        synthesise(
            CACHE / "tests" / "full",
            settings={
                "stack_name": "Traces-Staging",
                "retention_days": 7,
                "batching_window_s": 20,
                "merges_a_minute": 100,
                "throttle_rate": 50,
                "throttle_burst": 75,
                "log_level": "INFO",
                "log_retention_days": 90,
                "access_log": True,
                "alarm_email": "on-call@example.com",
                "cors_origins": ["https://shop.example.com"],
                "custom_domain": {"name": "traces.example.com", "certificate_arn": CERTIFICATE},
                "memory_mib": {"query": 3008},
                "snap_start": True,
                "athena_attributes": ["span.http.route:string", "resource.userId:int[]"],
            },
        )
    )


@pytest.fixture(scope="session")
def bare_template() -> Template:
    """Without all that can be left out."""
    return Template(synthesise(CACHE / "tests" / "bare", settings=BARE))


CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d"
BARE: dict[str, Any] = {"dashboard": False, "cors_origins": []}
