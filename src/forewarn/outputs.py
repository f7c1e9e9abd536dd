"""Write the records of ``forewarn score``: .jsonl, .parquet, .csv."""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from forewarn.jsonl import dumps

CSV_COLUMNS = ("id", "mention", "use", "model", "taxonomy", "error", "spans")
BATCH_ROWS = 256


class OutputError(ValueError):
    """An output cannot be written."""


class Writer(Protocol):
    """Takes records one by one."""

    def write(self, record: dict[str, Any]) -> None:
        """Write one record."""

    def close(self) -> None:
        """Write what is left."""


@contextmanager
def open_output(path: Path) -> Iterator[Writer]:
    """Open a writer by the suffix of a path; the file appears whole, at the end, or not at all.

    :param path: a path that ends in .jsonl, .parquet or .csv.
    :yields: the writer.
    :raises OutputError: if the suffix is unknown, the path is a folder, or its folder cannot be
        written to.
    """
    if path.suffix.lower() not in _WRITERS:
        raise OutputError(f"{path}: unknown kind of output; use one of {', '.join(_WRITERS)}")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        writer = _WRITERS[path.suffix.lower()](partial)
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
        partial.unlink(missing_ok=True)


class JsonlWriter:
    """One record a line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="\n")

    def write(self, record: dict[str, Any]) -> None:
        """Write one record.

        :param record: a record of ``forewarn score``.
        """
        self._file.write(dumps(record) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class CsvWriter:
    """One row a record; the spans are a JSON list in the last column."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="", errors="backslashreplace")
        self._rows = csv.DictWriter(self._file, CSV_COLUMNS)
        self._rows.writeheader()

    def write(self, record: dict[str, Any]) -> None:
        """Write one record.

        :param record: a record of ``forewarn score``.
        """
        self._rows.writerow({**record, "spans": dumps(record["spans"])})

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class ParquetWriter:
    """One row a record, the spans as a list of structs."""

    def __init__(self, path: Path) -> None:
        from pyarrow import parquet

        self._rows: list[dict[str, Any]] = []
        self._schema = parquet_schema()
        path.open("wb").close()
        self._file = parquet.ParquetWriter(path, self._schema)

    def write(self, record: dict[str, Any]) -> None:
        """Write one record.

        :param record: a record of ``forewarn score``.
        """
        self._rows.append(_encodable(record))
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


def parquet_schema() -> Any:
    """Give the Arrow schema of a record.

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
    return pa.schema(
        [
            ("id", pa.string()),
            ("mention", pa.float64()),
            ("use", pa.float64()),
            ("model", pa.string()),
            ("taxonomy", pa.string()),
            ("error", pa.string()),
            ("spans", pa.list_(span)),
        ]
    )


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _encodable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    return value


_WRITERS: dict[str, Any] = {".jsonl": JsonlWriter, ".parquet": ParquetWriter, ".csv": CsvWriter}
