"""Blocks of one tenant -> fewer and larger ones: sorted, each span once, the common attributes of all of them as
columns.

Memory is bounded by MERGE_SPANS, whatever the blocks hold: they are merged range by range of trace ids, each range
read from those row groups that can hold it. A single trace is never cut, so one of more spans than that takes the
memory it needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spandrel.model.catalogue import Block
from spandrel.model.errors import Corrupt

from .attributes import Attribute, column_name, columns_of
from .erasing import Erasure
from .naming import ATTRIBUTE_SCOPES, AttributeScope, attribute_of_column, may_be_a_column
from .pairs import Pairs, pairs_of, structs_of
from .rest import counts_of
from .schema import ARROW_TYPES, COLUMNS, COLUMNS_MAX, KEY_VALUE
from .writer import BlockWriter, WrittenBlock

MERGE_SPANS = 200_000  # in memory at once
BLOCK_BYTES = 64 * 1024 * 1024  # from which on a block is ended at the next trace

Choice = dict[str, tuple[AttributeScope, Attribute]]
"""The attribute columns of the merged blocks: name -> scope, key and type."""

TEXT = pa.dictionary(pa.int32(), pa.string())  # in memory: a name said a million times is kept once
_IDENTITY = ("trace_id", "span_id", "kind", "service", "start_time_unix_nano")


@dataclass(frozen=True, slots=True)
class _RowGroup:
    source: Source
    index: int
    spans: int
    first: bytes
    last: bytes


class Source:
    """A block to merge, without the spans that `erasure` is about. Corrupt when its bytes are no block."""

    def __init__(self, entry: Block, body: bytes, erasure: Erasure | None = None) -> None:
        self.entry = entry
        self._erasure = erasure
        try:
            self._file = pq.ParquetFile(pa.BufferReader(body), read_dictionary=_repeating_texts(body))
        except (pa.ArrowInvalid, OSError) as error:
            raise Corrupt(f"block {entry.block_id} does not read: {error}", entry.key) from error
        self.schema: pa.Schema = self._file.schema_arrow

    def row_groups(self) -> Iterator[_RowGroup]:
        metadata = self._file.metadata
        for index in range(metadata.num_row_groups):
            group = metadata.row_group(index)
            ids = group.column(0).statistics
            yield _RowGroup(self, index, group.num_rows, ids.min, ids.max)

    def read(self, index: int) -> pa.Table:
        table = self._file.read_row_group(index)
        return table if self._erasure is None else table.filter(pc.invert(self._erasure.rows(table)))

    def has_erased(self) -> bool:
        """Whether it has any of the spans that are left out."""
        erasure = self._erasure
        if erasure is None:
            return False
        columns = erasure.columns(self.schema.names)
        groups = (group for group in self.row_groups() if erasure.may_be_in(group.first, group.last))
        return any(pc.any(erasure.rows(self._file.read_row_group(one.index, columns))).as_py() for one in groups)

    def attribute_counts(self) -> Counter[tuple[AttributeScope, Attribute]]:
        """How often each attribute occurs: in columns by the footer's statistics, in rests as their writer counted."""
        counts: Counter[tuple[AttributeScope, Attribute]] = Counter()
        metadata = self._file.metadata
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            for column in map(group.column, range(group.num_columns)):
                found = attribute_of_column(column.path_in_schema.removesuffix(".list.element"))
                if found:
                    nulls = column.statistics.null_count if column.statistics else 0
                    counts[found[0], (found[1], found[2])] += column.num_values - (nulls or 0)
        for scope, rest in counts_of(metadata.metadata or {}).items():
            counts.update({(scope, attribute): count for attribute, count in rest.items()})
        return counts


def _repeating_texts(body: bytes) -> list[str]:
    """The text columns that Arrow can read as dictionaries: not those of DELTA_BYTE_ARRAY, which have none."""
    metadata = pq.read_metadata(pa.BufferReader(body))
    first = metadata.row_group(0)
    encoded = {c.path_in_schema: c.encodings for c in map(first.column, range(first.num_columns))}
    texts = (field.name for field in metadata.schema.to_arrow_schema() if field.type == pa.string())
    return [name for name in texts if "DELTA_BYTE_ARRAY" not in encoded[name]]


def merged(
    sources: Sequence[Source], draft: Callable[[int], Block], dropped: pc.Expression | None = None
) -> Iterator[WrittenBlock]:
    """Sources of one tenant -> blocks in the order of trace ids; `draft(n)` begins the entry of the n-th of them.

    Spans for which `dropped` is true are left out. Nothing comes out where nothing is left.
    """
    sources = sorted(sources, key=lambda source: source.entry.block_id)
    choice = _choice(sources)
    schema = _schema(sources, choice)
    tables = _tables(sources, schema, choice)
    kept = tables if dropped is None else (table.filter(~dropped) for table in tables)
    return blocks_of(kept, schema, draft)


