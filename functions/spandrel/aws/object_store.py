"""Objects in S3: blocks, oversized requests, large answers."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from spandrel.model.catalogue import Listed
from spandrel.model.errors import Conflict, NotFound, Overloaded
from spandrel.model.lifecycle import TAG, Passing

from .faults import code_of, told_apart

# S3's parameter for a header that is kept with the object.
KEPT_HEADERS = {"content-type": "ContentType", "content-encoding": "ContentEncoding"}
DELETED_AT_ONCE = 1000  # keys that one DeleteObjects takes
# Codes by which a write over a version is refused; an object that is gone is another one too ("Conditional writes").
CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})
CRC32 = "crc32"  # S3's metadata of an object in which its checksum stands, eight hex digits


@dataclass(frozen=True, slots=True)
class Ending:
    """The last bytes of an object, and the checksum of all of it; None where nobody noted one."""

    body: bytes
    crc32: int | None


class S3ObjectStore:
    """`spandrel.model.catalogue.ObjectStore` over one bucket."""

    def __init__(self, s3: BaseClient, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def put(
        self, key: str, body: bytes, *, passing: Passing | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        kept = {KEPT_HEADERS[name.lower()]: value for name, value in (headers or {}).items()}
        if passing is not None:
            kept["Tagging"] = f"{TAG}={passing}"
        noted = {CRC32: f"{zlib.crc32(body):08x}"}
        with told_apart(f"storing {key}"):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, Metadata=noted, **kept)

    def get(self, key: str) -> bytes:
        return self._get(key)

    def get_range(self, key: str, first_byte: int, length_bytes: int) -> bytes:
        try:
            return self._get(key, Range=f"bytes={first_byte}-{first_byte + length_bytes - 1}")
        except ClientError as error:
            if code_of(error) != "InvalidRange":
                raise
            return b""  # the object ends before

    def get_version(self, key: str) -> tuple[bytes, str]:
        with told_apart(f"reading {key}"):
            answer = self._answer(key)
            return answer["Body"].read(), answer["ETag"]

    def put_over(self, key: str, body: bytes, version: str | None) -> None:
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        noted = {CRC32: f"{zlib.crc32(body):08x}"}
        with told_apart(f"storing {key}"):
            try:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, Metadata=noted, **condition)
            except ClientError as error:
                if code_of(error) in CHANGED:
                    raise Conflict(f"{key} was changed meanwhile") from error
                raise

    def ending(self, key: str, length_bytes: int) -> Ending:
        """As many of its last bytes, or all of them; NotFound when there is no such object."""
        with told_apart(f"reading {key}"):
            answer = self._answer(key, Range=f"bytes=-{length_bytes}")
            noted = answer.get("Metadata", {}).get(CRC32)
            return Ending(answer["Body"].read(), int(noted, 16) if noted else None)

    def _get(self, key: str, **chosen: str) -> bytes:
        with told_apart(f"reading {key}"):
            body: bytes = self._answer(key, **chosen)["Body"].read()
            return body

    def _answer(self, key: str, **chosen: str) -> dict[str, Any]:
        with told_apart(f"reading {key}"):
            try:
                answer: dict[str, Any] = self._s3.get_object(Bucket=self._bucket, Key=key, **chosen)
            except ClientError as error:
                if code_of(error) == "NoSuchKey":
                    raise NotFound(f"there is no object {key}") from error
                raise
            return answer

    def delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), DELETED_AT_ONCE):
            some = [{"Key": key} for key in keys[start : start + DELETED_AT_ONCE]]
            with told_apart("deleting objects"):
                answer = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": some, "Quiet": True})
            for error in answer.get("Errors", []):
                raise Overloaded(f"{error['Key']} is not deleted: {error['Code']}")

    def listed(self, prefix: str) -> Iterator[Listed]:
        """All objects whose keys begin so, in the order of their keys, a thousand at a time."""
        for page in self._pages(Prefix=prefix):
            for one in page.get("Contents", []):
                yield Listed(one["Key"], one["Size"], int(one["LastModified"].timestamp() * 10**9))

    def folders(self, prefix: str = "") -> Iterator[str]:
        """What stands between the prefix and the next `/` in the keys that begin so."""
        for page in self._pages(Prefix=prefix, Delimiter="/"):
            for one in page.get("CommonPrefixes", []):
                yield one["Prefix"].removeprefix(prefix).rstrip("/")

    def _pages(self, **question: str) -> Iterator[dict[str, Any]]:
        while True:
            with told_apart(f"listing {question['Prefix']}"):
                page = self._s3.list_objects_v2(Bucket=self._bucket, **question)
            yield page
            if not page["IsTruncated"]:
                return
            question["ContinuationToken"] = page["NextContinuationToken"]

    def link(self, key: str, seconds: int) -> str:
        where = {"Bucket": self._bucket, "Key": key}
        return str(self._s3.generate_presigned_url("get_object", Params=where, ExpiresIn=seconds))
