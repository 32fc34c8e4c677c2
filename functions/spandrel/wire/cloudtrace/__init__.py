"""Google Cloud Trace's REST API, versions 1 and 2."""
