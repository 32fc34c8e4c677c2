"""TraceQL, the one query model: text -> typed tree -> text, and what makes sense. docs/traceql.md has the meaning."""
