"""Descriptions of APIs -> one document of OpenAPI 3.1 (spec.openapis.org/oas/v3.1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .described import Answer, Body, Content, Described, Operation, Parameter
from .schemas import Schema

VERSION = "3.1.0"
Json = dict[str, Any]

SCHEMES: Mapping[str, Schema] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`"},
    "basic": {"type": "http", "scheme": "basic", "description": "the key is the password; the user may be anything"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "googApiKey": {"type": "apiKey", "in": "header", "name": "x-goog-api-key", "description": "as Google's clients do"},
    "awsSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "AWS Signature Version 4 for the service `xray`, by a key pair (`./spandrel key create --xray`)",
    },
}
ABOUT_STATUS: Mapping[int, str] = {
    303: "The answer is too large for a function: it lies at `location` for a while.",
    400: "What is asked or sent cannot be understood, or is more than one request may ask.",
    401: "A key is needed, or this one is not known.",
    403: "The key lacks the scope, or there is none that is known.",
    404: "There is no such thing.",
    405: "The path takes other methods.",
    413: "The body is too large.",
    415: "The body's type or encoding is none that is taken.",
    429: "Too much at this moment: try again when `retry-after` says.",
    500: "Something is broken here.",
    503: "It cannot be answered at this moment: try again when `retry-after` says.",
}
ALWAYS = (429, 500, 503)
HEADERS_OF_STATUS: Mapping[int, Mapping[str, str]] = {
    303: {"location": "where the answer lies"},
    401: {"www-authenticate": "how to send a key"},
    405: {"allow": "the methods that the path takes"},
    429: {"retry-after": "seconds"},
    503: {"retry-after": "seconds"},
}


def document(described: Iterable[Described], title: str, about: str, version: str) -> Json:
    """All APIs in one document. Addresses are relative to where it was fetched."""
    apis = list(described)
    paths: dict[str, Json] = {}
    for api in apis:
        for operation in api.operations:
            at = paths.setdefault(operation.address, {})
            at[operation.method.lower()] = _operation(api, operation, operation.method)
            if api.answers_head and operation.method == "GET":
                at["head"] = _operation(api, operation, "HEAD")
    return {
        "openapi": VERSION,
        "info": {"title": title, "summary": about, "version": version},
        "servers": [{"url": "/"}],
        "tags": [{"name": api.name, "description": api.about} for api in apis],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {name: schema for api in apis for name, schema in api.schemas.items()},
            "responses": {
                _refusal_name(api, status): _refusal(api, status)
                for api in apis
                for status in sorted({status for one in api.operations for status in _refusals(api, one)})
            },
            "securitySchemes": SCHEMES,
        },
    }


def _operation(api: Described, operation: Operation, method: str) -> Json:
    told: Json = {
        "tags": [api.name],
        "operationId": _operation_id(method, operation.address),
        "summary": operation.summary,
        "responses": _responses(api, operation, with_body=method != "HEAD"),
        "security": [{scheme: [api.scope]} for scheme in api.schemes] if api.scope else [],
    }
    if operation.parameters:
        told["parameters"] = list(map(_parameter, operation.parameters))
    if operation.body:
        told["requestBody"] = _body(operation.body)
    return told


def _operation_id(method: str, address: str) -> str:
    return "_".join([method.lower(), *re.findall(r"\w+", address.replace(".", "_"))])


def _parameter(parameter: Parameter) -> Json:
    also = f" Also `{'`, `'.join(parameter.aliases)}`." if parameter.aliases else ""
    schema = {"type": "array", "items": parameter.schema} if parameter.repeated else parameter.schema
    told: Json = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.about + also,
        "schema": schema,
    }
    if parameter.required:
        told["required"] = True
    if parameter.example is not None:
        told["example"] = [parameter.example] if parameter.repeated else parameter.example
    return told


def _body(body: Body) -> Json:
    content = _content(body.content)
    if body.example is not None:
        content[next(iter(body.content))]["example"] = body.example
    about = {"description": body.about} if body.about else {}
    return {"required": body.required, "content": content, **about}


def _responses(api: Described, operation: Operation, *, with_body: bool) -> Json:
    told = {str(one.status): _answer(one, with_body=with_body) for one in (operation.answer, *operation.others)}
    for status in _refusals(api, operation):
        refusal = {"$ref": f"#/components/responses/{_refusal_name(api, status)}"}
        told.setdefault(str(status), refusal if with_body else _without_body(status))
    return dict(sorted(told.items()))


def _answer(answer: Answer, *, with_body: bool) -> Json:
    told: Json = {"description": answer.about}
    if with_body and answer.content:
        told["content"] = _content(answer.content)
    if answer.headers:
        told["headers"] = _headers(answer.headers)
    return told


def _refusals(api: Described, operation: Operation) -> list[int]:
    """The statuses with which it may be refused, or sent elsewhere."""
    found = {*ALWAYS, *operation.refuses}
    if operation.parameters or operation.body:
        found.add(400)
    if operation.body:
        found |= {413, 415}
    if api.scope:
        found |= {403, api.unknown_key}
    if api.large_answers:
        found.add(303)
    return sorted(found)


def _refusal(api: Described, status: int) -> Json:
    told = _without_body(status)
    return told if status == 303 else told | {"content": _content(api.refusal)}


def _without_body(status: int) -> Json:
    headers = HEADERS_OF_STATUS.get(status)
    return {"description": ABOUT_STATUS[status], **({"headers": _headers(headers)} if headers else {})}


def _refusal_name(api: Described, status: int) -> str:
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', api.name)}-{status}"


def _content(content: Content) -> Json:
    return {media_type: {"schema": schema} for media_type, schema in content.items()}


def _headers(headers: Mapping[str, str]) -> Json:
    return {name: {"description": about, "schema": {"type": "string"}} for name, about in headers.items()}
