"""Files of any kind to documents; what cannot be read becomes a broken document, never nothing."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from forewarn.records import Document

STDIN = "-"
TEXT_SUFFIXES = (".txt", ".md", ".text")
BATCH_ROWS = 256


@dataclass(frozen=True, slots=True)
class BrokenDocument:
    """A record that could not be read; ``error`` names the file, the place and the remedy."""

    id: str
    error: str


Read = Iterator[tuple[Document | BrokenDocument, int]]
"""Each document of a file, and the bytes of the file that were read up to its end."""


class InputError(ValueError):
    """An input does not exist or holds nothing that can be read."""


def stream_documents(
    files: Iterable[str], report: Callable[[int], object] | None = None
) -> Iterator[Document | BrokenDocument]:
    """Read documents one after the other, in input order.

    :param files: what ``list_files`` gives; ``-`` is the standard input, read as one text.
    :param report: called after each document with the bytes of its file that it took.
    :yields: documents, and a broken one for every record that cannot be read.
    """
    for name in files:
        done = 0
        for document, end in [(read_stdin(), 0)] if name == STDIN else read_file(Path(name)):
            yield document
            if report is not None:
                report(end - done)
            done = end


def count_bytes(files: Iterable[str]) -> int | None:
    """Add up the sizes of files.

    :param files: what ``list_files`` gives.
    :return: the sum, or None if the standard input is among them.
    """
    sizes = [None if name == STDIN else _size(Path(name)) for name in files]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def list_files(inputs: Iterable[str], output: Path | None = None) -> list[str]:
    """Resolve folders to the files in them, at any depth, sorted by path.

    :param inputs: paths of text files, .jsonl, .csv, .parquet or folders of them, or ``-``.
    :param output: the file that will be written; it is passed over inside a folder.
    :return: paths of files, or ``-``.
    :raises InputError: if a path does not exist or is the output, or a folder holds no readable
        file.
    """
    found: list[str] = []
    for name in inputs:
        path = Path(name)
        if path.is_dir():
            found += _list_folder(path, output)
        elif name != STDIN and not path.is_file():
            raise InputError(f"{name}: no such file or folder")
        elif name != STDIN and _is_same(path, output):
            raise InputError(f"{name}: is both input and output; write to another file")
        else:
            found.append(name)
    return found


def _list_folder(folder: Path, output: Path | None) -> list[str]:
    inside = [path for path in sorted(folder.rglob("*")) if _is_readable_kind(path)]
    found = [str(path) for path in inside if not _is_same(path, output)]
    if not found:
        kinds = ", ".join((*TEXT_SUFFIXES, *_READERS))
        raise InputError(f"{folder}: no files of the kinds {kinds} in this folder")
    return found


def _is_same(path: Path, output: Path | None) -> bool:
    return output is not None and output.exists() and path.samefile(output)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # reading it will say why
        return 0


def read_file(path: Path) -> Iterator[tuple[Document | BrokenDocument, int]]:
    """Read the documents of one file; a file that is none of the record formats is one text.

    :param path: the file.
    :yields: its documents, each with the bytes of the file that were read up to its end.
    """
    reader = _READERS.get(path.suffix.lower(), _read_text)
    try:
        yield from reader(path)
    except UnicodeDecodeError as error:
        yield BrokenDocument(str(path), f"{path}: {describe_bad_bytes(error)}"), _size(path)
    except (OSError, csv.Error, ValueError) as error:
        yield BrokenDocument(str(path), f"{path}: cannot be read: {error}"), _size(path)


def read_stdin() -> Document | BrokenDocument:
    """Read the standard input as one text.

    :return: the document, with the id ``-``.
    """
    try:
        return Document(STDIN, decode(sys.stdin.buffer.read()))
    except UnicodeDecodeError as error:
        return BrokenDocument(STDIN, f"standard input: {describe_bad_bytes(error)}")


def decode(content: bytes) -> str:
    """Decode UTF-8, dropping a byte order mark and keeping line ends as they are.

    :param content: the bytes.
    :return: the text.
    """
    return content.removeprefix(b"\xef\xbb\xbf").decode()


def describe_bad_bytes(error: UnicodeDecodeError, offset: int = 0) -> str:
    """Say where a decoding failed and what to do.

    :param error: the failure.
    :param offset: bytes before those that were decoded.
    :return: the message.
    """
    byte = error.object[error.start]
    return (
        f"not valid UTF-8: byte 0x{byte:02x} at offset {offset + error.start} ({error.reason}); "
        "convert the file to UTF-8"
    )


def _read_text(path: Path) -> Read:
    content = path.read_bytes()
    yield Document(str(path), decode(content)), len(content)


def _read_jsonl(path: Path) -> Read:
    with path.open("rb") as lines:
        for n, (offset, line) in enumerate(_lines(lines), 1):
            if line.strip():
                document = _from_json(f"{path}:{n}", f"{path}, line {n}", line, offset)
                yield document, offset + len(line)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    offset = 0
    for line in file:
        yield offset, line
        offset += len(line)


def _from_json(id_: str, place: str, line: bytes, offset: int) -> Document | BrokenDocument:
    try:
        raw = json.loads(decode(line))
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
        return BrokenDocument(id_, f"{place}: a JSON object with 'id' and 'text' is expected")
    return _from_fields(id_, place, raw)


def _from_fields(id_: str, place: str, raw: dict[str, Any]) -> Document | BrokenDocument:
    id_ = id_ if raw.get("id") in (None, "") else str(raw["id"])
    text = raw.get("text")
    if text is None:
        return BrokenDocument(id_, f"{place}: field 'text' is missing; give each record a text")
    if not isinstance(text, str):
        kind = type(text).__name__
        return BrokenDocument(id_, f"{place}: field 'text' is of type {kind}, a string is expected")
    return Document(id_, text)


def _read_csv(path: Path) -> Read:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        lines = _CsvLines(file)
        rows = csv.DictReader(lines, strict=True)
        _check_header(rows, lines)
        for n in count(1):
            document = _next_csv(f"{path}:{n}", f"{path}, record {n}", rows, lines)
            if document is None:
                return
            yield document, lines.end


class _CsvLines:
    """The lines of a .csv, as text in which bytes that are no UTF-8 are lone surrogates.

    ``end`` is the bytes read so far, ``n`` the lines; ``bad_bytes`` describes the first bad byte
    since it was last set to None.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.end = 0
        self.n = 0
        self.bad_bytes: str | None = None

    def __iter__(self) -> "_CsvLines":
        return self

    def __next__(self) -> str:
        line = next(self._file)
        content = line.encode("utf-8", "surrogateescape")
        try:
            content.decode()
        except UnicodeDecodeError as error:
            self.bad_bytes = self.bad_bytes or describe_bad_bytes(error, self.end)
        self.end += len(content)
        self.n += 1
        return line.removeprefix("\ufeff") if self.n == 1 else line


