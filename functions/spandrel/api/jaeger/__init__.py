"""Jaeger's read APIs: version 3 and what Jaeger UI calls."""
