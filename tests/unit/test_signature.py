"""Requests with an AWS signature: who is let in, and why the others are not. botocore signs them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from spandrel.http.identity import Identity, identified
from spandrel.http.request import request_of
from spandrel.model.errors import Forbidden, Lacking, Unauthenticated
from spandrel.model.keys import digest_of, looks_like_key, looks_like_pair_id, new_key, new_pair, secret_of
from tests.events import http_event
from tests.signing import NOW, PAIR, PAIR_ID, SECRET, SEED, Pairs, received, signed_headers

BODY = b'{"TraceSegmentDocuments": ["{}"]}'
SHOP = Identity("shop", frozenset({"ingest", "query"}), "daemon")


def lacking(request: object) -> Lacking:
    with pytest.raises(Unauthenticated) as refused:
        identified(request)  # type: ignore[arg-type]
    return refused.value.lacking


def test_who_signs_with_the_pairs_secret_is_let_in() -> None:
    assert identified(received(signed_headers(BODY), BODY)) == SHOP


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "nowhere"])
def test_any_region_will_do(region: str) -> None:
    assert identified(received(signed_headers(region=region))) == SHOP


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("POST", "/TraceSegments", ""),
        ("POST", "/v1/traces", ""),
        ("PUT", "/TelemetryRecords", "b=2&a=x%20y&a=%C3%A9"),
    ],
)
def test_any_request_can_be_signed(method: str, path: str, query: str) -> None:
    headers = signed_headers(method=method, path=f"{path}?{query}" if query else path)
    assert identified(received(headers, method=method, path=path, query=query)) == SHOP


def test_a_session_token_is_no_matter_but_has_to_be_signed() -> None:
    headers = signed_headers(token="a-session-token")
    assert identified(received(headers)) == SHOP
    assert lacking(received({**signed_headers(), "x-amz-security-token": "added"})) == "incomplete-signature"


def test_headers_that_gateways_add_are_no_matter() -> None:
    on_the_way = {"x-forwarded-for": "203.0.113.9", "via": "1.1 proxy", "x-amzn-trace-id": "Root=1-67891233-0"}
    assert identified(received(signed_headers() | on_the_way)) == SHOP


def test_blanks_in_a_signed_header_count_as_one() -> None:
    headers = signed_headers(headers={"user-note": "a   b"})
    assert identified(received({**headers, "user-note": "  a b "})) == SHOP


@pytest.mark.parametrize(
    "changed",
    [
        {"body": BODY + b" "},
        {"body": b""},
        {"path": "/TelemetryRecords"},
        {"method": "PUT"},
        {"query": "a=1"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_whatever_is_changed_after_signing_makes_the_signature_wrong(changed: dict[str, object]) -> None:
    arguments = {"body": BODY, **changed}
    assert lacking(received(signed_headers(BODY), **arguments)) == "wrong-signature"  # type: ignore[arg-type]


@pytest.mark.parametrize("header", ["content-type", "host", "x-amz-date"])
def test_a_signed_header_cannot_be_changed(header: str) -> None:
    headers = signed_headers()
    changed = "20261105T101531Z" if header == "x-amz-date" else headers[header] + "x"
    assert lacking(received({**headers, header: changed})) == "wrong-signature"


def test_a_hash_of_the_body_that_the_client_names_does_not_stand_for_the_body() -> None:
    for said in ("UNSIGNED-PAYLOAD", "0" * 64):
        headers = signed_headers(BODY, headers={"x-amz-content-sha256": said})
        assert lacking(received(headers, BODY)) == "wrong-signature"


def test_another_secret_makes_another_signature() -> None:
    assert lacking(received(signed_headers(secret=SECRET[:-1]))) == "wrong-signature"
    assert lacking(received(signed_headers(secret=SEED))) == "wrong-signature"
    assert lacking(received(signed_headers(secret=""))) == "wrong-signature"


def test_nobody_is_let_in_with_an_id_that_is_not_known() -> None:
    stranger, seed = new_pair()
    assert lacking(received(signed_headers(key_id=stranger, secret=secret_of(stranger, seed)))) == "unknown-key"
    assert lacking(received(signed_headers(key_id="AKIAIOSFODNN7EXAMPLE"))) == "unknown-key"


def test_a_revoked_pair_is_not_known() -> None:
    assert lacking(received(signed_headers(), keys=Pairs(replace(PAIR, revoked="2026-11-06")))) == "unknown-key"


@pytest.mark.parametrize("clock", [timedelta(minutes=-5), timedelta(0), timedelta(minutes=5)])
def test_clocks_may_differ_by_five_minutes(clock: timedelta) -> None:
    assert identified(received(signed_headers(at=NOW + clock))) == SHOP


@pytest.mark.parametrize("clock", [timedelta(minutes=-5, seconds=-1), timedelta(minutes=5, seconds=1)])
def test_a_signature_of_another_time_is_refused_and_the_clock_is_named(clock: timedelta) -> None:
    why = "has expired" if clock < timedelta(0) else "not yet current"
    with pytest.raises(Unauthenticated, match=rf"{why}.*20261105T101530Z here; set the clock"):
        identified(received(signed_headers(at=NOW + clock)))


def test_a_signature_of_yesterday_does_not_become_one_of_today_by_another_date() -> None:
    headers = signed_headers(at=NOW - timedelta(days=1))
    assert lacking(received({**headers, "x-amz-date": "20261105T101530Z"})) == "wrong-signature"


def test_only_signatures_for_xray_count() -> None:
    for service in ("s3", "execute-api"):
        with pytest.raises(Unauthenticated, match="ends in xray/aws4_request"):
            identified(received(signed_headers(service=service)))


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 ",
        "AWS4-HMAC-SHA256 nonsense",
        "AWS4-HMAC-SHA256 Credential={id}",
        "AWS4-HMAC-SHA256 Credential={id}/20261105/eu-central-1/xray/aws4_request",
        "AWS4-HMAC-SHA256 Credential={id}/20261105/xray/aws4_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential={id}/20261105/r/xray/aws4_request, SignedHeaders=, Signature=0",
        "AWS4-HMAC-SHA256 Credential={id}/20261105/r/xray/aws4_request, SignedHeaders=x-amz-date, Signature=0",
        "AWS4-HMAC-SHA256 Credential={id}/20261105/r/xray/aws4_request, SignedHeaders=host, Signature=0",
        "{sent}, Signature=0",
        "{sent},{sent}",
    ],
)
def test_a_signature_that_is_not_complete_is_refused_as_such(authorization: str) -> None:
    headers = signed_headers()
    headers["authorization"] = authorization.format(id=PAIR_ID, sent=headers["authorization"])
    assert lacking(received(headers)) == "incomplete-signature"


@pytest.mark.parametrize("date", [None, "", "2026-11-05T10:15:30Z", "20261105T101530", "20261305T101530Z"])
def test_a_request_without_a_time_is_not_completely_signed(date: str | None) -> None:
    headers = {name: value for name, value in signed_headers().items() if name != "x-amz-date"}
    assert lacking(received(headers if date is None else {**headers, "x-amz-date": date})) == "incomplete-signature"


def test_a_signed_header_that_is_not_there_is_missed() -> None:
    headers = signed_headers(headers={"x-note": "signed"})
    del headers["x-note"]
    assert lacking(received(headers)) == "incomplete-signature"


@pytest.mark.parametrize("signature", ["", "0" * 64, "é" * 64, "A" * 64])
def test_a_made_up_signature_is_wrong(signature: str) -> None:
    headers = signed_headers()
    headers["authorization"] = headers["authorization"].rpartition("=")[0] + "=" + signature
    assert lacking(received(headers)) == "wrong-signature"


def test_a_pair_has_only_its_scopes() -> None:
    reader = replace(PAIR, scopes=("query",))
    with pytest.raises(Forbidden, match="'ingest'"):
        identified(received(signed_headers(), keys=Pairs(reader)))


class TestFailsClosed:
    """What the function makes of a context that it does not understand, or that is not for this request."""

    def test_a_claim_is_nothing_without_the_signature(self) -> None:
        context = dict(received(signed_headers()).authorizer)
        unsigned = http_event(path="/TraceSegments", context=context, body="{}")  # type: ignore[arg-type]
        assert lacking(request_of(unsigned)) == "incomplete-signature"

    @pytest.mark.parametrize("key", ["", "00", "g" * 64, "A" * 64, "0" * 65, "0" * 64])
    def test_a_claim_is_nothing_without_a_signing_key(self, key: str) -> None:
        request = received(signed_headers())
        assert lacking(replace(request, authorizer={**request.authorizer, "signing_key": key})) == "wrong-signature"

    def test_a_claim_without_a_key_is_no_identity(self) -> None:
        request = received(signed_headers())
        context = {name: value for name, value in request.authorizer.items() if name != "signing_key"}
        assert lacking(replace(request, authorizer=context)) == "no-key"

    def test_a_signing_key_makes_no_identity_out_of_names_that_are_no_claim(self) -> None:
        request = received(signed_headers())
        context = {name.removeprefix("claimed_"): value for name, value in request.authorizer.items()}
        assert lacking(replace(request, authorizer=context)) == "no-key"

    def test_a_signing_key_is_of_one_region_and_one_day(self) -> None:
        request = received(signed_headers(region="us-east-1"))
        other = received(signed_headers(region="eu-central-1"))
        assert lacking(replace(request, authorizer=other.authorizer)) == "wrong-signature"

    def test_a_pair_that_is_kept_without_a_seed_opens_nothing(self) -> None:
        headers = signed_headers(secret=secret_of(PAIR_ID, ""))
        assert lacking(received(headers, keys=Pairs(replace(PAIR, seed="")))) == "unknown-key"


def test_the_authorizer_hands_on_neither_the_secret_nor_the_seed() -> None:
    told = " ".join(map(str, received(signed_headers()).authorizer.values()))
    assert SECRET not in told
    assert SEED not in told


def test_a_request_that_cannot_be_right_is_not_looked_up() -> None:
    keys = Pairs(PAIR)
    received(signed_headers(at=NOW - timedelta(hours=1)), keys=keys)
    received(signed_headers(service="s3"), keys=keys)
    received(signed_headers(key_id="AKIAIOSFODNN7EXAMPLE"), keys=keys)
    assert keys.asked == []


def test_the_id_of_a_pair_is_no_key() -> None:
    keys = Pairs(PAIR)
    for headers in ({"x-api-key": PAIR_ID}, {"authorization": f"Bearer {PAIR_ID}"}, {"x-api-key": SECRET}):
        assert lacking(received(headers, keys=keys)) == "unknown-key"
    assert keys.asked == []
    assert not looks_like_key(PAIR_ID)


def test_an_ordinary_key_counts_before_a_signature() -> None:
    key = new_key()
    kept = replace(PAIR, digest=digest_of(key), tenant="other", seed="")
    assert identified(received({**signed_headers(), "x-api-key": key}, keys=Pairs(kept))).tenant == "other"


class TestOpenTenant:
    """A developer's machine, where requests without a key have a tenant."""

    def test_signatures_of_others_are_not_looked_at(self) -> None:
        headers = signed_headers(key_id="AKIAIOSFODNN7EXAMPLE", secret="whatever", service="s3")
        assert identified(received(headers, open_tenant="default")).tenant == "default"

    def test_a_pair_of_ours_still_counts(self) -> None:
        assert identified(received(signed_headers(), open_tenant="default")) == SHOP
        assert lacking(received(signed_headers(secret="wrong"), open_tenant="default")) == "wrong-signature"
        assert lacking(received(signed_headers(), keys=Pairs(), open_tenant="default")) == "unknown-key"


def test_a_pair_looks_like_one_of_aws_and_is_random() -> None:
    pairs = [new_pair() for _ in range(100)]
    assert len({pair_id for pair_id, _ in pairs}) == len({seed for _, seed in pairs}) == 100
    for pair_id, seed in pairs:
        assert looks_like_pair_id(pair_id)
        assert 16 <= len(pair_id) <= 128
        assert len(secret_of(pair_id, seed)) == 43
    for other in ("", PAIR_ID[:-1], PAIR_ID + "A", PAIR_ID.lower(), PAIR_ID + "\n", "AKIA" + PAIR_ID[4:]):
        assert not looks_like_pair_id(other)


def test_the_secret_follows_from_the_id_and_the_seed_together() -> None:
    other_id, other_seed = new_pair()
    assert len({secret_of(PAIR_ID, SEED), secret_of(other_id, SEED), secret_of(PAIR_ID, other_seed)}) == 3
