"""Writes the spans of a time range to files, each span once: as OTLP or as Parquet.

    ./spandrel export --from 2026-11-20 --to 2026-11-21T12:00 --format parquet --out spans

`otlp` is what the OpenTelemetry Collector's file exporter writes (and its otlpjsonfile receiver reads): a line of JSON
for each thousand spans. `parquet` is the format of blocks (docs/blocks.md). A span is in the range if its start is;
times without a zone are UTC. The folder's disk needs room for the blocks of some hours beside what is exported.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from spandrel.blocks.block_cache import BlockCache
from spandrel.model.limits import MIB
from spandrel.model.tenant import DEFAULT_TENANT, tenant_name

from .exporting import FORMATS, Exporting
from .failure import CommandFailed
from .stack import add_choice, chosen

CACHE_BYTES = 4096 * MIB  # of blocks that the next hour may need again


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", default=DEFAULT_TENANT, help="whose spans (default: %(default)s)")
    parser.add_argument("--from", dest="start", required=True, metavar="TIME", help="the first start, 2026-11-20T09:30")
    parser.add_argument("--to", dest="end", metavar="TIME", help="before which spans start (default: now)")
    parser.add_argument("--format", choices=FORMATS, default="otlp", help="default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to; it is made if need be")
    add_choice(parser)


def run(arguments: argparse.Namespace) -> int:
    start_ns = time_ns(arguments.start)
    end_ns = time_ns(arguments.end or datetime.now(UTC).isoformat())
    if start_ns >= end_ns:
        raise CommandFailed("--from is not before --to")
    arguments.out.mkdir(parents=True, exist_ok=True)
    spans = files = 0
    with chosen(arguments) as stack, TemporaryDirectory(prefix=".blocks-", dir=arguments.out) as folder:
        cache = BlockCache(Path(folder), stack.objects(), CACHE_BYTES)
        exporting = Exporting(stack.catalogue(), cache, tenant_name(arguments.tenant))
        for path, count in exporting.run(start_ns, end_ns, arguments.format, arguments.out):
            files, spans = files + 1, spans + count
            if sys.stderr.isatty():
                print(f"{path}: {count} spans", file=sys.stderr, flush=True)
    print(f"{spans} spans in {files} files in {arguments.out}")
    return 0


def time_ns(text: str) -> int:
    """ISO 8601 -> unix ns."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandFailed(f"a time is like 2026-11-20 or 2026-11-20T09:30:00Z, not {text!r}") from error
    since = at.replace(tzinfo=at.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return max(0, (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000)
