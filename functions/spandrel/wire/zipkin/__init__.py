"""Zipkin's spans, versions 1 and 2."""
