"""Lambda's entry point for the pages of the web UI."""

from __future__ import annotations

import logging
import os
from functools import cache

from spandrel.http.request import Event
from spandrel.http.response import Answer

from .pages import Pages, files_of_the_pages


def handle(event: Event, _context: object) -> Answer:
    """An HTTP API's event (payload 2.0) -> a page, or a file that pages are made of."""
    return _pages().answer(event)


@cache
def _pages() -> Pages:
    """The composition root: settings and files are read on the first call, not at import."""
    logging.getLogger("show").setLevel(os.environ["SPANDREL_LOG_LEVEL"])
    return Pages(files_of_the_pages(), large_answers=_large_answers())


def _large_answers() -> str:
    """The origin that answers too large for Lambda come from: the bucket's, or that of the AWS on this machine."""
    local = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return local or f"https://{os.environ['SPANDREL_BUCKET_DOMAIN']}"
