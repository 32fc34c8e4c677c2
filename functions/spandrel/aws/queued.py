"""The message between `receive` and `store`: one OTLP request, compressed, as text, with its tenant and time of
arrival.

The body is base64 because SQS takes text only; zstd first, because SQS bills by 64 KiB and a request of 512 spans (160
KB) becomes 38 KB of text. What no message can hold is an object, and the message only points to it.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import zstandard

from spandrel.model.catalogue import ObjectStore
from spandrel.model.errors import Rejected, Undecodable
from spandrel.model.limits import DECODED_BODY_BYTES
from spandrel.model.tenant import tenant_name

COMPRESSION_LEVEL = 3
IN_OBJECT = "-"  # the body of a message whose request is an object

Attributes = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Queued:
    """A request as `store` finds it: serialized ExportTraceServiceRequest, unix ns of its arrival, SQS's message id."""

    message_id: str
    tenant: str
    received_ns: int
    body: bytes


def packed(request: bytes) -> bytes:
    """A serialized request, compressed: what an object holds, and as base64 text what a message holds."""
    return zstandard.ZstdCompressor(COMPRESSION_LEVEL).compress(request)


def as_text(packed_request: bytes) -> str:
    """The body of a message."""
    return b64encode(packed_request).decode()


def attributes(tenant: str, received_ns: int, object_key: str | None = None) -> Attributes:
    """The message attributes as SQS's SendMessage takes them."""
    values = {"tenant": tenant, "received": str(received_ns)} | ({"object": object_key} if object_key else {})
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def unpacked(record: Mapping[str, Any], objects: ObjectStore) -> Queued:
    """A record of Lambda's SQS event -> the request in it. Undecodable says why it can never be stored; Overloaded
    passes.
    """
    said = {name: value.get("stringValue", "") for name, value in record.get("messageAttributes", {}).items()}
    try:
        tenant = tenant_name(said["tenant"])
        received_ns = int(said["received"])
        compressed = _compressed(record["body"], said.get("object"), tenant, objects)
        body = zstandard.ZstdDecompressor().decompress(compressed, max_output_size=DECODED_BODY_BYTES)
    except KeyError as missing:
        raise Undecodable(f"the message lacks {missing}") from missing
    except Rejected as refused:  # no such tenant, no such object
        raise Undecodable(str(refused)) from refused
    except (ValueError, binascii.Error, zstandard.ZstdError) as error:
        raise Undecodable(f"the message does not decode: {error}") from error
    return Queued(record["messageId"], tenant, received_ns, body)


def _compressed(text: str, object_key: str | None, tenant: str, objects: ObjectStore) -> bytes:
    if text != IN_OBJECT:
        return b64decode(text, validate=True)
    if not (object_key or "").startswith(f"{tenant}/incoming/"):
        raise Undecodable(f"the message of {tenant} points to {object_key!r}")
    return objects.get(str(object_key))
