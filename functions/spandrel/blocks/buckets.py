"""Latencies in buckets, in SQL: what `spandrel.model.traffic` says of them."""

from __future__ import annotations

from spandrel.model.spans import STATUSES
from spandrel.model.traffic import GROWTH, INSTANT

BUCKET = f"""
    CASE WHEN duration_nano > 0 THEN ceil(ln(duration_nano) / ln({GROWTH}))
        WHEN duration_nano = 0 THEN {INSTANT} END::SMALLINT
"""
"""The bucket of a span's duration; null where it ended before it began, or did not end."""

FAILED = f"coalesce(status_code = {STATUSES['error']}, false)"
