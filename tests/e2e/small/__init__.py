"""A small stack for tests of the machinery: an API with an authorizer, a queue, and functions made to misbehave."""
