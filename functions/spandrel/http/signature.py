"""AWS Signature Version 4 in the `Authorization` header, which is all that X-Ray's clients can send.

The source of every rule: IAM User Guide, "Create a signed AWS API request" and "Troubleshoot Signature Version 4
signing for AWS API requests". The scheme in short: the secret is hashed with a scope (day, region, service) to a
signing key, and that with the request to the signature, so that the secret never travels.

The authorizer knows the secret but sees no body; the functions see the body but know no secret. So the authorizer makes
the signing key of the request's own scope, and the functions check the whole signature with it (ADR 0005). What the
headers alone can tell is checked in both, by `signature_of`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from spandrel.model.errors import Unauthenticated

from .request import Request

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "xray"  # any region will do, since the stack has no other name for its own
TERMINATOR = "aws4_request"
SKEW_MAX = timedelta(minutes=5)

_KEY = re.compile(r"[0-9a-f]{64}")
_FIELDS = {"Credential", "SignedHeaders", "Signature"}
_TIME = "%Y%m%dT%H%M%SZ"
_UNRESERVED = "-_.~"  # RFC 3986, 2.3, besides letters and digits


@dataclass(frozen=True, slots=True)
class Signature:
    """What the `Authorization` header says: who signs (`key_id`), for which scope, which headers, and the signature."""

    key_id: str
    day: str
    region: str
    signed_headers: tuple[str, ...]
    value: str

    @property
    def scope(self) -> str:
        """The credential scope, which is part of what is signed."""
        return f"{self.day}/{self.region}/{SERVICE}/{TERMINATOR}"


def signer_of(request: Request) -> str | None:
    """The key id that a signed request claims, empty where it cannot be read; None for a request that is not signed."""
    scheme, _, fields = request.header("authorization").strip().partition(" ")
    return _fields(fields).get("Credential", "").partition("/")[0] if scheme == ALGORITHM else None


def signature_of(request: Request) -> Signature:
    """The signature, complete, for this service and of this time, but not compared yet.

    Raises Unauthenticated: "incomplete-signature" when it cannot be read or covers too little, "wrong-signature" when
    it is for another service or not of this time.
    """
    scheme, _, text = request.header("authorization").strip().partition(" ")
    fields = _fields(text)
    credential = fields.get("Credential", "").split("/")
    if scheme != ALGORITHM or fields.keys() != _FIELDS or len(credential) != 5:
        raise _incomplete(f"Authorization is {ALGORITHM} with {', '.join(sorted(_FIELDS))}")
    key_id, day, region, service, terminator = credential
    if (service, terminator) != (SERVICE, TERMINATOR):
        raise _wrong(f"the credential's scope ends in {SERVICE}/{TERMINATOR}, not in {service[:80]}/{terminator[:80]}")
    signature = Signature(key_id, day, region, tuple(fields["SignedHeaders"].split(";")), fields["Signature"])
    _check_headers(request, signature)
    _check_time(request, signature)
    return signature


def signing_key(secret: str, signature: Signature) -> str:
    """The key of the signature's scope, in hex: good for one day and region, and for nothing but this service."""
    key = b"AWS4" + secret.encode()
    for part in signature.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def check_signature(request: Request, key: str) -> None:
    """Raises Unauthenticated unless the request, body and all, is signed with the signing key."""
    signature = signature_of(request)
    if not _KEY.fullmatch(key):
        raise _wrong("there is no key to check the signature with")
    signed = (ALGORITHM, request.header("x-amz-date"), signature.scope, _sha256(_canonical(request, signature)))
    expected = hmac.digest(bytes.fromhex(key), "\n".join(signed).encode(), "sha256").hex()
    if not hmac.compare_digest(expected.encode(), signature.value.encode()):
        raise _wrong("the signature is not the one that this request has with the secret of its key")


def _fields(text: str) -> dict[str, str]:
    """`Credential=..., SignedHeaders=..., Signature=...`, with or without blanks; what comes twice is left out."""
    pairs = [(name.strip(), value) for name, _, value in (field.strip().partition("=") for field in text.split(","))]
    return dict(pairs) if len({name for name, _ in pairs}) == len(pairs) else {}


def _check_headers(request: Request, signature: Signature) -> None:
    """`host` and all of `x-amz-` have to be signed; what is signed has to be there."""
    needed = {"host", "x-amz-date"} | {name for name in request.headers if name.startswith("x-amz-")}
    unsigned = sorted(needed - set(signature.signed_headers))
    if unsigned:
        raise _incomplete(f"these headers have to be signed: {', '.join(unsigned)[:200]}")
    missing = [name for name in signature.signed_headers if name not in request.headers]
    if missing:
        raise _incomplete(f"these headers are signed and not there: {', '.join(missing)[:200]}")


def _check_time(request: Request, signature: Signature) -> None:
    sent = request.header("x-amz-date")
    try:
        signed_at = datetime.strptime(sent, _TIME).replace(tzinfo=UTC)
    except ValueError as error:
        raise _incomplete(f"X-Amz-Date is like 20261105T101530Z, not {sent[:80]!r}") from error
    if sent[:8] != signature.day:
        raise _wrong(f"the credential's day is that of X-Amz-Date, {sent[:8]}, not {signature.day[:80]}")
    now = datetime.fromtimestamp(request.received_ms / 1000, UTC)
    if abs(now - signed_at) > SKEW_MAX:
        late = "has expired" if now > signed_at else "is not yet current"
        raise _wrong(f"the signature {late}: it is of {sent}, and it is {now.strftime(_TIME)} here; set the clock")


def _canonical(request: Request, signature: Signature) -> str:
    """The canonical request. The body's hash is always that of the body, whatever `x-amz-content-sha256` says of it."""
    headers = [f"{name}:{' '.join(request.header(name).split())}\n" for name in signature.signed_headers]
    query = sorted((quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED)) for name, value in request.query)
    parts = (
        request.method,
        # Encoded twice, as by every service but S3. The one stage there is, $default, does not show in the path.
        quote(quote(request.path, safe="/" + _UNRESERVED), safe="/" + _UNRESERVED),
        "&".join(f"{name}={value}" for name, value in query),
        "".join(headers),
        ";".join(signature.signed_headers),
        hashlib.sha256(request.body).hexdigest(),
    )
    return "\n".join(parts)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _incomplete(why: str) -> Unauthenticated:
    return Unauthenticated(why, "incomplete-signature")


def _wrong(why: str) -> Unauthenticated:
    return Unauthenticated(why, "wrong-signature")
