"""API Gateway events as requests and responses: bodies, identity, refusals, encodings, redirects."""
