"""The names of services and of their operations, from the catalogue alone where it lists them."""

from __future__ import annotations

from collections.abc import Sequence

from spandrel.model.catalogue import Block, Operation

from .reading import Reading

_OPERATIONS = "SELECT DISTINCT coalesce(service, ''), name, kind FROM spans"


def services(reading: Reading) -> list[str]:
    """All services that have spans, sorted."""
    return sorted({service for service, _, _ in operations_in(reading, reading.live()) if service})


def operations(reading: Reading, service: str) -> list[tuple[str, int]]:
    """The span names of a service and their kinds (OTLP's numbers), sorted."""
    return sorted({(name, kind) for owner, name, kind in operations_in(reading, reading.live()) if owner == service})


def operations_in(reading: Reading, blocks: Sequence[Block]) -> set[Operation]:
    """The operations of these blocks; those are opened of which the catalogue does not list them."""
    known = {operation for block in blocks for operation in block.operations or ()}
    opened = reading.open([block for block in blocks if block.operations is None])
    rows = opened.select(_OPERATIONS, columns=("service", "name", "kind"))
    return known | {(service, name, kind) for service, name, kind in rows}