def _check_header(rows: "csv.DictReader[str]", lines: _CsvLines) -> None:
    try:
        names = rows.fieldnames
    except csv.Error as error:
        raise ValueError(f"line 1: the header is not valid CSV ({error}); mend it") from error
    if lines.bad_bytes:
        raise ValueError(f"the header is {lines.bad_bytes}")
    if "text" not in (names or ()):
        raise ValueError(f"no column 'text'; its columns are {names}")


def _next_csv(
    id_: str, place: str, rows: "csv.DictReader[str]", lines: _CsvLines
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
    return _from_fields(id_, place, row)


def _read_parquet(path: Path) -> Read:
    from pyarrow import ArrowException, parquet

    try:
        file = parquet.ParquetFile(path)
        names = file.schema_arrow.names
        if "text" not in names:
            raise ValueError(f"no column 'text'; its columns are {names}")
        n, size = 0, _size(path)
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            for row in batch.to_pylist():
                n += 1
                document = _from_fields(f"{path}:{n}", f"{path}, record {n}", row)
                yield document, size * n // file.metadata.num_rows
    except ArrowException as error:
        raise ValueError(f"not a readable Parquet file: {error}") from error


_READERS: dict[str, Callable[[Path], Read]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}


def _is_readable_kind(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in (*TEXT_SUFFIXES, *_READERS)
