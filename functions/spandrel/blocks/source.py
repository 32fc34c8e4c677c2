"""A block that is merged: what its footer tells, and its row groups one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spandrel.model.catalogue import Block
from spandrel.model.errors import Corrupt

from .attributes import Attribute
from .erasing import Erasure
from .naming import AttributeScope, attribute_of_column
from .rest import counts_of

_WITHOUT_DICTIONARY = {"DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"}


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Spans from trace `first` to trace `last`, and in a group of one trace from `first_ns` to `last_ns` by start.

    `encoded_bytes` is what they take before compression.
    """

    source: Source
    index: int
    spans: int
    encoded_bytes: int
    first: bytes
    last: bytes
    first_ns: int
    last_ns: int

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All columns or some; text as dictionaries where it is written so."""
        return self.source.read(self.index, columns)


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

    def row_groups(self) -> Iterator[RowGroup]:
        metadata = self._file.metadata
        start_at = self.schema.get_field_index("start_time_unix_nano")  # no column before it is nested
        for index in range(metadata.num_row_groups):
            group = metadata.row_group(index)
            ids, starts = group.column(0).statistics, group.column(start_at).statistics
            times = (starts.min, starts.max) if ids.min == ids.max else (0, 2**64 - 1)
            yield RowGroup(self, index, group.num_rows, group.total_byte_size, ids.min, ids.max, *times)

    def read(self, index: int, columns: Sequence[str] | None = None) -> pa.Table:
        table = self._file.read_row_group(index, columns=columns)
        if self._erasure is None or columns is not None:
            return table
        return table.filter(pc.invert(self._erasure.rows(table)))

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
    """The text columns that Arrow can read as dictionaries: not those of delta encodings, which have none."""
    metadata = pq.read_metadata(pa.BufferReader(body))
    first = metadata.row_group(0)
    encoded = {c.path_in_schema: c.encodings for c in map(first.column, range(first.num_columns))}
    texts = (field.name for field in metadata.schema.to_arrow_schema() if field.type == pa.string())
    return [name for name in texts if _WITHOUT_DICTIONARY.isdisjoint(encoded[name])]
