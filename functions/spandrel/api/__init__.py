"""One module a read API: request -> query, result -> that API's JSON."""
