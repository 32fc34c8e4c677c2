"""Refusals as Google's APIs write them (google.aip.dev/193, "HTTP/1.1+JSON representation")."""

from __future__ import annotations

import json

from .refusals import Refusal


def google_error(refusal: Refusal) -> tuple[str, bytes]:
    """`{"error": {code, message, status}}`: `code` is the HTTP status, `status` the name of a google.rpc.Code."""
    from google.rpc.code_pb2 import Code  # where it is used: few requests are refused

    error = {"code": refusal.status, "message": refusal.message, "status": Code.Name(refusal.code)}
    return "application/json", json.dumps({"error": error}, separators=(",", ":")).encode()
