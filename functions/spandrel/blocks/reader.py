"""Questions to blocks, in SQL: DuckDB over the cached files of the blocks that somebody chose."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from spandrel.model.catalogue import Block
from spandrel.model.errors import Corrupt

from .block_cache import PART, BlockCache, Fetched
from .database import Database, Row
from .naming import ALWAYS
from .parts import Parts

_ATTEMPTS = 3  # at files that another process removes meanwhile

_PAIR = (
    'STRUCT("key" VARCHAR, "string" VARCHAR, "int" BIGINT, "double" DOUBLE, "bool" BOOLEAN, "bytes" BLOB, '
    '"array" BLOB, "kvlist" BLOB)'
)
_EVENT = f'STRUCT(time_unix_nano UBIGINT, "name" VARCHAR, attributes {_PAIR}[], dropped_attributes_count UINTEGER)'
_LINK = (
    "STRUCT(trace_id BLOB, span_id BLOB, trace_state VARCHAR, flags UINTEGER, "
    f"attributes {_PAIR}[], dropped_attributes_count UINTEGER)"
)

# The columns of a block that are no attributes, with DuckDB's types; a test holds them to the schema.
COLUMN_TYPES = {
    "trace_id": "BLOB",
    "span_id": "BLOB",
    "parent_span_id": "BLOB",
    "name": "VARCHAR",
    "kind": "INTEGER",
    "service": "VARCHAR",
    "start_time_unix_nano": "UBIGINT",
    "duration_nano": "BIGINT",
    "status_code": "INTEGER",
    "status_message": "VARCHAR",
    "trace_state": "VARCHAR",
    "flags": "UINTEGER",
    "dropped_attributes_count": "UINTEGER",
    "dropped_events_count": "UINTEGER",
    "dropped_links_count": "UINTEGER",
    "resource_schema_url": "VARCHAR",
    "resource_dropped_attributes_count": "UINTEGER",
    "resource_entity_refs": "BLOB[]",
    "scope_name": "VARCHAR",
    "scope_version": "VARCHAR",
    "scope_schema_url": "VARCHAR",
    "scope_dropped_attributes_count": "UINTEGER",
    "events": f"{_EVENT}[]",
    "links": f"{_LINK}[]",
    "span_rest": f"{_PAIR}[]",
    "resource_rest": f"{_PAIR}[]",
    "scope_rest": f"{_PAIR}[]",
}


def quoted(column: str) -> str:
    """A column's name as SQL text: the only way by which names from outside get into a statement."""
    return '"' + column.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Hidden:
    """Rows that no question sees, in some blocks: `condition`, of the columns there are, is SQL and its parameters."""

    condition: Callable[[frozenset[str]], tuple[str, Sequence[object]]]
    block_ids: frozenset[str]


class BlockReader:
    """The cache of blocks and the database over it."""

    def __init__(self, cache: BlockCache, database: Database) -> None:
        self.cache = cache
        self.database = database
        self._parts = Parts(cache, cache.objects, database)

    def open(self, blocks: Sequence[Block], deadline_s: float, hidden: Sequence[Hidden] = ()) -> OpenBlocks:
        """Brings the blocks' files here. Questions to them end at `deadline_s` of time.monotonic, and never see rows
        that are `hidden`.
        """
        return OpenBlocks(self.database, blocks, self.cache.fetch, deadline_s, hidden)

    def open_for(
        self,
        trace_id: bytes,
        blocks: Sequence[Block],
        deadline_s: float,
        most_bytes: int,
        hidden: Sequence[Hidden] = (),
    ) -> OpenBlocks:
        """Brings here what of the blocks can hold the trace: to be asked about that one trace and about nothing else.

        QueryTooBroad when that is more than `most_bytes`.
        """

        def fetch(some: Sequence[Block]) -> Fetched:
            return self._parts.fetch(some, trace_id, deadline_s, most_bytes)

        return OpenBlocks(self.database, blocks, fetch, deadline_s, hidden)

    def open_footers(self, blocks: Sequence[Block], deadline_s: float) -> OpenBlocks:
        """Brings the blocks' footers here: to be asked for columns and metadata, and for no rows."""
        return OpenBlocks(self.database, blocks, lambda some: self._parts.fetch_footers(some, deadline_s), deadline_s)


