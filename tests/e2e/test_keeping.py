"""Deletion on the whole stack: under the roles of the template, by the schedules that it has."""

from __future__ import annotations

import time
from collections.abc import Iterator

from local.stack import LocalStack
from spandrel.aws.deletions import DeletionBook
from spandrel.aws.object_store import S3ObjectStore
from spandrel.model.deletions import Deletion
from tests.builders import request_of, span

from .spandrel import client_of_tenant, new_tenant, new_trace_id, spans_sent


def test_a_deleted_trace_is_gone_from_answers_at_once_and_from_live_blocks_after_the_keepers_round(
    spandrel: LocalStack,
) -> None:
    tenant, gone, kept = new_tenant(), new_trace_id(), new_trace_id()
    client = client_of_tenant(spandrel, tenant)
    requests = {one: request_of(span("s", trace_id=one, start_ns=time.time_ns())) for one in (gone, kept)}
    for request in requests.values():
        client.store(request)
    objects = S3ObjectStore(spandrel.client("s3"), spandrel.stack.outputs["Bucket"])
    book = DeletionBook(spandrel.client("dynamodb"), spandrel.stack.outputs["CatalogueTable"], objects)
    book.delete(Deletion(tenant, 0, time.time_ns(), trace_id=gone))
    assert not client.trace(gone)
    assert client.trace(kept) == spans_sent(requests[kept])
    before = set(keys_of(objects, tenant, "blocks"))
    spandrel.fire_schedules()
    spandrel.settle()
    assert not client.trace(gone)
    assert client.trace(kept) == spans_sent(requests[kept])
    assert len(list(keys_of(objects, tenant, "merges"))) == 1  # of the block that had it alone
    assert set(keys_of(objects, tenant, "blocks")) == before  # until no query can be reading it


def keys_of(objects: S3ObjectStore, tenant: str, folder: str) -> Iterator[str]:
    for listed in objects.listed(f"{tenant}/{folder}/"):
        yield listed.key
