"""Grafana Tempo's HTTP API, below /tempo (docs/apis/tempo.md)."""
