"""GET /health: whether questions can be answered. Open to everybody, so it says no more than that."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from spandrel.http.response import Response
from spandrel.model.catalogue import Catalogue, ObjectStore
from spandrel.model.errors import NotFound

from .question import json_response

_log = logging.getLogger("query")

NOBODY = "~"  # no tenant can be called so


def health(catalogue: Catalogue, objects: ObjectStore, now_ns: int) -> Response:
    """200 when all is up, else 503, with a word about each part."""
    parts = {
        "catalogue": _up("catalogue", lambda: catalogue.blocks(NOBODY, now_ns, now_ns + 1)),
        "bucket": _up("bucket", lambda: _absent(objects)),
    }
    up = all(parts.values())
    words = {name: "up" if is_up else "down" for name, is_up in {"status": up, **parts}.items()}
    return json_response(words, 200 if up else 503)


def _absent(objects: ObjectStore) -> None:
    try:
        objects.get(f"{NOBODY}/blocks/health")
    except NotFound:
        return


def _up(part: str, ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Exception as error:  # noqa: BLE001 - whatever it is, this part is down, and the log says why
        _log.error(json.dumps({"message": f"the {part} is down", "reason": str(error)}))
        return False
    return True
