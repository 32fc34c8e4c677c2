"""What `show` says of its own endpoints: the pages, and the document that describes all others."""

from __future__ import annotations

from spandrel.http.described import PLAIN, Answer, Described, Operation, in_path, json_answer
from spandrel.http.schemas import TEXT, record

_PAGE = Answer("The document that every page is", {"text/html; charset=utf-8": TEXT})
_FILE_TYPES = ("text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/svg+xml")

PAGES = Described(
    "Pages",
    "The web UI: the same for everybody. What it shows, it asks for with a key (docs/ui.md)",
    (
        Operation(
            "GET", "/", "Leads to the pages", Answer("To the first page", {PLAIN: TEXT}, 302, {"location": "where"})
        ),
        Operation("GET", "/ui/{page+}", "A page", _PAGE, (in_path("page", "Which one", "search"),)),
        Operation(
            "GET",
            "/ui/files/{version}/{file+}",
            "What pages are made of",
            Answer("The file", dict.fromkeys(_FILE_TYPES, TEXT)),
            (
                in_path("version", "A hash of all files", "0123456789abcdef"),
                in_path("file", "Its path", "main.js"),
            ),
            refuses=(404,),
        ),
        Operation(
            "GET",
            "/openapi.json",
            "This document",
            json_answer(
                "OpenAPI 3.1",
                record({"openapi": TEXT, "info": {"type": "object"}, "paths": {"type": "object"}}, others=True),
            ),
        ),
    ),
    refusal={PLAIN: TEXT},
    scope=None,
    answers_head=True,
)
