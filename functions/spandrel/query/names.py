"""The names of services and of their operations, from the catalogue alone where it lists them."""

from __future__ import annotations

from spandrel.model.catalogue import Operation

from .reading import Reading

_OPERATIONS = "SELECT DISTINCT coalesce(service, ''), name, kind FROM spans"


def services(reading: Reading) -> list[str]:
    """All services that have spans, sorted."""
    return sorted({service for service, _, _ in _operations(reading) if service})


def operations(reading: Reading, service: str) -> list[tuple[str, int]]:
    """The span names of a service and their kinds (OTLP's numbers), sorted."""
    return sorted({(name, kind) for owner, name, kind in _operations(reading) if owner == service})


def _operations(reading: Reading) -> set[Operation]:
    blocks = reading.live()
    known = {operation for block in blocks for operation in block.operations or ()}
    opened = reading.open([block for block in blocks if block.operations is None])
    rows = opened.select(_OPERATIONS, columns=("service", "name", "kind"))
    return known | {(service, name, kind) for service, name, kind in rows}
