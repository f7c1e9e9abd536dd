"""Write what ``forewarn score`` gives: .jsonl, .parquet, .csv, compressed .jsonl, databases."""

import csv
import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

from forewarn.databases import DuckdbWriter, SqliteWriter
from forewarn.jsonl import dumps
from forewarn.rows import CSV_COLUMNS, arrow_schema, cell, columns_of, for_arrow

BATCH_ROWS = 256


class OutputError(ValueError):
    """An output cannot be written."""


class Writer(Protocol):
    """Takes rows one by one."""

    def write(self, record: dict[str, Any]) -> None:
        """Write one row."""

    def close(self) -> None:
        """Write what is left."""


def kind_of_output(path: Path) -> str:
    """Find the kind of output that a path asks for.

    :param path: the path.
    :return: a suffix, one of ``KINDS``.
    :raises OutputError: if it has none of these.
    """
    name = path.name.lower()
    kinds = [kind for kind in KINDS if name.endswith(kind)]
    if not kinds:
        raise OutputError(f"{path}: unknown kind of output; use one of {', '.join(KINDS)}")
    return kinds[0]


@contextmanager
def open_output(path: Path, *, flat: bool = False, meta: bool = False) -> Iterator[Writer]:
    """Open a writer by the suffix of a path; the file appears whole, at the end, or not at all.

    :param path: a path that ends in one of ``KINDS``.
    :param flat: rows are spans, not documents.
    :param meta: rows hold what was carried through from the input.
    :yields: the writer.
    :raises OutputError: if the suffix is unknown, the path is a folder, its folder cannot be
        written to, or a package is missing.
    """
    kind = kind_of_output(path)
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        writer = open_writer(partial, kind, columns_of(flat=flat, meta=meta))
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror or error}); choose a folder that exists "
            "and that you may write to"
        ) from error
    try:
        yield writer
        writer.close()
        partial.replace(path)
    finally:
        for left in path.parent.iterdir():  # databases keep files beside them
            if left.name.startswith(partial.name):
                left.unlink(missing_ok=True)


def open_writer(path: Path, kind: str, columns: tuple[str, ...]) -> Writer:
    """Open a writer on a path, which is written as it goes.

    :param path: the file.
    :param kind: one of ``KINDS``.
    :param columns: the names of the rows' fields.
    :return: the writer.
    :raises OutputError: if a package is missing.
    """
    try:
        writer: Writer = _WRITERS[kind](path, columns)
    except ImportError as error:
        raise OutputError(
            f"writing {kind} needs one more package: pip install 'forewarn[documents]'"
        ) from error
    return writer


class JsonlWriter:
    """One row a line, as it is given.

    :param path: the file.
    :param columns: not needed here.
    """

    def __init__(self, path: Path, columns: tuple[str, ...] = ()) -> None:
        self._file = self._open(path)

    def _open(self, path: Path) -> TextIO:
        return path.open("w", encoding="utf-8", newline="\n")

    def write(self, record: dict[str, Any]) -> None:
        """Write one row.

        :param record: the row.
        """
        self._file.write(dumps(record) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class GzipWriter(JsonlWriter):
    """One row a line, compressed; without the time, so that the same rows give the same bytes."""

    def _open(self, path: Path) -> TextIO:
        import io

        self._raw = path.open("wb")
        packed = gzip.GzipFile("", "wb", compresslevel=6, fileobj=self._raw, mtime=0)
        return io.TextIOWrapper(packed, encoding="utf-8", newline="\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._raw.close()


class ZstdWriter(JsonlWriter):
    """One row a line, compressed by Zstandard."""

    def _open(self, path: Path) -> TextIO:
        import io

        import zstandard

        packed = zstandard.ZstdCompressor(level=6).stream_writer(path.open("wb"))
        return io.TextIOWrapper(packed, encoding="utf-8", newline="\n")


class CsvWriter:
    """One row a line; what is nested is JSON.

    :param path: the file.
    :param columns: the header.
    """

    def __init__(self, path: Path, columns: tuple[str, ...] = CSV_COLUMNS) -> None:
        self._file = path.open("w", encoding="utf-8", newline="", errors="backslashreplace")
        self._rows = csv.DictWriter(self._file, columns)
        self._rows.writeheader()

    def write(self, record: dict[str, Any]) -> None:
        """Write one row.

        :param record: the row.
        """
        self._rows.writerow({name: cell(name, value) for name, value in record.items()})

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class ParquetWriter:
    """The spans of a document as a list of structs, what is carried through as JSON.

    :param path: the file.
    :param columns: the columns.
    """

    def __init__(self, path: Path, columns: tuple[str, ...] = CSV_COLUMNS) -> None:
        from pyarrow import parquet

        self._rows: list[dict[str, Any]] = []
        self._schema = arrow_schema(columns)
        path.open("wb").close()
        self._file = parquet.ParquetWriter(path, self._schema)

    def write(self, record: dict[str, Any]) -> None:
        """Write one row.

        :param record: the row.
        """
        self._rows.append(for_arrow(record))
        if len(self._rows) >= BATCH_ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is left and close the file."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        import pyarrow

        self._file.write_table(pyarrow.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []


_WRITERS: dict[str, Any] = {
    ".jsonl": JsonlWriter,
    ".parquet": ParquetWriter,
    ".csv": CsvWriter,
    ".jsonl.gz": GzipWriter,
    ".jsonl.zst": ZstdWriter,
    ".sqlite": SqliteWriter,
    ".duckdb": DuckdbWriter,
}

KINDS = tuple(_WRITERS)
"""The kinds of output, by suffix."""

SHARD_KINDS = KINDS[:5]
"""Those that can be written in shards."""
