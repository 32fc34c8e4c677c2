"""DuckDB for one process: closed in by its settings, and stopped when a question takes too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from spandrel.model.errors import Corrupt, QueryTooBroad

Row = tuple[Any, ...]
FEW_IDS = 1000  # traces, up to which a list of them is held against the filters of row groups
TOO_LONG = "this takes longer than one request may; narrow the time range"


class Database:
    """An empty database in memory that can read below `folder` and nowhere else. Not for use by several threads.

    What does not fit into `memory_bytes` is spilled below `spill`, up to `spill_bytes`.
    """

    def __init__(self, folder: Path, spill: Path, *, memory_bytes: int, spill_bytes: int, threads: int) -> None:
        self._connection = duckdb.connect(":memory:")
        for name, value in {
            "threads": threads,
            "memory_limit": f"{memory_bytes}B",
            "temp_directory": str(spill),
            "max_temp_directory_size": f"{spill_bytes}B",
            "parquet_metadata_cache": True,
            "preserve_insertion_order": False,
            "dynamic_or_filter_threshold": FEW_IDS,
            "enable_progress_bar": False,  # what is written to stdout is billed as a line of a log
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allowed_directories": [str(folder)],
            "enable_external_access": False,  # from here on only what is allowed above
            "lock_configuration": True,  # and this is the last word
        }.items():
            self._connection.execute(f"SET {name} = ?", [value])

    def run(self, statement: str, parameters: Sequence[object], deadline_s: float) -> list[Row]:
        """All rows of a statement.

        QueryTooBroad when it is not done at `deadline_s` (of time.monotonic) or needs more memory than there is;
        FileNotFoundError when a file that it reads is not there, Corrupt when one is no Parquet.
        """
        with self._told_apart(deadline_s):
            rows: list[Row] = self._connection.execute(statement, parameters).fetchall()
            return rows

    def table(self, statement: str, parameters: Sequence[object], deadline_s: float) -> Any:
        """The same as an Arrow table, for who has Arrow."""
        with self._told_apart(deadline_s):
            return self._connection.sql(statement, params=list(parameters)).to_arrow_table()

    @contextmanager
    def _told_apart(self, deadline_s: float) -> Iterator[None]:
        """What DuckDB throws, as the errors that `run` names."""
        try:
            with self._stopped_at(deadline_s):
                yield
        except duckdb.InterruptException as error:
            raise QueryTooBroad(TOO_LONG) from error
        except duckdb.OutOfMemoryException as error:
            raise QueryTooBroad("this takes more memory than there is; narrow the time range") from error
        except duckdb.IOException as error:
            raise FileNotFoundError(str(error)) from error
        except duckdb.Error as error:
            # What its reader of Parquet throws has no class of its own.
            if type(error) is duckdb.Error or "Failed to read file" in str(error):
                raise Corrupt(f"a block does not read: {error}") from error
            raise

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _stopped_at(self, deadline_s: float) -> Iterator[None]:
        seconds = deadline_s - time.monotonic()
        if seconds <= 0:
            raise QueryTooBroad(TOO_LONG)
        timer = threading.Timer(seconds, self._connection.interrupt)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
