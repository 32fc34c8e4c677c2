"""Zipkin's read API, version 2."""
