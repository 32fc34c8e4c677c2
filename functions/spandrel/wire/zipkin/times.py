"""Zipkin's times, which are µs since 1970, in OTLP's ns."""

NS_PER_US = 1000
UINT64_MAX = 2**64 - 1


def nanoseconds(time_us: int) -> int:
    """0 where OTLP has no such time: before 1970, or after 2554."""
    return time_us * NS_PER_US if 0 < time_us <= UINT64_MAX // NS_PER_US else 0
