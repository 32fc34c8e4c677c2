"""What a body is: its media type, and its bytes without Content-Encoding, never more of them than the limit."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from spandrel.http.request import Request
from spandrel.model.errors import TooLarge, Undecodable, Unsupported
from spandrel.model.limits import BODY_BYTES, DECODED_BODY_BYTES, MIB

# RFC 9659: a zstd body on the web needs a window of at most 8 MB, and may be refused beyond.
ZSTD_WINDOW_BYTES = 8 * MIB


class _Decoder(Protocol):
    """Of one gzip member, zlib stream or zstd frame, as zlib and zstandard have it."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Coding:
    """How a Content-Encoding is decoded.

    `at_once_bytes` of input are decoded before the limit is looked at, so it bounds how far a body can overshoot.
    `parts_max`: how many members or frames may follow each other; each costs a new decoder, so that a body of nothing
    but empty ones would buy seconds of work.
    """

    decoder: Callable[[], _Decoder]
    error: type[Exception]
    at_once_bytes: int
    parts_max: int


def media_type(request: Request) -> str:
    """Content-Type without parameters, in lower case; empty when there is none."""
    return request.header("content-type").partition(";")[0].strip().lower()


def decoded_body(request: Request, limit_bytes: int = DECODED_BODY_BYTES) -> bytes:
    """The request's body without its Content-Encoding.

    TooLarge when the body is over BODY_BYTES as sent or `limit_bytes` decoded, Unsupported when it has another
    encoding than `decompressed` knows or several, Undecodable when it is broken, cut short or followed by anything.
    """
    if len(request.body) > BODY_BYTES:
        raise TooLarge(f"the body has {len(request.body):,} bytes; {BODY_BYTES:,} is the limit")
    return decompressed(request.body, request.header("content-encoding").strip().lower(), limit_bytes)


def decompressed(body: bytes, encoding: str, limit_bytes: int) -> bytes:
    """`body` decoded; holds no more than `limit_bytes` and 8 MiB in memory, whatever it would expand to."""
    if encoding in {"", "identity"}:
        return body
    coding = _coding(encoding, body)
    try:
        return _decoded(body, coding, limit_bytes)
    except coding.error as error:
        raise Undecodable(f"the body is not {encoding}: {error}") from error


def _coding(encoding: str, body: bytes) -> _Coding:
    match encoding:
        case "gzip" | "x-gzip":
            return _zlib(16 + zlib.MAX_WBITS, parts_max=4096)
        case "deflate":
            return _zlib(_deflate_window(body), parts_max=1)
        case "zstd":
            return _zstd()
        case _:
            raise Unsupported(
                f"Content-Encoding is gzip, deflate, zstd or identity, one of them, not {encoding[:80]!r}"
            )


def _zlib(window: int, parts_max: int) -> _Coding:
    """DEFLATE expands up to 1,032 times: 8 KiB to 8 MiB."""
    return _Coding(lambda: zlib.decompressobj(window), zlib.error, at_once_bytes=8 * 1024, parts_max=parts_max)


def _zstd() -> _Coding:
    """Four bytes can say 128 KiB (a block of one byte, repeated): 256 bytes 8 MiB."""
    import zstandard  # where it is used: a cold start for others does without

    frames = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES)
    return _Coding(frames.decompressobj, zstandard.ZstdError, at_once_bytes=256, parts_max=4096)


def _deflate_window(body: bytes) -> int:
    """HTTP's deflate is the zlib format (RFC 9110, 8.4.1.2), but some clients send DEFLATE itself, without a header."""
    header = int.from_bytes(body[:2])
    has_header = header >> 8 & 0x0F == zlib.DEFLATED and header % 31 == 0  # RFC 1950, 2.2
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


def _decoded(body: bytes, coding: _Coding, limit_bytes: int) -> bytes:
    """All parts of `body`, one after the other, as RFC 1952 and RFC 8878 let them stand."""
    decoded = io.BytesIO()
    decoder, parts = coding.decoder(), 1
    for start in range(0, len(body), coding.at_once_bytes):
        data = body[start : start + coding.at_once_bytes]
        while data:
            if decoder.eof:
                decoder, parts = coding.decoder(), parts + 1
                if parts > coding.parts_max:
                    raise Undecodable("something follows the end of the compressed body")
            decoded.write(decoder.decompress(data))
            if decoded.tell() > limit_bytes:
                raise TooLarge(f"the body decodes to more than {limit_bytes:,} bytes")
            data = decoder.unused_data
    if not decoder.eof:
        raise Undecodable("the compressed body is cut short")
    return decoded.getvalue()
