"""X-Ray's PutTraceSegments: POST /TraceSegments, as boto3's `xray` client and the X-Ray daemon send it.

The protocol is AWS's restJson1 with the shapes of the service model xray-2016-04-12. A document that cannot be taken
does not fail the call: it is named in the answer. docs/wire/xray.md has the sources, and the mapping.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.http.aws_errors import CONTENT_TYPE, refused_as_aws
from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.errors import Rejected, SpandrelError, TooLarge, Undecodable
from spandrel.model.limits import SEGMENT_DOCUMENT_CHARACTERS, SEGMENT_DOCUMENTS_MAX, SPANS_MAX
from spandrel.wire.formats import Accepted
from spandrel.wire.otlp_messages import Message

from .body import body_of
from .fields import InvalidSegment
from .segments import Document, is_subsegment, read_document

ID_CHARACTERS_TOLD = 64


def decode(request: Request) -> Accepted:
    texts = body_of(request).get("TraceSegmentDocuments")
    if type(texts) is not list:
        raise Rejected("TraceSegmentDocuments is a list of segment documents, each a text")
    documents: list[Document] = []
    refused: list[Mapping[str, str]] = []
    spans = 0
    for number, found in enumerate(_documents(texts)):
        if number == SEGMENT_DOCUMENTS_MAX:
            raise Rejected(f"one call takes no more than {SEGMENT_DOCUMENTS_MAX:,} segment documents")
        try:
            document = _read(found)
        except InvalidSegment as error:
            refused.append(_unprocessed(found, error))
            continue
        documents.append(document)
        spans += len(document.spans)
        if spans > SPANS_MAX:
            raise TooLarge(f"one call takes no more than {SPANS_MAX:,} segments and subsegments")
    otlp = _request(documents)
    return Accepted(otlp, spans, len(refused), _reason(refused), refused)


def answer(_request: Request, accepted: Accepted) -> Response:
    """PutTraceSegmentsResult."""
    return Response(200, CONTENT_TYPE, json.dumps({"UnprocessedTraceSegments": list(accepted.refused)}).encode())


def refuse(_request: Request, error: SpandrelError) -> Response:
    return refused_as_aws(error)


def _documents(texts: list[Any]) -> Iterator[Any]:
    """Each document, read as JSON, or why it cannot be. A text may hold one, or an array of them."""
    for text in texts:
        found = _json_of(text)
        if type(found) is list and found:
            yield from found
        else:
            yield {} if found == [] else found


def _json_of(text: Any) -> Any:
    if type(text) is str and len(text) > SEGMENT_DOCUMENT_CHARACTERS:
        return InvalidSegment("SegmentTooLarge", subsegment=False)
    try:
        return _json.decode(text)
    except (TypeError, ValueError, RecursionError):
        return InvalidSegment("ParseError", subsegment=False)


def _read(found: Any) -> Document:
    if isinstance(found, InvalidSegment):
        raise found
    if type(found) is not dict:
        raise InvalidSegment("ParseError", subsegment=False)
    try:
        return read_document(found)
    except (Undecodable, RecursionError) as error:
        raise InvalidSegment("ParseError", is_subsegment(found)) from error


def _unprocessed(found: Any, error: InvalidSegment) -> Mapping[str, str]:
    """UnprocessedTraceSegment. The id is the document's also where a subsegment in it is wrong, as the daemon needs."""
    said = found.get("id") if type(found) is dict else None
    known = {"Id": said[:ID_CHARACTERS_TOLD]} if type(said) is str else {}
    return {**known, "ErrorCode": error.code, "Message": str(error)}


def _reason(refused: Iterable[Mapping[str, str]]) -> str:
    return ", ".join(sorted({told["ErrorCode"] for told in refused}))


def _request(documents: list[Document]) -> Message:
    """All spans, those of the same resource together."""
    request = ExportTraceServiceRequest()
    spans_of: dict[tuple[str, bytes], Any] = {}
    for document, service in zip(documents, _services(documents), strict=True):
        key = service, document.resource.SerializeToString()
        if key not in spans_of:
            resource_spans = request.resource_spans.add(resource=document.resource)
            if service:
                resource_spans.resource.attributes.add(key="service.name", value={"string_value": service})
            spans_of[key] = resource_spans.scope_spans.add().spans
        spans_of[key].extend(document.spans)
    return request


def _services(documents: list[Document]) -> list[str]:
    """The service of each document: that of a subsegment which was sent alone is its parent's, if that came with it."""
    if all(document.service is not None for document in documents):
        return [document.service or "" for document in documents]
    holders = {(span.trace_id, span.span_id): document for document in documents for span in document.spans}
    for document in documents:
        _settle(document, holders)
    return [document.service or "" for document in documents]


def _settle(document: Document, holders: Mapping[tuple[bytes, bytes], Document]) -> None:
    """Goes up to a document whose service is known, or to the last there is; then all on the way have that."""
    on_the_way = []
    above: Document | None = document
    while above and above.service is None:
        on_the_way.append(above)
        above.service = ""  # which also ends a circle
        above = holders.get((above.spans[0].trace_id, above.spans[0].parent_span_id))
    for passed in on_the_way:
        passed.service = above.service if above else ""


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number in JSON")


_json = json.JSONDecoder(parse_constant=_no_number)
