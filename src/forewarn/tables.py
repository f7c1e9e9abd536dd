"""Documents of tables: .jsonl, .csv, .parquet, and what ``datasets`` saved."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from forewarn.encodings import decode, describe_bad_bytes
from forewarn.records import Document
from forewarn.sources import (
    EVERYTHING,
    BrokenDocument,
    Item,
    ReadOptions,
    encoding_of,
    from_fields,
    open_file,
    size_of,
)

BATCH_ROWS = 256


def read_jsonl(path: Path, options: ReadOptions) -> Iterator[tuple[Item, int]]:
    """Read a file of JSON Lines.

    :param path: where it is.
    :param options: how to read.
    :yields: its documents, each with the bytes of the file that were read up to its end.
    """
    encoding, offset = encoding_of(path, options), 0
    with open_file(path) as (lines, place_of):
        for n, line in enumerate(lines, 1):
            if line.strip():
                id_, place = f"{path}:{n}", f"{path}, line {n}"
                document = _from_json(id_, place, line, offset, options, encoding)
                yield document, place_of(offset + len(line))
            offset += len(line)


def _from_json(
    id_: str, place: str, line: bytes, offset: int, options: ReadOptions, encoding: str
) -> Document | BrokenDocument:
    try:
        raw = json.loads(decode(line, encoding))
    except UnicodeDecodeError as error:
        return BrokenDocument(id_, f"{place}: {describe_bad_bytes(error, offset)}")
    except (json.JSONDecodeError, RecursionError) as error:
        return BrokenDocument(id_, f"{place}: not valid JSON ({error}); mend or remove the line")
    except ValueError:  # the one limit that Python's decoder sets itself
        digits = sys.get_int_max_str_digits()
        return BrokenDocument(
            id_, f"{place}: an integer has more than {digits} digits; write it as a string"
        )
    if not isinstance(raw, dict):
        expected = f"with '{options.id_column}' and '{options.text_column}'"
        return BrokenDocument(id_, f"{place}: a JSON object {expected} is expected")
    return from_fields(id_, place, raw, options, encoding)


def read_csv(path: Path, options: ReadOptions) -> Iterator[tuple[Item, int]]:
    """Read a .csv with a header.

    :param path: where it is.
    :param options: how to read.
    :yields: its documents, each with the bytes of the file that were read up to its end.
    :raises ValueError: if it cannot be read at all.
    """
    csv.field_size_limit(sys.maxsize)
    encoding = encoding_of(path, options)
    with open_file(path) as (raw, place_of):
        file = io.TextIOWrapper(raw, encoding=encoding, errors="surrogateescape", newline="")
        lines = _CsvLines(file, encoding)
        rows = csv.DictReader(lines, strict=True)
        _check_header(rows, lines, options)
        for n in count(1):
            document = _next_csv(f"{path}:{n}", f"{path}, record {n}", rows, lines, options)
            if document is None:
                return
            yield document, place_of(lines.end)


class _CsvLines:
    """The lines of a .csv, as text in which bytes that cannot be decoded are lone surrogates.

    ``end`` is the bytes read so far, ``n`` the lines; ``bad_bytes`` describes the first bad byte
    since it was last set to None.
    """

    def __init__(self, file: TextIO, encoding: str) -> None:
        self._file, self.encoding = file, encoding
        self.end = 0
        self.n = 0
        self.bad_bytes: str | None = None

    def __iter__(self) -> "_CsvLines":
        return self

    def __next__(self) -> str:
        line = next(self._file)
        content = line.encode(self.encoding, "surrogateescape")
        try:
            content.decode(self.encoding)
        except UnicodeDecodeError as error:
            self.bad_bytes = self.bad_bytes or describe_bad_bytes(error, self.end)
        self.end += len(content)
        self.n += 1
        return line.removeprefix("\ufeff") if self.n == 1 else line


def _check_header(rows: "csv.DictReader[str]", lines: _CsvLines, options: ReadOptions) -> None:
    try:
        names = rows.fieldnames
    except csv.Error as error:
        raise ValueError(f"line 1: the header is not valid CSV ({error}); mend it") from error
    if lines.bad_bytes:
        raise ValueError(f"the header is {lines.bad_bytes}")
    if options.text_column not in (names or ()):
        raise ValueError(f"no column '{options.text_column}'; its columns are {names}")


def _next_csv(
    id_: str, place: str, rows: "csv.DictReader[str]", lines: _CsvLines, options: ReadOptions
) -> Document | BrokenDocument | None:
    lines.bad_bytes = None
    first = lines.n + 1
    try:
        row: dict[Any, Any] | None = next(rows, None)
    except csv.Error as error:
        where = f"line {first}" if lines.n == first else f"lines {first} to {lines.n}"
        remedy = "close each quote, and double those inside a cell"
        return BrokenDocument(id_, f"{place}: {where}: not valid CSV ({error}); {remedy}")
    if row is None:
        return None
    if lines.bad_bytes:
        return BrokenDocument(id_, f"{place}: {lines.bad_bytes}")
    if None in row:
        wrong = f"line {lines.n}: {len(row[None])} more cells than the header has"
        return BrokenDocument(id_, f"{place}: {wrong}; put cells that hold commas in quotes")
    return from_fields(id_, place, row, options, lines.encoding)


def read_parquet(path: Path, options: ReadOptions) -> Iterator[tuple[Item, int]]:
    """Read a Parquet file, in batches.

    :param path: where it is.
    :param options: how to read.
    :yields: its documents, each with the bytes of the file that were read up to its end.
    :raises ValueError: if it cannot be read at all.
    """
    from pyarrow import ArrowException, parquet

    try:
        file = parquet.ParquetFile(path)
        names = file.schema_arrow.names
        if options.text_column not in names:
            raise ValueError(f"no column '{options.text_column}'; its columns are {names}")
        n, size = 0, size_of(path)
        wanted = [options.text_column, options.id_column, *options.keep]
        columns = None if EVERYTHING in wanted else [name for name in names if name in wanted]
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
            for row in batch.to_pylist():
                n += 1
                document = from_fields(f"{path}:{n}", f"{path}, record {n}", row, options)
                yield document, size * n // file.metadata.num_rows
    except ArrowException as error:
        raise ValueError(f"not a readable Parquet file: {error}") from error


def is_dataset(folder: Path) -> bool:
    """Tell whether ``datasets`` saved a folder.

    :param folder: the folder.
    :return: whether ``datasets.load_from_disk`` reads it.
    """
    names = ("dataset_dict.json", "dataset_info.json")
    return any((folder / name).is_file() for name in names)


def read_dataset(path: Path, options: ReadOptions) -> Iterator[tuple[Item, int]]:
    """Read all splits of a folder that ``datasets`` saved.

    :param path: where it is.
    :param options: how to read.
    :yields: its documents, each with the bytes of the file that were read up to its end.
    :raises ValueError: if it cannot be read at all.
    """
    try:
        from datasets import load_from_disk
    except ImportError as error:
        raise ValueError(
            "reading a dataset's folder needs one more package: pip install 'forewarn[corpus]'"
        ) from error
    loaded = load_from_disk(str(path))
    splits = loaded.items() if hasattr(loaded, "items") else [("", loaded)]
    for split, rows in splits:
        where = f"{path}/{split}" if split else str(path)
        if options.text_column not in rows.column_names:
            raise ValueError(
                f"no column '{options.text_column}'; its columns are {rows.column_names}"
            )
        for n, row in enumerate(rows, 1):
            yield from_fields(f"{where}:{n}", f"{where}, record {n}", dict(row), options), 0
