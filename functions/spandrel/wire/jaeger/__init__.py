"""Jaeger's Thrift batches."""
