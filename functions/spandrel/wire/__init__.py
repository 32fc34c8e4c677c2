"""One module a wire format: bytes as a client sends them -> OTLP."""