def blocks_of(tables: Iterator[pa.Table], schema: pa.Schema, draft: Callable[[int], Block]) -> Iterator[WrittenBlock]:
    """Tables in the order of trace ids, each of whole traces -> blocks of BLOCK_BYTES and a little more."""
    writer: BlockWriter | None = None
    written = 0
    for table in tables:
        if len(table) == 0:
            continue
        if writer is None:
            writer = BlockWriter(schema, draft(written), thorough=True)
        writer.add(table)
        if writer.size_bytes >= BLOCK_BYTES:
            yield writer.finished()
            writer, written = None, written + 1
    if writer is not None:
        yield writer.finished()


def _choice(sources: Sequence[Source]) -> Choice:
    counts: Counter[tuple[AttributeScope, Attribute]] = Counter()
    for source in sources:
        counts.update(source.attribute_counts())
    chosen: Choice = {}
    for scope in ATTRIBUTE_SCOPES:
        of_scope = [(a, n) for (s, a), n in counts.items() if s == scope and n > 0 and may_be_a_column(a[0])]
        of_scope.sort(key=lambda counted: (-counted[1], counted[0]))
        chosen |= {column_name(scope, a): (scope, a) for a, _ in of_scope[: COLUMNS_MAX[scope]]}
    chosen.pop("service", None)  # it is among the columns that every block has
    return chosen


def _schema(sources: Sequence[Source], choice: Choice) -> pa.Schema:
    """All format columns that any source has, rests in any case, and the chosen attributes."""
    had = {name for source in sources for name in source.schema.names}
    rests = {f"{scope}_rest" for scope in ATTRIBUTE_SCOPES if _may_have_rest(scope, had, choice)}
    fields = [(name, kind) for name, kind in COLUMNS.items() if name in had | rests]
    attributes = [(name, ARROW_TYPES[attribute[1]]) for name, (_, attribute) in sorted(choice.items())]
    return pa.schema(fields + attributes)


def _may_have_rest(scope: AttributeScope, had: set[str], choice: Choice) -> bool:
    return f"{scope}_rest" in had or any(name.startswith(f"{scope}.") and name not in choice for name in had)


def _tables(sources: Sequence[Source], schema: pa.Schema, choice: Choice) -> Iterator[pa.Table]:
    """The sources' spans, sorted and each once, in tables that follow one another in the order of trace ids."""
    groups = sorted((group for source in sources for group in source.row_groups()), key=lambda group: group.first)
    low = b""
    for high in [*_cuts(groups), None]:
        parts = []
        for group in groups:
            if group.last >= low and (high is None or group.first < high):
                part = _between(group.source.read(group.index), low, high)
                if len(part):
                    parts.append(settled(part, schema, choice))
        if parts:
            # plain text again: a written dictionary would be that of all parts, in each row group
            yield _once(pa.concat_tables(parts).unify_dictionaries()).cast(schema)
        low = high or low


