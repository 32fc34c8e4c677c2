"""Settings: what cdk.json may say, and what a person reads who said something else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.paths import ROOT
from infra.settings import CONTEXT_KEY, Settings, SettingsError, settings_from


def given(**settings: Any) -> Settings:
    return settings_from({CONTEXT_KEY: settings})


def test_every_setting_has_a_default() -> None:
    assert settings_from({}) == Settings()


def test_cdk_json_lists_every_setting_with_its_default() -> None:
    listed = json.loads((ROOT / "cdk.json").read_text())["context"][CONTEXT_KEY]
    assert listed == Settings().model_dump()
    assert list(listed) == list(Settings.model_fields)


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_cdks_own_context_is_left_alone() -> None:
    assert settings_from({"@aws-cdk/aws-iam:minimizePolicies": True, "availability-zones": []}) == Settings()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"retention_days": 0}, "retention_days: should be greater than or equal to 1, not 0"),
        ({"retention_days": "30"}, "retention_days: should be a valid integer, not '30'"),
        ({"retention_days": True}, "retention_days: should be a valid integer, not True"),
        ({"retention_days": {"*": 30, "shop": 0}}, "retention_days.shop: should be greater than or equal to 1, not 0"),
        ({"retention_days": {"shop": 7}}, "retention_days: '*' is missing: the days of all other tenants"),
        ({"retention_days": {"*": 7, "My Shop": 7}}, "retention_days: a tenant's name is 1 to 64 of a-z"),
        ({"retention_days": {"*": 7} | {f"t{n}": 7 for n in range(300)}}, "retention_days: these are more than 2000"),
        ({"batching_window_s": 301}, "batching_window_s: should be less than or equal to 300, not 301"),
        ({"store_concurrency": 1}, "store_concurrency: should be greater than or equal to 2, not 1"),
        ({"throttle_rate": 0}, "throttle_rate: should be greater than or equal to 1, not 0"),
        ({"memory_mib": {"query": 64}}, "memory_mib.query: should be greater than or equal to 128, not 64"),
        ({"dashboard": "yes"}, "dashboard: should be a valid boolean, not 'yes'"),
        ({"stack_name": "my stack"}, "stack_name: should be like Spandrel or Spandrel-staging, not 'my stack'"),
        ({"alarm_email": "on-call"}, "alarm_email: should be like on-call@example.com, not 'on-call'"),
        ({"cors_origins": ["x.org"]}, "cors_origins.0: should be like https://shop.example.com or *, not 'x.org'"),
        ({"cors_origins": ["https://example.com/"]}, "cors_origins.0: "),
        ({"custom_domain": {"name": "traces.example.com"}}, "custom_domain.certificate_arn: is missing"),
        (
            {"custom_domain": {"name": "https://x.org", "certificate_arn": "arn"}},
            "custom_domain.name: should be like traces.example.com, not 'https://x.org'",
        ),
    ],
)
def test_a_value_that_cannot_be_is_named_in_one_line(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        given(**settings)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_each_tenant_may_have_days_of_its_own() -> None:
    retention = given(retention_days={"*": 30, "shop": 7, "bank": 365}).retention
    assert [retention.days(tenant) for tenant in ("shop", "bank", "default")] == [7, 365, 30]
    assert (given(retention_days=3).retention.days("shop"), retention.longest_days) == (3, 365)


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_log_levels_are_those_of_python(level: str) -> None:
    assert given(log_level=level).log_level == level


def test_another_log_level_is_refused_with_the_choice() -> None:
    with pytest.raises(SettingsError, match=r"log_level: should be 'DEBUG', 'INFO', .*, not 'warn'"):
        given(log_level="warn")


def test_log_retention_is_one_of_cloudwatchs_steps() -> None:
    with pytest.raises(SettingsError, match=r"log_retention_days: should be 1, 3, 5, .*, not 10"):
        given(log_retention_days=10)


def test_an_unknown_setting_is_refused_with_the_list_of_settings() -> None:
    with pytest.raises(SettingsError, match=r"retention: there is no such setting; there are .*retention_days"):
        given(retention=3)


def test_an_unknown_part_of_a_setting_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"memory_mib\.archive: there is no such setting$"):
        given(memory_mib={"archive": 512})


def test_a_setting_in_the_wrong_place_is_told_where_it_belongs() -> None:
    with pytest.raises(SettingsError, match=r"retention_days: belongs under context\.spandrel in cdk\.json"):
        settings_from({"retention_days": 7})


def test_settings_given_as_text_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"context\.spandrel in cdk\.json is an object of settings, not 'x'"):
        settings_from({CONTEXT_KEY: "x"})


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().retention_days = 3
