"""Blocks of each format version, kept as they were written, with the OTLP that they hold beside them.

    python -m tests.golden_blocks

writes those of the present version below tests/golden/blocks, where there is none of that name yet. One that is there
is never written anew: it stands for blocks that somebody has in a bucket. To be run once for each new version of the
format, and where a version comes to hold what none of its golden blocks has.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, EntityRef, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.blocks.merge import draft_of, merged
from spandrel.blocks.naming import FORMAT_VERSION
from spandrel.blocks.source import Source
from spandrel.blocks.writer import WrittenBlock, write_blocks
from tests.builders import RECEIVED_NS, key_value, request_of, span

FOLDER = Path(__file__).parent / "golden" / "blocks"
ATTRIBUTES = {
    "string": "naïve ⻩ 💩\0",
    "empty": "",
    "int": -(2**63),
    "double": 1e300,
    "zero": -0.0,
    "bool": False,
    "bytes": b"\x00\xff",
    "strings": ["a", ""],
    "ints": [1, 2**63 - 1],
    "doubles": [0.5, float("inf")],
    "bools": [True, False],
    "mixed": [1, "one", None],
    "nested": {"a": {"b": [1, {"c": b"\x01"}]}},
    "nothing": None,
    "userId": "with a capital",
    "^caret": "with the mark of capitals",
    "": "without a key",
    "k" * 300: "with a long key",
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, request, block in blocks():
        path = FOLDER / f"v{FORMAT_VERSION}-{name}.parquet"
        if not path.exists():
            path.write_bytes(block.body)
            path.with_suffix(".json").write_text(MessageToJson(request, indent=1) + "\n")
            print(f"wrote {path.name}")


def blocks() -> Iterator[tuple[str, ExportTraceServiceRequest, WrittenBlock]]:
    """(name, the request, its block): all that OTLP can say, the least that it can say, and a merge of both."""
    everything, least = _everything(), ExportTraceServiceRequest()
    scope_spans = least.resource_spans.add().scope_spans.add()
    scope_spans.spans.append(Span(trace_id=b"\x02" * 16, span_id=b"\x02" * 8, start_time_unix_nano=RECEIVED_NS))
    both = ExportTraceServiceRequest(resource_spans=[*everything.resource_spans, *least.resource_spans])
    written = [_written("everything", everything), _written("least", least)]
    yield "everything", everything, written[0]
    yield "least", least, written[1]
    yield "merged", both, _merged(written)


def _written(name: str, request: ExportTraceServiceRequest) -> WrittenBlock:
    (block,) = write_blocks("shop", [request.SerializeToString()], RECEIVED_NS, name)
    return block


def _merged(written: list[WrittenBlock]) -> WrittenBlock:
    entries = [block.entry for block in written]
    sources = [Source(block.entry, block.body) for block in written]
    (block,) = merged(sources, lambda number: draft_of(entries, 1, "merged", number))
    return block


def _everything() -> ExportTraceServiceRequest:
    event = Span.Event(time_unix_nano=RECEIVED_NS, name="event", dropped_attributes_count=2)
    event.attributes.extend(key_value(key, value) for key, value in ATTRIBUTES.items())
    link = Span.Link(trace_id=b"\x03" * 16, span_id=b"\x03" * 8, trace_state="a=b", flags=257)
    link.attributes.extend(key_value(key, value) for key, value in ATTRIBUTES.items())
    whole = span(
        "everything",
        parent=b"\x04" * 8,
        kind=Span.SPAN_KIND_SERVER,
        attributes=ATTRIBUTES,
        trace_state="vendor=value",
        flags=257,
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=2**32 - 1,
        events=[event, Span.Event()],
        links=[link, Span.Link()],
        status=Status(code=Status.STATUS_CODE_ERROR, message="failed"),
    )
    whole.attributes.append(KeyValue(key="twice", value=AnyValue(string_value="first")))
    whole.attributes.append(KeyValue(key="twice", value=AnyValue(int_value=2)))
    backwards = span("ends before it starts", duration_ns=-5, attributes={"int": "of another type"})
    request = request_of(whole, backwards, resource=ATTRIBUTES)
    resource_spans = request.resource_spans[0]
    resource_spans.schema_url = "https://opentelemetry.io/schemas/1.27.0"
    resource_spans.resource.dropped_attributes_count = 3
    resource_spans.resource.entity_refs.append(EntityRef(type="service", id_keys=["service.name"]))
    scope = resource_spans.scope_spans[0]
    scope.schema_url = "https://opentelemetry.io/schemas/1.26.0"
    scope.scope.version = "0.9"
    scope.scope.dropped_attributes_count = 4
    scope.scope.attributes.extend(key_value(key, value) for key, value in ATTRIBUTES.items())
    return request


if __name__ == "__main__":
    main()
