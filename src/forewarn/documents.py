"""Files of any kind to documents; what cannot be read becomes a broken document, never nothing."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from forewarn.records import Document

STDIN = "-"
TEXT_SUFFIXES = (".txt", ".md", ".text")
BATCH_ROWS = 256


@dataclass(frozen=True, slots=True)
class BrokenDocument:
    """A record that could not be read; ``error`` names the file, the place and the remedy."""

    id: str
    error: str


Read = Iterator[Document | BrokenDocument]


class InputError(ValueError):
    """An input does not exist or holds nothing that can be read."""


def stream_documents(inputs: Iterable[str]) -> Iterator[Document | BrokenDocument]:
    """Read documents one after the other, in input order.

    :param inputs: paths of text files, .jsonl, .csv, .parquet or folders of them; ``-`` is the
        standard input, read as one text.
    :yields: documents, and a broken one for every record that cannot be read.
    :raises InputError: if a path does not exist or a folder holds no readable file.
    """
    for path in list_files(inputs):
        yield from [read_stdin()] if path == STDIN else read_file(Path(path))


def list_files(inputs: Iterable[str]) -> list[str]:
    """Resolve folders to the files in them, at any depth, sorted by path.

    :param inputs: paths, or ``-``.
    :return: paths of files, or ``-``.
    :raises InputError: if a path does not exist or a folder holds no readable file.
    """
    found: list[str] = []
    for name in inputs:
        path = Path(name)
        if name == STDIN or path.is_file():
            found.append(name)
        elif path.is_dir():
            inside = [str(p) for p in sorted(path.rglob("*")) if _is_readable_kind(p)]
            if not inside:
                kinds = ", ".join((*TEXT_SUFFIXES, *_READERS))
                raise InputError(f"{name}: no files of the kinds {kinds} in this folder")
            found += inside
        else:
            raise InputError(f"{name}: no such file or folder")
    return found


def read_file(path: Path) -> Iterator[Document | BrokenDocument]:
    """Read the documents of one file; a file that is none of the record formats is one text.

    :param path: the file.
    :yields: its documents.
    """
    reader = _READERS.get(path.suffix.lower(), _read_text)
    try:
        yield from reader(path)
    except UnicodeDecodeError as error:
        yield BrokenDocument(str(path), f"{path}: {describe_bad_bytes(error)}")
    except (OSError, csv.Error, ValueError) as error:
        yield BrokenDocument(str(path), f"{path}: cannot be read: {error}")


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
    yield Document(str(path), decode(path.read_bytes()))


def _read_jsonl(path: Path) -> Read:
    with path.open("rb") as lines:
        for n, (offset, line) in enumerate(_lines(lines), 1):
            if line.strip():
                yield _from_json(f"{path}:{n}", f"{path}, line {n}", line, offset)


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
    meta = {key: value for key, value in raw.items() if key not in ("id", "text")}
    return Document(id_, text, meta)


def _read_csv(path: Path) -> Read:
    csv.field_size_limit(sys.maxsize)
    _check_utf8(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if "text" not in (rows.fieldnames or ()):
            raise ValueError(f"no column 'text'; its columns are {rows.fieldnames}")
        for n, row in enumerate(rows, 1):
            yield _from_fields(f"{path}:{n}", f"{path}, record {n}", row)


def _check_utf8(path: Path) -> None:
    with path.open("rb") as file:
        for offset, line in _lines(file):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                raise ValueError(describe_bad_bytes(error, offset)) from error


def _read_parquet(path: Path) -> Read:
    from pyarrow import ArrowException, parquet

    try:
        file = parquet.ParquetFile(path)
        names = file.schema_arrow.names
        if "text" not in names:
            raise ValueError(f"no column 'text'; its columns are {names}")
        n = 0
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            for row in batch.to_pylist():
                n += 1
                yield _from_fields(f"{path}:{n}", f"{path}, record {n}", row)
    except ArrowException as error:
        raise ValueError(f"not a readable Parquet file: {error}") from error


_READERS: dict[str, Callable[[Path], Read]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}


def _is_readable_kind(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in (*TEXT_SUFFIXES, *_READERS)
