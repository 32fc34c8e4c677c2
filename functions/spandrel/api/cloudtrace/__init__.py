"""Google Cloud Trace's read API, version 1 (version 2 has none)."""
