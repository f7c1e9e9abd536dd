"""Write what ``forewarn score`` gives: .jsonl, .parquet, .csv, compressed .jsonl, databases."""

import csv
import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

from forewarn.flat import COLUMNS as FLAT_COLUMNS
from forewarn.jsonl import dumps

CSV_COLUMNS = ("id", "mention", "use", "model", "taxonomy", "error", "spans")
META = "meta"
BATCH_ROWS = 256

_REAL = ("mention", "use", "score")
_INTEGER = ("start_char", "end_char")
_NESTED = ("spans", META)


class OutputError(ValueError):
    """An output cannot be written."""


class Writer(Protocol):
    """Takes rows one by one."""

    def write(self, record: dict[str, Any]) -> None:
        """Write one row."""

    def close(self) -> None:
        """Write what is left."""


def columns_of(*, flat: bool = False, meta: bool = False) -> tuple[str, ...]:
    """Give the columns of a table.

    :param flat: one row a span, not one a document.
    :param meta: with what was carried through from the input.
    :return: their names, in order.
    """
    return (*(FLAT_COLUMNS if flat else CSV_COLUMNS), *((META,) if meta else ()))


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
        self._rows.writerow({name: _cell(name, value) for name, value in record.items()})

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


class SqliteWriter:
    """A table ``documents`` or ``spans``; what is nested is JSON.

    :param path: the file.
    :param columns: the columns.
    """

    def __init__(self, path: Path, columns: tuple[str, ...] = CSV_COLUMNS) -> None:
        import sqlite3

        path.open("wb").close()
        self._database = sqlite3.connect(path)
        typed = ", ".join(f'"{name}" {_sqlite_type(name)}' for name in columns)
        table = table_of(columns)
        self._database.execute(f"CREATE TABLE {table} ({typed})")
        self._insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})"
        self._columns = columns

    def write(self, record: dict[str, Any]) -> None:
        """Write one row.

        :param record: the row.
        """
        cells = [_encodable(_cell(name, record.get(name))) for name in self._columns]
        self._database.execute(self._insert, cells)

    def close(self) -> None:
        """Close the database."""
        self._database.commit()
        self._database.close()


class DuckdbWriter:
    """A table ``documents`` or ``spans``; the spans of a document are a list of structs.

    :param path: the file.
    :param columns: the columns.
    """

    def __init__(self, path: Path, columns: tuple[str, ...] = CSV_COLUMNS) -> None:
        import duckdb

        path.open("wb").close()  # says why the folder cannot be written to
        path.unlink()
        self._database = duckdb.connect(str(path))
        self._rows: list[dict[str, Any]] = []
        self._schema, self._table = arrow_schema(columns), table_of(columns)
        self._database.register("rows", self._schema.empty_table())
        self._database.execute(f"CREATE TABLE {self._table} AS SELECT * FROM rows")

    def write(self, record: dict[str, Any]) -> None:
        """Write one row.

        :param record: the row.
        """
        self._rows.append(for_arrow(record))
        if len(self._rows) >= BATCH_ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is left and close the database."""
        self._flush()
        self._database.close()

    def _flush(self) -> None:
        import pyarrow

        table = pyarrow.Table.from_pylist(self._rows, schema=self._schema)
        self._database.register("rows", table)
        self._database.execute(f"INSERT INTO {self._table} SELECT * FROM rows")
        self._rows = []


def table_of(columns: tuple[str, ...]) -> str:
    """Name the table of a database.

    :param columns: its columns.
    :return: ``documents`` or ``spans``.
    """
    return "documents" if "spans" in columns else "spans"


def arrow_schema(columns: tuple[str, ...] = CSV_COLUMNS) -> Any:
    """Give the Arrow schema of rows.

    :param columns: their columns.
    :return: a ``pyarrow.Schema``.
    """
    import pyarrow as pa

    place = [("start_char", pa.int64()), ("end_char", pa.int64()), ("text", pa.string())]
    span = pa.struct(
        [
            *place,
            ("label", pa.string()),
            ("form", pa.string()),
            ("score", pa.float64()),
            ("voice", pa.string()),
            ("voice_score", pa.float64()),
            ("speaker", pa.struct(place)),
            ("target", pa.struct(place)),
            ("responds_to", pa.int64()),
        ]
    )
    types = {"spans": pa.list_(span)}
    types |= dict.fromkeys(_REAL, pa.float64()) | dict.fromkeys(_INTEGER, pa.int64())
    return pa.schema([(name, types.get(name, pa.string())) for name in columns])


def for_arrow(record: dict[str, Any]) -> dict[str, Any]:
    """Make a row fit for Arrow: what is carried through as JSON, lone surrogates written out.

    :param record: the row.
    :return: the row.
    """
    if record.get(META) is not None and not isinstance(record[META], str):
        record = {**record, META: dumps(record[META])}
    encoded: dict[str, Any] = _encodable(record)
    return encoded


def _sqlite_type(name: str) -> str:
    return "REAL" if name in _REAL else "INTEGER" if name in _INTEGER else "TEXT"


def _cell(name: str, value: Any) -> Any:
    return dumps(value) if name in _NESTED and value is not None else value


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _encodable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    return value


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
