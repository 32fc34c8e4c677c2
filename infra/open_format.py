"""The blocks as a table for Athena and whatever else reads the Glue catalogue. It costs nothing while nobody asks.

No crawler: columns are those of the format, and partitions follow from the keys of objects (partition projection).
docs/open-format.md says how to ask, and which engines read what.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from constructs import Construct

from infra.settings import Settings
from infra.storage import Storage
from spandrel.blocks.naming import AttributeType, attribute_column, attribute_of_column
from spandrel.model.lifecycle import BLOCK_MARGIN_DAYS

TABLE = "spans"

_PAIR = "struct<key:string,string:string,int:bigint,double:double,bool:boolean,bytes:binary,array:binary,kvlist:binary>"
_EVENT = f"struct<time_unix_nano:bigint,name:string,attributes:array<{_PAIR}>,dropped_attributes_count:bigint>"
_LINK = (
    "struct<trace_id:binary,span_id:binary,trace_state:string,flags:bigint,"
    f"attributes:array<{_PAIR}>,dropped_attributes_count:bigint>"
)

# The columns of a block that are no attributes, by Hive's types (tests/infra holds them to the format). Hive has no
# unsigned types: a time of the year 2262 or later is negative there.
COLUMNS = {
    "trace_id": "binary",
    "span_id": "binary",
    "parent_span_id": "binary",
    "name": "string",
    "kind": "int",
    "service": "string",
    "start_time_unix_nano": "bigint",
    "duration_nano": "bigint",
    "status_code": "int",
    "status_message": "string",
    "trace_state": "string",
    "flags": "bigint",
    "dropped_attributes_count": "bigint",
    "dropped_events_count": "bigint",
    "dropped_links_count": "bigint",
    "resource_schema_url": "string",
    "resource_dropped_attributes_count": "bigint",
    "resource_entity_refs": "array<binary>",
    "scope_name": "string",
    "scope_version": "string",
    "scope_schema_url": "string",
    "scope_dropped_attributes_count": "bigint",
    "events": f"array<{_EVENT}>",
    "links": f"array<{_LINK}>",
    "span_rest": f"array<{_PAIR}>",
    "resource_rest": f"array<{_PAIR}>",
    "scope_rest": f"array<{_PAIR}>",
}
ATTRIBUTE_TYPES: dict[AttributeType, str] = {
    "string": "string",
    "int": "bigint",
    "double": "double",
    "bool": "boolean",
    "bytes": "binary",
    "string[]": "array<string>",
    "int[]": "array<bigint>",
    "double[]": "array<double>",
    "bool[]": "array<boolean>",
}


class OpenFormat(Construct):
    """A database, named after the stack, with the table `spans`."""

    def __init__(self, scope: Construct, settings: Settings, storage: Storage) -> None:
        super().__init__(scope, "OpenFormat")
        self.database_name = settings.stack_name.lower().replace("-", "_")
        account = cdk.Stack.of(self).account
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self.database_name, description="Distributed tracing by Spandrel"
            ),
        )
        glue.CfnTable(
            self,
            "Spans",
            catalog_id=account,
            database_name=database.ref,
            table_input=_table(settings, storage.bucket.bucket_name),
        )


def _table(settings: Settings, bucket: str) -> glue.CfnTable.TableInputProperty:
    return glue.CfnTable.TableInputProperty(
        name=TABLE,
        description="One row a span, and one more for each copy that is not merged away yet",
        table_type="EXTERNAL_TABLE",
        parameters=_parameters(settings, bucket),
        partition_keys=[_column("tenant", "string"), _column("day", "string")],
        storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
            location=f"s3://{bucket}/",
            columns=[_column(name, hive) for name, hive in {**COLUMNS, **attributes(settings)}.items()],
            input_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            output_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            serde_info=glue.CfnTable.SerdeInfoProperty(
                serialization_library="org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
            ),
        ),
    )


def _parameters(settings: Settings, bucket: str) -> dict[str, str]:
    """Partition projection: the tenant is what a query says, days are those that retention leaves."""
    days = settings.retention.longest_days + BLOCK_MARGIN_DAYS
    return {
        "EXTERNAL": "TRUE",
        "classification": "parquet",
        "projection.enabled": "true",
        "projection.tenant.type": "injected",
        "projection.day.type": "date",
        "projection.day.format": "yyyy-MM-dd",
        "projection.day.range": f"NOW-{days}DAYS,NOW+1DAYS",
        "projection.day.interval": "1",
        "projection.day.interval.unit": "DAYS",
        "storage.location.template": f"s3://{bucket}/${{tenant}}/blocks/${{day}}/",
    }


def attributes(settings: Settings) -> dict[str, str]:
    """The columns of the attributes in `athena_attributes`. Glue knows small letters only; engines that read its tables
    do not tell them from capital ones, for which reason a block marks these (docs/blocks.md).
    """
    columns = {}
    for given in settings.athena_attributes:
        found = attribute_of_column(given)
        assert found, "the setting's pattern takes nothing else"
        columns[attribute_column(*found).lower()] = ATTRIBUTE_TYPES[found[2]]
    return columns


def _column(name: str, hive_type: str) -> glue.CfnTable.ColumnProperty:
    return glue.CfnTable.ColumnProperty(name=name, type=hive_type)
