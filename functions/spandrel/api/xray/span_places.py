"""Where the spans of a trace stand, for spans that are at hand: what `positions` asks of spans that are not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from spandrel.api.spans import Resource, Span
from spandrel.blocks.ends import PEER_KEYS
from spandrel.model.spans import KINDS

from .outcome import first_text
from .services import CALLED_TYPES, NAMESPACE, ORIGIN, ORIGINS, REMOTE_TYPE

SERVING = frozenset({KINDS["server"], KINDS["consumer"]})
CALLING = frozenset({KINDS["client"], KINDS["producer"]})


@dataclass(frozen=True, slots=True)
class ServiceId:
    """A service of a service graph. Empty texts are what is not known; `inferred`: it sent nothing itself."""

    name: str
    type: str
    account: str
    inferred: bool = False

    @property
    def members(self) -> dict[str, object]:
        """As X-Ray writes it."""
        told: dict[str, object] = {"Name": self.name, "Names": [self.name]}
        told |= {"Type": self.type} if self.type else {}
        return told | ({"AccountId": self.account} if self.account else {})


@dataclass(slots=True, eq=False)
class Placed:
    """A span in its trace, with the spans above and below it that are there, and whose it is: a subsegment that was
    sent alone is of the service under which it was sent.
    """

    span: Span
    service: ServiceId
    parent: Placed | None = None
    children: list[Placed] = field(default_factory=list)

    @property
    def serves(self) -> bool:
        """It is a segment for certain; an entry is one whatever its kind."""
        return self.span.kind in SERVING

    @property
    def called(self) -> ServiceId | None:
        """The service that it calls, where that sent no segment for it."""
        if self.span.kind not in CALLING or any(child.serves for child in self.children):
            return None
        attributes = self.span.attributes
        name = first_text(attributes, PEER_KEYS) or self.span.name
        return ServiceId(name, _called_type(self.span), "", inferred=True) if name else None


def placed(spans: Iterable[Span]) -> list[Placed]:
    """The spans of one trace. Of several spans under one id, as Zipkin's clients and servers have it, children stand
    below the last one; where parents go in a circle, the circle is cut at its first span.
    """
    known: dict[int, ServiceId] = {}
    found = [Placed(span, known.setdefault(id(span.resource), _service_of(span.resource))) for span in spans]
    by_id = {one.span.span_id: one for one in found}
    for one in found:
        parent = by_id.get(one.span.parent_id)
        if parent is not None and parent is not one:
            one.parent = parent
            parent.children.append(one)
    reached: set[int] = set()
    for one in (*entries(found), *found):
        if id(one) not in reached:
            if one.parent is not None:
                one.parent.children.remove(one)
                one.parent = None
            _reach(one, reached)
    return found


def entries(spans: Sequence[Placed]) -> list[Placed]:
    """Those whose parents are not there, the earliest first."""
    return sorted((one for one in spans if one.parent is None), key=lambda one: (one.span.start_ns, one.span.span_id))


def services(spans: Iterable[Placed]) -> list[ServiceId]:
    """Each once, in the order of their first spans."""
    found: dict[ServiceId, None] = {}
    for one in spans:
        if one.service.name:
            found[one.service] = None
        if called := one.called:
            found[called] = None
    return list(found)


def _reach(top: Placed, reached: set[int]) -> None:
    """Everything below it, which is of its service where nothing else is said."""
    todo = [top]
    while todo:
        one = todo.pop()
        reached.add(id(one))
        if not one.service.name and one.parent is not None:
            one.service = one.parent.service
        todo += one.children


def _service_of(resource: Resource) -> ServiceId:
    attributes = resource.attributes
    kind = first_text(attributes, (ORIGIN,)) or ORIGINS.get(first_text(attributes, ("cloud.platform",)), "")
    return ServiceId(resource.service, kind, first_text(attributes, ("cloud.account.id",)))


def _called_type(span: Span) -> str:
    attributes = span.attributes
    if attributes.get(NAMESPACE) == "aws" or attributes.get("rpc.system") == "aws-api":
        name = first_text(attributes, ("service.peer.name", "rpc.service"))
        return CALLED_TYPES.get(name, f"AWS::{name}") if name else ""
    return REMOTE_TYPE if span.kind == KINDS["client"] else ""
