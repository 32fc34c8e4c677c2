"""What is taken where a request does not say, and how much one may ask. Apart, because the description tells it too."""

from __future__ import annotations

DEFAULT_PAGE_SIZE, PAGE_SIZE_MAX = 100, 1000
PAGE_SPANS_MAX = 20_000  # in one page of whole traces; the page ends early, but never before its first trace
DEFAULT_RANGE_NS = 24 * 3600 * 10**9
INT32_MAX = 2**31 - 1
