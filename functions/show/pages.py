"""The web UI's files, as they lie in `web/`, over HTTP, and `/openapi.json` beside them.

Every page is the same document; which one it shows is in its address, and its code finds out. What the document loads
lies under a path that changes with the content, so that browsers keep it for good and never mix two versions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from spandrel.http.request import Event, Request, request_of
from spandrel.http.response import Answer, Response, answer_of

from .joined import joined

METHODS = ("GET", "HEAD")
PREFIX = "/ui/"
FIRST_PAGE = "/ui/search"
OPENAPI = "/openapi.json"
FILES: Final = "files/"
DOCUMENT = "index.html"
SCRIPT = "main.js"
PLACEHOLDER = b"{files}"  # in the document: where its files are

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


def files_of_the_pages() -> Mapping[str, bytes]:
    """The files of the nearest `web/` above this one, by their path below it: in a package, and in the project. Of all
    modules there is one, which has them all.
    """
    folder = next(above / "web" for above in Path(__file__).parents if (above / "web").is_dir())
    found = sorted(path for path in folder.rglob("*") if path.suffix in CONTENT_TYPES)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
    modules = {name: body.decode() for name, body in files.items() if name.endswith(".js")}
    others = {name: body for name, body in files.items() if name not in modules}
    return {**others, SCRIPT: joined(modules, SCRIPT).encode()}


class Pages:
    """`files` by name, the document among them; `large_answers` is an origin that pages may read besides their own."""

    def __init__(self, files: Mapping[str, bytes], large_answers: str) -> None:
        self._folder = f"{PREFIX}{FILES}{_digest(files)}/"
        self._files = {f"{self._folder}{name}": body for name, body in files.items() if name != DOCUMENT}
        self._document = files[DOCUMENT].replace(PLACEHOLDER, self._folder.encode())
        self._policy = content_security_policy(large_answers)

    def answer(self, event: Event) -> Answer:
        """An HTTP API's event -> a document, a file, or a redirect from the root."""
        request = request_of(event)
        return answer_of(self._response(request), request)

    def _response(self, request: Request) -> Response:
        if request.method not in METHODS:
            return _plain(405, f"{request.path} takes GET and HEAD, not {request.method}", {"allow": "GET, HEAD"})
        if request.path == "/":
            return _plain(302, "the pages are under /ui/", {"location": FIRST_PAGE})
        if request.path == OPENAPI:
            return _openapi()
        if request.path.startswith(f"{PREFIX}{FILES}"):
            return self._file(request.path)
        headers = {"cache-control": ASK_AGAIN, "content-security-policy": self._policy, **_FOR_EVERY_PAGE}
        return Response(200, CONTENT_TYPES[".html"], self._document, headers)

    def _file(self, path: str) -> Response:
        body = self._files.get(path)
        if body is None:
            return _plain(404, "there is no such file: load the page again, there is a newer version", {})
        kind = CONTENT_TYPES[Path(path).suffix]
        return Response(200, kind, body, {"cache-control": FOR_GOOD, "x-content-type-options": "nosniff"})


def content_security_policy(large_answers: str) -> str:
    """Scripts, styles and requests of the page's own origin alone; large answers are read where they lie."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            f"connect-src 'self' {large_answers}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _openapi() -> Response:
    from .openapi import openapi_text  # where it is used: pages are asked for more often

    headers = {"cache-control": ASK_AGAIN, "x-content-type-options": "nosniff"}
    return Response(200, "application/json", openapi_text(), headers)


_FOR_EVERY_PAGE = {"referrer-policy": "same-origin", "x-content-type-options": "nosniff"}


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, body in sorted(files.items()):
        digest.update(f"{name}\0{len(body)}\0".encode() + body)
    return digest.hexdigest()[:16]


def _plain(status: int, message: str, headers: Mapping[str, str]) -> Response:
    return Response(
        status, "text/plain; charset=utf-8", f"{message}\n".encode(), {"cache-control": ASK_AGAIN, **headers}
    )
