from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard

from spandrel.http.request import request_of
from spandrel.model.errors import TooLarge, Undecodable, Unsupported
from spandrel.model.limits import BODY_BYTES, DECODED_BODY_BYTES, MIB
from spandrel.wire.content import decoded_body, decompressed, media_type
from tests.events import http_event

BODY = bytes(range(256)) * 200


def raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


COMPRESS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "zstd": ("zstd", zstandard.compress),
    "zstd without its size": ("zstd", zstandard.ZstdCompressor(write_content_size=False).compress),
}


def decode(body: bytes, encoding: str) -> bytes:
    return decoded_body(request_of(http_event(headers={"content-encoding": encoding}, body=body)))


@pytest.mark.parametrize("how", COMPRESS)
@pytest.mark.parametrize("body", [b"", b"\0", BODY], ids=["empty", "one byte", "51 KB"])
def test_a_body_is_decoded_whatever_its_encoding(how: str, body: bytes) -> None:
    encoding, compress = COMPRESS[how]
    assert decode(compress(body), encoding) == body


@pytest.mark.parametrize("encoding", ["", "identity", "Identity", " identity "])
def test_a_plain_body_stays_as_it_is(encoding: str) -> None:
    assert decode(BODY, encoding) == BODY


@pytest.mark.parametrize("encoding", ["GZIP", " gzip ", "x-gzip"])
def test_other_spellings_of_gzip_are_gzip(encoding: str) -> None:
    assert decode(gzip.compress(BODY), encoding) == BODY


@pytest.mark.parametrize("encoding", ["br", "snappy", "lz4", "gzip, gzip", "gzip,identity", "none", "x" * 1000])
def test_an_encoding_that_is_unknown_or_stacked_is_named_and_refused(encoding: str) -> None:
    with pytest.raises(Unsupported, match="gzip, deflate, zstd or identity"):
        decode(BODY, encoding)


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
def test_parts_that_follow_each_other_are_one_body(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    assert decode(compress(b"a") + compress(b"") + compress(BODY) + compress(b"c"), encoding) == b"a" + BODY + b"c"


@pytest.mark.parametrize("how", COMPRESS)
@pytest.mark.parametrize("cut_bytes", [1, 4, 9, 100])
def test_a_body_that_is_cut_short_is_refused(how: str, cut_bytes: int) -> None:
    encoding, compress = COMPRESS[how]
    with pytest.raises(Undecodable, match=r"cut short|is not"):
        decode(compress(BODY)[:-cut_bytes], encoding)


@pytest.mark.parametrize("how", COMPRESS)
@pytest.mark.parametrize(
    "garbage", [b"\0", b"xx", b"\x1f\x8b", bytes(5000)], ids=["zero", "xx", "half a header", "5 KB"]
)
def test_a_body_with_something_behind_it_is_refused(how: str, garbage: bytes) -> None:
    encoding, compress = COMPRESS[how]
    with pytest.raises(Undecodable):
        decode(compress(BODY) + garbage, encoding)


@pytest.mark.parametrize("how", COMPRESS)
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"\x78\x9c\xff\xff", b"\x1f\x8b\x08" + bytes(30), b"\x28\xb5\x2f\xfd" + b"\xff" * 30],
    ids=["nothing", "JSON", "zlib's header", "gzip's header", "zstd's header"],
)
def test_what_is_not_compressed_as_it_says_is_refused(how: str, body: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(body, COMPRESS[how][0])


def test_a_changed_byte_is_noticed() -> None:
    body = bytearray(gzip.compress(BODY))
    body[-5] ^= 1  # in the checksum
    with pytest.raises(Undecodable, match="is not gzip"):
        decode(bytes(body), "gzip")


def gzip_bomb(mib: int) -> bytes:
    compressor = zlib.compressobj(9, wbits=31)
    first, repeated = (compressor.compress(bytes(MIB)) + compressor.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + repeated * (mib - 1)


def zstd_bomb(mib: int) -> bytes:
    compressor = zstandard.ZstdCompressor().compressobj()
    return b"".join(compressor.compress(bytes(MIB)) for _ in range(mib)) + compressor.flush()


@pytest.mark.parametrize(("encoding", "bomb"), [("gzip", gzip_bomb), ("zstd", zstd_bomb)], ids=["gzip", "zstd"])
def test_a_bomb_of_1_gib_is_refused_at_once_and_in_bounded_memory(encoding: str, bomb: Callable[[int], bytes]) -> None:
    body = bomb(1024)
    began_s = time.process_time()
    tracemalloc.start()
    with pytest.raises(TooLarge, match="decodes to more than"):
        decode(body, encoding)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < DECODED_BODY_BYTES * 2.5
    assert time.process_time() - began_s < 2  # of CPU, and tracemalloc doubles it: 0.1 s without


def test_one_small_piece_cannot_expand_far_beyond_the_limit() -> None:
    body = zstd_bomb(64)
    tracemalloc.start()
    with pytest.raises(TooLarge):
        decompressed(body, "zstd", 1024)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 20 * MIB


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_body_of_nothing_but_empty_parts_buys_no_work(encoding: str) -> None:
    empty = COMPRESS[encoding][1](b"")
    began_s = time.process_time()
    with pytest.raises(Undecodable, match="follows"):
        decode(empty * 150_000, encoding)
    assert time.process_time() - began_s < 1


def test_a_zstd_window_beyond_what_the_web_allows_is_refused() -> None:
    wide = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    body = compressor.compress(BODY) + compressor.flush()
    with pytest.raises(Undecodable, match="zstd"):
        decode(body, "zstd")


def test_exactly_the_limit_is_let_through() -> None:
    assert len(decompressed(gzip.compress(bytes(5000)), "gzip", 5000)) == 5000
    with pytest.raises(TooLarge):
        decompressed(gzip.compress(bytes(5001)), "gzip", 5000)


def test_a_body_over_the_limit_as_sent_is_refused_before_it_is_looked_at() -> None:
    assert len(decode(bytes(BODY_BYTES), "")) == BODY_BYTES
    with pytest.raises(TooLarge, match="4,194,304 is the limit"):
        decode(bytes(BODY_BYTES + 1), "br")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("application/x-protobuf ;a=b", "application/x-protobuf"),
        ("", ""),
    ],
)
def test_a_media_type_is_without_case_and_parameters(header: str, found: str) -> None:
    assert media_type(request_of(http_event(headers={"content-type": header}))) == found
