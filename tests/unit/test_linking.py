"""Calls as SQL finds them, against the rules in plain Python, and against the answers that Zipkin gave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spandrel.model.links import MARKED, VIAS, Link, Via
from spandrel.query.dependencies import links
from tests.archive import Archive, archive_in
from tests.builders import RECEIVED_NS
from tests.linking import CLIENT, CONSUMER, HOUR_NS, INTERNAL, PRODUCER, SERVER, UNSPECIFIED, Sent, calls_in, distinct
from tests.linking import links_of as links_by_rule
from tests.sent import request_for, spans, told_apart


def found(archive: Archive, vias: Sequence[Via] = VIAS) -> dict[tuple[str, str], tuple[int, int]]:
    window = (RECEIVED_NS - 24 * HOUR_NS, RECEIVED_NS + 24 * HOUR_NS)
    return pairs(links(archive.reading(), *window, vias))


def pairs(found_links: Iterable[Link]) -> dict[tuple[str, str], tuple[int, int]]:
    return {(link.parent, link.child): (link.calls, link.errors) for link in found_links}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(spans(), min_size=1, max_size=12).map(told_apart))
def test_calls_are_those_of_the_rules(drawn: list[Sent]) -> None:
    with TemporaryDirectory() as folder, archive_in(Path(folder)) as archive:
        archive.add(*map(request_for, drawn))
        assert found(archive) == links_by_rule(calls_in(distinct(drawn)))


@settings(max_examples=8, deadline=None)
@given(st.lists(spans(), min_size=1, max_size=8).map(told_apart), st.sampled_from(VIAS))
def test_calls_can_be_asked_for_by_how_they_are_known(drawn: list[Sent], via: Via) -> None:
    with TemporaryDirectory() as folder, archive_in(Path(folder)) as archive:
        archive.add(*map(request_for, drawn))
        expected = [call for call in calls_in(distinct(drawn)) if call.via == via]
        assert found(archive, [via]) == links_by_rule(expected)


def of(number: int, parent: int, kind: int, service: str, peer: str = "", *, failed: bool = False) -> Sent:
    named = {"service.peer.name": peer} if peer else {}
    return Sent(number, parent, 1, kind, service, start_ns=RECEIVED_NS, failed=failed, attributes=named)


# Spans -> links, as Zipkin's own DependencyLinker makes them of the same spans.
ZIPKIN_CASES: dict[str, tuple[list[Sent], dict[tuple[str, str], tuple[int, int]]]] = {
    "a chain of calls whose server shares its client's id": (
        [
            of(1, 0, SERVER, "web"),
            of(2, 1, CLIENT, "web", "app"),
            of(2, 1, SERVER, "app", "web"),
            of(3, 2, CLIENT, "app", "db", failed=True),
        ],
        {("web", "app"): (1, 0), ("app", "db"): (1, 1)},
    ),
    "a shared server that does not know its parent": (
        [of(1, 0, SERVER, "arn"), of(2, 1, CLIENT, "arn", "link"), of(2, 0, SERVER, "link", "arn")],
        {("arn", "link"): (1, 0)},
    ),
    "a server that never sent its span, below a client that does not know its parent": (
        [of(1, 0, SERVER, "web"), of(2, 0, CLIENT, "web", "app"), of(3, 2, CLIENT, "app", "db", failed=True)],
        {("web", "app"): (1, 0), ("app", "db"): (1, 1)},
    ),
    "a producer without a broker": (
        [of(1, 0, PRODUCER, "a"), of(2, 1, CONSUMER, "b", "kafka")],
        {("kafka", "b"): (1, 0)},
    ),
    "a consumer without a broker": (
        [of(1, 0, PRODUCER, "a", "kafka"), of(2, 1, CONSUMER, "b")],
        {("a", "kafka"): (1, 0)},
    ),
    "one broker": (
        [of(1, 0, PRODUCER, "a", "kafka"), of(2, 1, CONSUMER, "b", "kafka")],
        {("a", "kafka"): (1, 0), ("kafka", "b"): (1, 0)},
    ),
    "two brokers": (
        [of(1, 0, PRODUCER, "a", "kafka1"), of(2, 1, CONSUMER, "b", "kafka2")],
        {("a", "kafka1"): (1, 0), ("kafka2", "b"): (1, 0)},
    ),
    "no broker": ([of(1, 0, PRODUCER, "a"), of(2, 1, CONSUMER, "b")], {}),
    "a server below a producer": ([of(1, 0, PRODUCER, "a"), of(2, 1, SERVER, "b")], {("a", "b"): (1, 0)}),
    "a server under a producer's id": ([of(1, 0, PRODUCER, "a"), of(1, 0, SERVER, "b")], {("a", "b"): (1, 0)}),
    "a consumer below a client": ([of(1, 0, CLIENT, "a"), of(2, 1, CONSUMER, "b")], {}),
    "a server that names its client": ([of(1, 0, SERVER, "b", "a")], {("a", "b"): (1, 0)}),
    "a client that names its server": ([of(1, 0, CLIENT, "a", "b")], {("a", "b"): (1, 0)}),
    "clients without a service": (
        [of(1, 0, SERVER, "a"), of(2, 1, CLIENT, "", "b"), of(3, 1, CLIENT, "", "b")],
        {("a", "b"): (2, 0)},
    ),
    "both sides sent spans": ([of(1, 0, CLIENT, "a"), of(2, 1, SERVER, "b")], {("a", "b"): (1, 0)}),
    "both sides failed": (
        [of(1, 0, CLIENT, "a", failed=True), of(2, 1, SERVER, "b", failed=True)],
        {("a", "b"): (1, 1)},
    ),
    "the client alone failed": ([of(1, 0, CLIENT, "a", failed=True), of(2, 1, SERVER, "b")], {("a", "b"): (1, 1)}),
    "two servers of one client": (
        [of(1, 0, CLIENT, "a", "x"), of(2, 1, SERVER, "b", "a", failed=True), of(3, 1, SERVER, "b", "a")],
        {("a", "b"): (2, 1)},
    ),
    "clients of another service below a span that nobody owns": (
        [of(1, 0, SERVER, "a"), of(2, 1, UNSPECIFIED, ""), of(3, 2, CLIENT, "b", failed=True), of(4, 2, CLIENT, "b")],
        {("a", "b"): (2, 0)},
    ),
    "the same, and they name whom they call": (
        [
            of(1, 0, SERVER, "a"),
            of(2, 1, UNSPECIFIED, ""),
            of(3, 2, CLIENT, "b", "c", failed=True),
            of(4, 2, CLIENT, "b", "c"),
        ],
        {("a", "b"): (2, 0), ("b", "c"): (2, 1)},
    ),
    "an orphan that failed": ([of(3, 2, CLIENT, "a", "b", failed=True)], {("a", "b"): (1, 1)}),
    "a server that calls itself": ([of(1, 0, SERVER, "a", "a")], {("a", "a"): (1, 0)}),
    "a client that calls itself": ([of(1, 0, CLIENT, "a", "a")], {("a", "a"): (1, 0)}),
    "spans of no kind that name both sides": (
        [
            of(1, 0, UNSPECIFIED, "a", "b"),
            of(2, 1, UNSPECIFIED, "b", "c", failed=True),
            of(3, 2, UNSPECIFIED, "c", "d"),
        ],
        {("a", "b"): (1, 0), ("b", "c"): (1, 1), ("c", "d"): (1, 0)},
    ),
    "a server without names": ([of(1, 0, SERVER, "")], {}),
    "a server without a client": ([of(1, 0, SERVER, "b")], {}),
    "a server without a service": ([of(1, 0, SERVER, "", "a")], {}),
    "a client without a server": ([of(1, 0, CLIENT, "a")], {}),
    "a client without a service": ([of(1, 0, CLIENT, "", "b")], {}),
    "servers of one parent that is not there": ([of(2, 1, SERVER, "a"), of(3, 1, SERVER, "b")], {}),
    "a server below an orphan": ([of(2, 1, SERVER, "a"), of(3, 2, SERVER, "b")], {("a", "b"): (1, 0)}),
    "a call of which neither side sent a span": ([of(1, 0, SERVER, "a"), of(2, 1, CLIENT, "b")], {("a", "b"): (1, 0)}),
}


@pytest.mark.parametrize("case", ZIPKIN_CASES)
def test_links_are_those_that_zipkin_makes(archive: Archive, case: str) -> None:
    sent, expected = ZIPKIN_CASES[case]
    archive.add(*map(request_for, sent))
    assert found(archive, MARKED) == expected


@pytest.mark.parametrize(
    ("kind", "attributes", "link"),
    [
        (CLIENT, {"db.system.name": "postgresql", "server.address": "db-1.local"}, ("web", "postgresql", "database")),
        (CLIENT, {"db.system": "mysql", "peer.service": "orders-db"}, ("web", "orders-db", "database")),
        (CLIENT, {"messaging.system": "aws_sqs"}, ("web", "aws_sqs", "message")),
        (CLIENT, {"server.address": "api.stripe.com"}, ("web", "api.stripe.com", "peer")),
        (CLIENT, {"net.peer.name": "api.stripe.com"}, ("web", "api.stripe.com", "peer")),
        (CLIENT, {"server.address": "10.1.2.3"}, None),
        (CLIENT, {"server.address": "2001:db8::1"}, None),
        (PRODUCER, {"messaging.system": "kafka"}, ("web", "kafka", "message")),
        (CONSUMER, {"messaging.system": "kafka"}, ("kafka", "web", "message")),
        (CONSUMER, {"server.address": "kafka-1.local"}, None),
        (SERVER, {"peer.service": "browser"}, ("browser", "web", "peer")),
        (SERVER, {"server.address": "shop.example.com"}, None),
        (INTERNAL, {"peer.service": "cart"}, None),
        (UNSPECIFIED, {"peer.service": "cart"}, ("web", "cart", "peer")),
        (CLIENT, {"service.peer.name": "", "peer.service": "cart"}, ("web", "cart", "peer")),
    ],
)
def test_who_sent_nothing_is_known_by_attributes_of_the_other_side(
    archive: Archive, kind: int, attributes: dict[str, str], link: tuple[str, str, Via] | None
) -> None:
    archive.add(request_for(Sent(1, kind=kind, service="web", start_ns=RECEIVED_NS, attributes=attributes)))
    assert found(archive) == ({link[:2]: (1, 0)} if link else {})
    if link:
        assert found(archive, [link[2]]) == {link[:2]: (1, 0)}


def test_a_peer_is_found_in_the_rest_as_in_a_column(archive: Archive) -> None:
    crowd = {f"key{number}": "value" for number in range(200)}
    crowded = request_for(Sent(1, kind=CLIENT, service="web", start_ns=RECEIVED_NS, attributes=crowd))
    for number in range(2, 5):  # so that these keys are more frequent than the peer's
        crowded.MergeFrom(request_for(Sent(number, kind=CLIENT, service="web", start_ns=RECEIVED_NS, attributes=crowd)))
    named = request_for(
        Sent(9, kind=CLIENT, service="web", start_ns=RECEIVED_NS, attributes={"zz.top": "1", "peer.service": "cart"})
    )
    archive.add(crowded, named)
    assert found(archive) == {("web", "cart"): (1, 0)}


def test_spans_more_than_an_hour_apart_have_nothing_to_do_with_one_another(archive: Archive) -> None:
    archive.add(request_for(Sent(1, service="web", start_ns=RECEIVED_NS - HOUR_NS)))
    archive.add(request_for(Sent(2, parent=1, service="cart", start_ns=RECEIVED_NS)))
    archive.add(request_for(Sent(3, parent=1, service="stock", start_ns=RECEIVED_NS + 1)))
    assert found(archive) == {("web", "cart"): (1, 0)}
