"""What is taken where a request does not say, and how much one may ask. Apart, because the description tells it too."""

from __future__ import annotations

DEFAULT_LIMIT = 20
DEFAULT_SPANS, SPANS_MAX = 3, 100  # of a set
