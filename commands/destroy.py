"""Removes the deployed stack. The spans, their catalogue and the API keys stay, unless you say --with-data.

Spans that still wait in the queue go with it. What stays costs its storage; a later deployment starts with new, empty
stores and does not use it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from infra.paths import CACHE
from infra.settings import SettingsError
from infra.synth import settings_of_project, synthesise

from .account import Account, account, said_plainly
from .deploy import call_cdk
from .failure import CommandFailed

ASSEMBLY = CACHE / "destruction"
TABLES = ("CatalogueTable", "KeyTable")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--with-data", action="store_true", help="also remove all spans and API keys")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    stack = name_of_stack()
    where = account()
    outputs = where.outputs(stack)
    if outputs is None:
        raise CommandFailed(f"{where} has no stack {stack}")
    print(what_happens(stack, where, outputs, with_data=arguments.with_data))
    if not arguments.yes and answer(f"Type {stack} to go on: ") != stack:
        raise CommandFailed("nothing was removed")
    call_cdk("destroy", "--app", str(synthesise(ASSEMBLY)), "--force", where=where)
    if arguments.with_data:
        remove_data(where, outputs)
    return 0


def answer(question: str) -> str:
    """What the person types; nothing if there is nobody."""
    try:
        return input(question).strip()
    except EOFError:
        return ""


def name_of_stack() -> str:
    try:
        return settings_of_project().stack_name
    except SettingsError as error:
        raise CommandFailed(str(error)) from error


def what_happens(stack: str, where: Account, outputs: Mapping[str, str], *, with_data: bool) -> str:
    """What goes and what stays, by name."""
    data = [f"bucket {outputs['Bucket']}", *(f"table {outputs[table]}" for table in TABLES)]
    fate = "is removed too, for good" if with_data else "stays, and costs its storage (--with-data removes it too)"
    gone = "the API, the functions, the queues with what waits there, alarms and logs are removed"
    return "\n".join([f"{stack} in {where}: {gone}.", f"The data {fate}:", *(f"    {name}" for name in data)])


def remove_data(where: Account, outputs: Mapping[str, str]) -> None:
    """Empties and removes the bucket, and removes the tables."""
    with said_plainly():
        _remove_bucket(where.session.client("s3"), outputs["Bucket"])
        for table in TABLES:
            print(f"spandrel destroy: removing table {outputs[table]}", file=sys.stderr, flush=True)
            where.session.client("dynamodb").delete_table(TableName=outputs[table])


def _remove_bucket(s3: Any, bucket: str) -> None:
    print(f"spandrel destroy: emptying and removing bucket {bucket}", file=sys.stderr, flush=True)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys = [{"Key": found["Key"]} for found in page.get("Contents", [])]
        if keys:
            refused = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True}).get("Errors", [])
            if refused:
                raise CommandFailed(f"S3 did not remove {refused[0]['Key']}: {refused[0]['Message']}")
    s3.delete_bucket(Bucket=bucket)
