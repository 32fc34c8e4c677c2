"""What is taken where a request does not say, and how much one may ask. Apart, because the description tells it too."""

from __future__ import annotations

DEFAULT_LIMIT = 20
EXEMPLARS_MAX = 100
FACETS_MAX, FACET_VALUES_MAX = 12, 20
STEPS_MAX = 240
DEFAULT_RANGE_NS = 3600 * 10**9
MS_NS = 10**6
MS_MAX = 2**63 // MS_NS
KIND_MAX = 5  # of OTLP's SpanKind