class OpenBlocks:
    """Blocks whose files are here; `unread` are those that should be among them."""

    def __init__(
        self,
        database: Database,
        blocks: Sequence[Block],
        fetch: Callable[[Sequence[Block]], Fetched],
        deadline_s: float,
        hidden: Sequence[Hidden] = (),
    ) -> None:
        self._database = database
        self._fetch = fetch
        self._deadline_s = deadline_s
        fetched = fetch(blocks)
        self.unread = fetched.unread
        read = [block for block in blocks if block.block_id in fetched.paths]
        self._blocks = {str(fetched.paths[block.block_id]): block for block in read}
        here = {block.block_id for block in read}
        self._hidden = [one for one in hidden if not here.isdisjoint(one.block_ids)]

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns that any of the blocks has; none where there are no blocks."""
        rows = self._run("DESCRIBE SELECT * FROM read_parquet(?, union_by_name = true)", ())
        return frozenset(name for name, *_ in rows)

    def select(
        self, statement: str, parameters: Sequence[object] = (), *, columns: Sequence[str] | None = None
    ) -> list[Row]:
        """The rows of a statement over the table `spans`: the blocks' columns, `filename` and `file_row_number`.

        `statement` follows a WITH clause, so it is `SELECT …` or `, more AS (…) SELECT …`. Columns that are no
        attributes (COLUMN_TYPES) can always be named; they are null where no block has them. Who names `columns` gets
        only those, and where they are among ALWAYS the footers of many blocks need not be compared. Where there are no
        blocks there are no rows, not even of an aggregate. Raises QueryTooBroad when it takes too much time or memory.
        """
        return self._run(*self._over_spans(statement, parameters, columns))

    def table(self, statement: str, parameters: Sequence[object] = (), *, columns: Sequence[str]) -> Any:
        """The same as an Arrow table. At least one block must be open."""
        over_spans, given = self._over_spans(statement, parameters, columns)
        return self._database.table(over_spans, [list(self._blocks), *given], self._deadline_s)

    def files_of(self, blocks: Iterable[Block]) -> list[str]:
        """The `filename` of the rows of these blocks, of those that are open."""
        wanted = {block.block_id for block in blocks}
        return [path for path, block in self._blocks.items() if block.block_id in wanted]

    def parquet(self, statement: str, parameters: Sequence[object] = ()) -> bytes:
        """The same as a Parquet file. At least one block must be open."""
        over_spans, given = self._over_spans(statement, parameters, None)
        with tempfile.NamedTemporaryFile(prefix=PART, dir=Path(next(iter(self._blocks))).parent) as file:
            path = file.name.replace("'", "''")  # a parameter cannot stand there
            self._run(f"COPY ({over_spans}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)", given)
            return Path(file.name).read_bytes()

    def footers(self, key: str) -> list[bytes]:
        """What the blocks' key-value metadata has under the key; a block without it is not among them."""
        rows = self._run("SELECT value FROM parquet_kv_metadata(?) WHERE key = ?", (key.encode(),))
        return [value for (value,) in rows]

    def block(self, filename: str) -> Block:
        """The block that a row's `filename` means."""
        return self._blocks[filename]

    def _over_spans(
        self, statement: str, parameters: Sequence[object], columns: Sequence[str] | None
    ) -> tuple[str, list[object]]:
        if columns is not None and set(columns) <= set(ALWAYS) and not self._hidden:
            chosen, files = ", ".join(columns), "read_parquet(?)"
        else:
            chosen, files = self._chosen(columns), "read_parquet(?, union_by_name = true)"
        shown, hiding = self._shown()
        return (
            f"WITH spans AS (SELECT {chosen}, filename, file_row_number FROM {files}{shown}) {statement}",
            [*hiding, *parameters],
        )

    def _shown(self) -> tuple[str, list[object]]:
        """A WHERE clause that leaves out what is hidden, and its parameters."""
        conditions, parameters = [], []
        for one in self._hidden:
            sql, values = one.condition(self.columns)
            files = [path for path, block in self._blocks.items() if block.block_id in one.block_ids]
            conditions.append(f"(filename NOT IN (SELECT unnest(?::VARCHAR[])) OR NOT coalesce({sql}, false))")
            parameters += [files, *values]
        return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), parameters

    def _chosen(self, columns: Sequence[str] | None) -> str:
        wanted = sorted(self.columns | set(COLUMN_TYPES)) if columns is None else columns
        return ", ".join(
            quoted(name) if name in self.columns else f"NULL::{COLUMN_TYPES[name]} AS {quoted(name)}" for name in wanted
        )

    def _run(self, statement: str, parameters: Sequence[object]) -> list[Row]:
        """The rows of a statement whose first parameter is the files."""
        if not self._blocks:
            return []
        for _ in range(_ATTEMPTS):
            try:
                return self._database.run(statement, [list(self._blocks), *parameters], self._deadline_s)
            except FileNotFoundError as error:
                problem = str(error)
                self._fetch(list(self._blocks.values()))
        raise Corrupt(f"blocks cannot be read where they lie: {problem}", next(iter(self._blocks)))
