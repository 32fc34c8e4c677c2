"""A small shop whose services are instrumented as users do it: a tracer provider each, context passed on."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_trace_id, set_span_in_context

SERVICES = ("frontend", "cart", "checkout", "payment", "shipping", "recommendation")
MS = 10**6
SLOW_ORDERS = 0.06  # of all orders wait for the bank
DECLINED_ORDERS = 0.08


@dataclass
class Clock:
    """Where a trace is in time: spans are given their times, so that a day of shopping takes a second to send."""

    now_ns: int

    def wait(self, ms: float) -> None:
        self.now_ns += int(ms * MS)


class Shop:
    """Places orders; each is a trace. `spans` counts what was sent, `slowest` is the id of the slowest trace."""

    def __init__(self, endpoint: str, headers: dict[str, str], draw: random.Random) -> None:
        self._draw = draw
        self._providers = {name: _provider(name, endpoint, headers) for name in SERVICES}
        self.spans = 0
        self.slowest = ""
        self._slowest_ns = 0

    def open_for(self, orders: int, until_ns: int | None = None) -> list[str]:
        """Places so many orders over the last minutes, the last of them now; gives their trace ids. All are sent."""
        end_ns = until_ns or time.time_ns()
        trace_ids = [self._order(end_ns - (orders - number) * 3000 * MS) for number in range(orders)]
        for provider in self._providers.values():
            provider.shutdown()
        return trace_ids

    def _order(self, start_ns: int) -> str:
        clock = Clock(start_ns)
        with self._span("frontend", "POST /order", clock, SpanKind.SERVER, None, **_http("POST", "/order")) as root:
            self._recommend(clock, root)
            self._read_cart(clock, root)
            if not self._check_out(clock, root):
                _fail(root, "payment declined")
        trace_id = format_trace_id(root.get_span_context().trace_id)
        if clock.now_ns - start_ns > self._slowest_ns:
            self._slowest_ns, self.slowest = clock.now_ns - start_ns, trace_id
        return trace_id

    def _recommend(self, clock: Clock, parent: Span) -> None:
        with self._call("frontend", "recommendation", "GET /recommendations", clock, parent) as server:
            server.set_attribute("app.products", [f"sku-{self._draw.randrange(100)}" for _ in range(3)])
            clock.wait(self._draw.lognormvariate(1, 0.5))

    def _read_cart(self, clock: Clock, parent: Span) -> None:
        with self._call("frontend", "cart", "GET /cart/{id}", clock, parent) as server:
            redis = {"db.system.name": "redis", "db.operation.name": "HGETALL", "server.address": "redis.shop"}
            with self._span("cart", "HGETALL", clock, SpanKind.CLIENT, server, **redis):
                clock.wait(self._draw.lognormvariate(0, 0.4))

    def _check_out(self, clock: Clock, parent: Span) -> bool:
        with self._call("frontend", "checkout", "POST /checkout", clock, parent) as server:
            server.set_attribute("user.id", f"user-{self._draw.randrange(1000)}")
            paid = self._pay(clock, server)
            if paid:
                self._write_order(clock, server)
                self._ship(clock, server)
            else:
                _fail(server, "payment declined")
            return paid

    def _pay(self, clock: Clock, parent: Span) -> bool:
        with self._call("checkout", "payment", "POST /charge", clock, parent) as server:
            bank = _http("POST", "/v2/charges") | {"server.address": "api.bank.example", "server.port": 443}
            with self._span("payment", "POST", clock, SpanKind.CLIENT, server, **bank) as client:
                clock.wait(self._draw.lognormvariate(3, 0.4))
                if self._draw.random() < SLOW_ORDERS:
                    client.add_event("retry", {"retry.attempt": 1}, timestamp=clock.now_ns)
                    clock.wait(self._draw.uniform(2000, 4000))
            if self._draw.random() >= DECLINED_ORDERS:
                return True
            declined = {"exception.type": "CardDeclined", "exception.message": "insufficient funds"}
            server.add_event("exception", declined, timestamp=clock.now_ns)
            _fail(server, "insufficient funds")
            return False

    def _write_order(self, clock: Clock, parent: Span) -> None:
        query = "INSERT INTO orders (user_id, total) VALUES ($1, $2)"
        postgres = {"db.system.name": "postgresql", "db.query.text": query, "server.address": "postgres.shop"}
        with self._span("checkout", "INSERT orders", clock, SpanKind.CLIENT, parent, **postgres):
            clock.wait(self._draw.lognormvariate(1.5, 0.5))

    def _ship(self, clock: Clock, parent: Span) -> None:
        kafka = {"messaging.system": "kafka", "messaging.destination.name": "orders"}
        with self._span("checkout", "orders publish", clock, SpanKind.PRODUCER, parent, **kafka) as producer:
            clock.wait(1)
        clock.wait(self._draw.uniform(1, 20))
        with self._span("shipping", "orders process", clock, SpanKind.CONSUMER, producer, **kafka):
            clock.wait(self._draw.lognormvariate(2, 0.5))

    @contextmanager
    def _call(self, caller: str, callee: str, name: str, clock: Clock, parent: Span) -> Iterator[Span]:
        """A request over HTTP: the client's span and in it the server's, of which the body is."""
        method, path = name.split(" ")
        client = _http(method, path) | {"server.address": f"{callee}.shop", "server.port": 8080}
        with self._span(caller, method, clock, SpanKind.CLIENT, parent, **client) as outgoing:
            clock.wait(0.3)
            with self._span(callee, name, clock, SpanKind.SERVER, outgoing, **_http(method, path)) as server:
                yield server
            clock.wait(0.3)

    @contextmanager
    def _span(
        self, service: str, name: str, clock: Clock, kind: SpanKind, parent: Span | None, **attributes: str | int
    ) -> Iterator[Span]:
        tracer = self._providers[service].get_tracer("spandrel.demo")
        context = set_span_in_context(parent) if parent else None
        span = tracer.start_span(name, context, kind, attributes, start_time=clock.now_ns)
        self.spans += 1
        yield span
        span.end(clock.now_ns)


def _http(method: str, route: str) -> dict[str, str | int]:
    return {"http.request.method": method, "http.route": route, "url.scheme": "http"}


def _fail(span: Span, reason: str) -> None:
    span.set_status(Status(StatusCode.ERROR, reason))


def _provider(service: str, endpoint: str, headers: dict[str, str]) -> TracerProvider:
    resource = Resource.create(
        {"service.name": service, "service.version": "1.4.2", "deployment.environment.name": "demo"}
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, headers=headers, timeout=30)))
    return provider