def _cuts(groups: Sequence[_RowGroup]) -> list[bytes]:
    """Trace ids at which to cut, so that about MERGE_SPANS lie between two, supposing ids lie evenly in each group."""
    total = sum(group.spans for group in groups)
    ranges = -(-total // MERGE_SPANS)
    if ranges < 2:
        return []
    low, high = groups[0].first, max(group.last for group in groups)
    if low == high:
        return []
    candidates = _evenly(groups)
    step = total / ranges
    cuts, passed, wanted = [], 0.0, step
    for trace_id, spans in candidates:
        passed += spans
        if passed >= wanted and trace_id > low:
            cuts.append(trace_id)
            wanted = passed + step
    return sorted({cut for cut in cuts if low < cut <= high})


def _evenly(groups: Sequence[_RowGroup]) -> list[tuple[bytes, float]]:
    """Points within each group's range of ids, each standing for as many of its spans."""
    points = []
    for group in groups:
        first, last = int.from_bytes(group.first, "big"), int.from_bytes(group.last, "big")
        count = max(1, min(64, last - first, group.spans // 1000))
        for at in range(1, count + 1):
            trace_id = first + (last - first) * at // count
            points.append((trace_id.to_bytes(16, "big"), group.spans / count))
    return sorted(points)


def _between(table: pa.Table, low: bytes, high: bytes | None) -> pa.Table:
    ids = table["trace_id"]
    chosen = pc.greater_equal(ids, pa.scalar(low or bytes(16), ids.type))
    if high is not None:
        chosen = pc.and_(chosen, pc.less(ids, pa.scalar(high, ids.type)))
    return table.filter(chosen)


def settled(table: pa.Table, schema: pa.Schema, choice: Choice) -> pa.Table:
    """A block's rows with the schema's columns: attributes without a column go to the rest, others come out of it."""
    for scope in ATTRIBUTE_SCOPES:
        table = _settled_scope(table, scope, {n: a for n, (s, a) in choice.items() if s == scope})
    return pa.table({field.name: _column(table, field) for field in schema})


def _column(table: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    """The column, of nulls where the table has none; text always as a dictionary, so that all parts have one type."""
    kind = TEXT if field.type == pa.string() else field.type
    if field.name not in table.column_names:
        return pa.nulls(len(table), kind)
    column = table[field.name]
    if column.type == kind:
        return column
    return column.dictionary_encode() if kind == TEXT else column.cast(kind)  # a list's field may have another name


def _settled_scope(table: pa.Table, scope: AttributeScope, chosen: dict[str, Attribute]) -> pa.Table:
    demoted = {
        name: (found[1], found[2])
        for name in table.column_names
        if (found := attribute_of_column(name)) and found[0] == scope and name not in chosen
    }
    rest = f"{scope}_rest"
    if not demoted and rest not in table.column_names:
        return table
    pairs = _loose_pairs(table, rest, demoted)
    wanted = {attribute: name for name, attribute in chosen.items()}
    columns, left = columns_of(pairs, len(table), wanted)
    table = table.drop_columns([name for name in (*demoted, rest) if name in table.column_names])
    for name, column in columns.items():
        table = _filled(table, name, column)
    return table if left is None else table.append_column(rest, left)


def _loose_pairs(table: pa.Table, rest: str, demoted: dict[str, Attribute]) -> Pairs:
    """All pairs of the rows that have no column: those in the rest, and those that lose theirs."""
    rows, structs = [pa.array([], pa.int64())], [pa.array([], KEY_VALUE)]
    if rest in table.column_names:
        lists = table[rest].combine_chunks()
        rows.append(pc.list_parent_indices(lists).cast(pa.int64()))
        structs.append(pc.list_flatten(lists))
    for name, (key, kind) in demoted.items():
        column = _decoded(table[name])
        row = pc.indices_nonzero(column.is_valid()).cast(pa.int64())
        rows.append(row)
        structs.append(structs_of(key, column.take(row), kind))
    return pairs_of(pa.concat_arrays(structs), pa.concat_arrays(rows))


def _filled(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    """A column that came out of the rest, where the table has it already: a row has a value in one of them at most."""
    if name not in table.column_names:
        return table.append_column(name, column)
    both = pc.coalesce(_decoded(table[name]), column)
    return table.set_column(table.column_names.index(name), name, both)


def _decoded(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def _once(table: pa.Table) -> pa.Table:
    """Each span once, of several copies the one that ended last; sorted by trace id and start."""
    keys = pa.table({name: _decoded(table[name]) for name in (*_IDENTITY, "duration_nano")})
    identity = [(name, "ascending") for name in _IDENTITY]
    order = pc.sort_indices(keys, sort_keys=[*identity, ("duration_nano", "descending")]).cast(pa.int64())
    kept = order.filter(_first_of_each(keys.select(list(_IDENTITY)).take(order)))
    by_start = keys.select(["trace_id", "start_time_unix_nano"]).take(kept)
    final = pc.sort_indices(by_start, sort_keys=[(name, "ascending") for name in by_start.column_names])
    return table.take(kept.take(final.cast(pa.int64())))


def _first_of_each(ordered: pa.Table) -> pa.Array:
    """Where a row differs from the one before it in any column."""
    differs = pa.array([False] * (len(ordered) - 1), pa.bool_())
    for column in ordered.columns:
        values = column.combine_chunks()
        now, before = values.slice(1), values.slice(0, len(values) - 1)
        same = pc.or_(pc.equal(now, before).fill_null(False), pc.and_(now.is_null(), before.is_null()))
        differs = pc.or_(differs, pc.invert(same))
    return pa.concat_arrays([pa.array([True]), differs])


def draft_of(sources: Sequence[Block], level: int, name: str, number: int, deletions: int = 0) -> Block:
    """The entry with which an output begins: where and when its sources were, what it is called, and the number of the
    last deletion that was carried out on it.
    """
    newest = max(sources, key=lambda block: block.received_ns)
    block_id = f"{name}-{number}"
    folder = newest.key.rpartition("/")[0]
    return replace(
        newest,
        block_id=block_id,
        key=f"{folder}/{block_id}.parquet",
        level=level,
        spans=0,
        size_bytes=0,
        crc32=0,
        first_received_ns=min(block.first_received_ns for block in sources),
        deletions=deletions,
    )
