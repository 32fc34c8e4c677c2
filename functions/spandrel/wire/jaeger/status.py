"""What Jaeger's tags say of how a span ended -> OTLP's status (collector-contrib, pkg/translator/jaeger)."""

from __future__ import annotations

from spandrel.model import jaeger
from spandrel.wire.attributes import Value, whole_number

UNSET, OK, ERROR = 0, 1, 2
SERVER = jaeger.KINDS["server"]
CODES = {"UNSET": UNSET, "OK": OK, "ERROR": ERROR}
HTTP_CODE_TAG, HTTP_MESSAGE_TAG = "http.status_code", "http.status_message"


def take_status(tags: dict[str, Value], kind: int) -> tuple[int, str]:
    """Code and message; those of the tags that say nothing else are taken out.

    `error`, if it is the boolean true, beats `otel.status_code`, which beats the status code of HTTP.
    """
    if tags.get(jaeger.ERROR_TAG) is True:
        del tags[jaeger.ERROR_TAG]
        tags.pop(jaeger.STATUS_CODE_TAG, None)
        return ERROR, _taken_message(tags) or _text(tags, HTTP_MESSAGE_TAG)
    if jaeger.STATUS_CODE_TAG in tags:
        return _taken_code(tags), _taken_message(tags)
    if _failed(whole_number(tags.get(HTTP_CODE_TAG)), kind):
        return ERROR, _text(tags, HTTP_MESSAGE_TAG)
    return UNSET, ""


def _failed(http_code: int | None, kind: int) -> bool:
    """For a server, 4xx is its client's fault (OpenTelemetry's semantic conventions, "HTTP", "Status")."""
    return http_code is not None and http_code >= (500 if kind == SERVER else 400)


def _taken_code(tags: dict[str, Value]) -> int:
    code = CODES.get(_text(tags, jaeger.STATUS_CODE_TAG).upper())
    if code is None:
        return UNSET  # and the tag stays, because nothing else says what it does
    del tags[jaeger.STATUS_CODE_TAG]
    return code


def _taken_message(tags: dict[str, Value]) -> str:
    message = _text(tags, jaeger.STATUS_MESSAGE_TAG)
    if message:
        del tags[jaeger.STATUS_MESSAGE_TAG]
    return message


def _text(tags: dict[str, Value], tag: str) -> str:
    value = tags.get(tag)
    return value if isinstance(value, str) else ""
