"""Where archived traces lie: copies that outlive retention, outside of the catalogue.

Each is a block of its own under `{tenant}/archive/{trace id}/`, beside its entry, which is written last.
"""

from __future__ import annotations


def folder_of(tenant: str, trace_id: bytes | None = None) -> str:
    """How the keys of an archived trace begin, or those of all the tenant's."""
    return f"{tenant}/archive/" if trace_id is None else f"{tenant}/archive/{trace_id.hex()}/"


def entry_key(tenant: str, trace_id: bytes) -> str:
    """The object that says which block holds the trace."""
    return f"{folder_of(tenant, trace_id)}entry.json"


def block_key(tenant: str, trace_id: bytes, crc32: int) -> str:
    """The object of a copy. Each copy has one of its own, so that a reader of the one before still finds it."""
    return f"{folder_of(tenant, trace_id)}{crc32:08x}.parquet"
