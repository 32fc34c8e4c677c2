"""A call of one of X-Ray's operations, and the pages in which it may be answered."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from spandrel.api.question import Endpoint, Question, json_response
from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.catalogue import VersionedObjects
from spandrel.model.errors import Rejected
from spandrel.query.reading import Reading
from spandrel.wire.xray.body import body_of

from .members import Members

Result = Mapping[str, Any]
"""The members of an operation's output, as the service model xray-2016-04-12 has them; times are unix seconds."""

_PAGE = "NextToken"
_SEAL_BYTES = 16


@dataclass(frozen=True, slots=True)
class Call:
    """`path` is the operation's; `now_ns` is the time of the call, unix ns; in `objects` are its tenant's groups."""

    path: str
    members: Members
    reading: Reading
    now_ns: int
    objects: VersionedObjects

    def position(self) -> Any:
        """Where the page that is asked for begins: what `token` was given, or None for the first page.

        Rejected for a token that is none of this call's: made by nobody here, changed, of another tenant, of another
        operation, or of other members.
        """
        token = self.members.text(_PAGE)
        if not token:
            return None
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            sealed = b""
        seal, said = sealed[:_SEAL_BYTES], sealed[_SEAL_BYTES:]
        # Decoding takes spellings that encoding does not give; so the whole token is compared, not its seal.
        if not said or seal != self._seal(said) or _text(sealed) != token:
            raise Rejected(f"{_PAGE} is no token of this call: ask with the same members as for the page before")
        return json.loads(said)

    def token(self, position: Any) -> str:
        """What to ask with for the page that begins at `position`, which JSON can say. The same for the same call."""
        said = json.dumps(position, separators=(",", ":")).encode()
        return _text(self._seal(said) + said)

    def _seal(self, said: bytes) -> bytes:
        """Tells tokens of this call from others. No secret: a position opens nothing that the call itself does not."""
        asked = {name: value for name, value in self.members.all.items() if name != _PAGE}
        call = json.dumps([self.reading.tenant, self.path, asked], sort_keys=True)
        return hashlib.sha256(call.encode() + b"\n" + said).digest()[:_SEAL_BYTES]


def answered(operation: Callable[[Call], Result]) -> Endpoint:
    """The endpoint of an operation: members of its input -> members of its output."""

    def endpoint(question: Question) -> Response:
        members = Members(_body(question.request))
        call = Call(question.request.path, members, question.reading, question.now_ns, question.objects)
        return json_response(operation(call))

    return endpoint


def not_offered(question: Question) -> Response:
    """The endpoint of an operation that has no answer here. Its error is that which nearly all of them have."""
    raise Rejected(f"X-Ray's operation POST {question.request.path} is not offered here")


def _body(request: Request) -> Mapping[str, Any]:
    """Some clients send no body where there is no member to say."""
    return body_of(request) if request.body else {}


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")
