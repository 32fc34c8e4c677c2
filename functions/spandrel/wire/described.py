"""The descriptions of all wire formats, by which `/openapi.json` is made (docs/openapi.md)."""

from __future__ import annotations

from .cloudtrace.described import CLOUD_TRACE
from .datadog.described import DATADOG, DATADOG_BY_URL
from .jaeger.described import JAEGER
from .otlp.described import OTLP
from .xray.described import XRAY
from .zipkin.described import ZIPKIN

FORMATS = (OTLP, ZIPKIN, JAEGER, XRAY, CLOUD_TRACE, DATADOG, DATADOG_BY_URL)
