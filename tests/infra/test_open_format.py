"""The blocks as a table: its columns are the format's, its partitions the keys of objects."""

from __future__ import annotations

import re
from typing import Any, get_args

import pyarrow as pa
import pytest

from infra.open_format import ATTRIBUTE_TYPES, COLUMNS
from infra.settings import Settings, SettingsError, settings_from
from spandrel.blocks import schema
from spandrel.blocks.naming import AttributeType
from spandrel.blocks.writer import draft
from tests.infra.reading import Template

RECEIVED_NS = 1_790_000_000 * 10**9


def hive_type(arrow: pa.DataType) -> str:
    """The type by which Hive, and so Athena, reads what Arrow writes as Parquet."""
    if pa.types.is_struct(arrow):
        return f"struct<{','.join(f'{field.name}:{hive_type(field.type)}' for field in arrow)}>"
    if pa.types.is_list(arrow):
        return f"array<{hive_type(arrow.value_type)}>"
    if pa.types.is_fixed_size_binary(arrow) or pa.types.is_binary(arrow):
        return "binary"
    hive = {"string": "string", "int32": "int", "int64": "bigint", "double": "double", "bool": "boolean"}
    return hive.get(str(arrow), "bigint")  # unsigned numbers of 32 and 64 bits


def test_its_columns_are_those_of_the_format() -> None:
    assert {name: hive_type(arrow) for name, arrow in schema.COLUMNS.items()} == COLUMNS
    assert {name: hive_type(arrow) for name, arrow in schema.ARROW_TYPES.items()} == ATTRIBUTE_TYPES
    assert set(ATTRIBUTE_TYPES) == set(get_args(AttributeType))


def test_it_has_the_columns_of_every_block_and_the_attributes_that_the_setting_names(
    template: Template, full_template: Template
) -> None:
    assert columns_of(template) == list(COLUMNS.items())
    named = [("span.http.route:string", "string"), ("resource.user^id:int[]", "array<bigint>")]
    assert columns_of(full_template) == [*COLUMNS.items(), *named]


def test_its_partitions_are_where_blocks_lie(template: Template) -> None:
    table = template.only("AWS::Glue::Table")["TableInput"]
    location = template.text(table["Parameters"]["storage.location.template"])
    drafted = draft("shop", RECEIVED_NS, "abc", is_far=False)
    tenant, _, day, _ = drafted.key.split("/")
    prefix = re.sub(r"^s3://\$\{StorageBucket\}/", "", location).replace("${tenant}", tenant).replace("${day}", day)
    assert drafted.key.startswith(prefix)
    assert [key["Name"] for key in table["PartitionKeys"]] == ["tenant", "day"]


def test_days_without_blocks_are_not_looked_into(template: Template, full_template: Template) -> None:
    for stack, days in ((template, 32), (full_template, 9)):
        parameters = stack.only("AWS::Glue::Table")["TableInput"]["Parameters"]
        assert parameters["projection.day.range"] == f"NOW-{days}DAYS,NOW+1DAYS"
        assert (parameters["projection.enabled"], parameters["projection.tenant.type"]) == ("true", "injected")


def test_the_database_is_named_after_the_stack_as_sql_can_say_it(template: Template, full_template: Template) -> None:
    for stack, name in ((template, "spandrel"), (full_template, "traces_staging")):
        assert stack.only("AWS::Glue::Database")["DatabaseInput"]["Name"] == name
        assert stack.text(stack.only("AWS::Glue::Table")["DatabaseName"]) == "${OpenFormatDatabase}"


def test_nothing_crawls(template: Template) -> None:
    assert {r["Type"] for r in template.resources.values() if r["Type"].startswith("AWS::Glue")} == {
        "AWS::Glue::Database",
        "AWS::Glue::Table",
    }


@pytest.mark.parametrize("wrong", ["http.route", "span.http.route", "span.:string", "span.x:text", "event.x:int"])
def test_what_is_no_column_of_an_attribute_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"athena_attributes\.0: should be like span\.http\.route:string"):
        settings_from({"spandrel": {"athena_attributes": [wrong]}})
    assert Settings().athena_attributes == []


def columns_of(stack: Template) -> list[tuple[Any, Any]]:
    columns = stack.only("AWS::Glue::Table")["TableInput"]["StorageDescriptor"]["Columns"]
    return [(column["Name"], column["Type"]) for column in columns]
