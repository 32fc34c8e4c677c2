"""The stack that a command acts on: the one that runs on this machine, or with --deployed the one in AWS."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from botocore.client import BaseClient

from infra.settings import SettingsError
from infra.synth import settings_of_project
from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.deletions import DeletionBook
from spandrel.aws.object_store import S3ObjectStore
from spandrel.model.errors import SpandrelError
from spandrel.model.retention import Retention

from .account import account, said_plainly
from .failure import CommandFailed
from .running import running


@dataclass(frozen=True, slots=True)
class Stack:
    """What a stack keeps, by the rights of the person at the terminal."""

    client: Callable[[str], BaseClient]
    outputs: Mapping[str, str]
    retention: Retention
    merges_a_minute: int

    @property
    def table(self) -> str:
        return self.outputs["CatalogueTable"]

    def objects(self) -> S3ObjectStore:
        return S3ObjectStore(self.client("s3"), self.outputs["Bucket"])

    def catalogue(self) -> DynamoCatalogue:
        return DynamoCatalogue(self.client("dynamodb"), self.table, self.retention)

    def deletions(self) -> DeletionBook:
        return DeletionBook(self.client("dynamodb"), self.table, self.objects())


def add_choice(parser: argparse.ArgumentParser) -> None:
    """The option that chooses."""
    parser.add_argument("--deployed", action="store_true", help="of the stack in AWS, by the credentials you have set")


@contextmanager
def chosen(arguments: argparse.Namespace) -> Iterator[Stack]:
    """The stack while a command acts on it. CommandFailed says plainly what AWS or Spandrel refuses."""
    with said_plainly():
        try:
            yield _deployed() if arguments.deployed else _local()
        except (SpandrelError, SettingsError) as error:
            raise CommandFailed(str(error)) from error


def _local() -> Stack:
    here, settings = running(), settings_of_project()
    return Stack(here.client, here.outputs, settings.retention, settings.merges_a_minute)


def _deployed() -> Stack:
    where, settings = account(), settings_of_project()
    outputs = where.outputs(settings.stack_name)
    if outputs is None:
        raise CommandFailed(f"{where} has no stack {settings.stack_name}: deploy one with ./spandrel deploy")
    return Stack(where.session.client, outputs, settings.retention, settings.merges_a_minute)
