"""What is taken where a request does not say, and how much one may ask. Apart, because the description tells it too."""

from __future__ import annotations

DEFAULT_SEARCH_LIMIT = 100
ATTRIBUTES_MAX = 32  # in one search; each is a condition over many columns
DEFAULT_LOOKBACK = "1h"  # of a search, as in the form of Jaeger UI
DEFAULT_LOOKBACK_NS = 3600 * 10**9
DEFAULT_DEPENDENCIES_LOOKBACK_MS = 24 * 3600 * 1000
TRACE_IDS_MAX = 100  # in one request, each of which is looked up by itself
US_NS, MS_NS = 10**3, 10**6
US_MAX, MS_MAX = 2**64 // US_NS, 2**64 // MS_NS  # of OTLP's time

# Of metrics
MINUTE_MS = 60_000
DEFAULT_METRICS_LOOKBACK_MS = 3600 * 1000
DEFAULT_RATE_MS = 10 * MINUTE_MS
POINTS_MAX = 11_000  # of a series, as in Prometheus
SERVICES_MAX = 100
