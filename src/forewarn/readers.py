"""The documents of one file, whatever its kind; what cannot be read becomes a broken document."""

import csv
import gzip
import json
import math
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from forewarn.encodings import (
    AUTO,
    SAMPLE_BYTES,
    UTF8,
    decode,
    decode_found,
    describe_bad_bytes,
    find_encoding,
)
from forewarn.extraction import ExtractionError, extract
from forewarn.records import Document

TEXT_SUFFIXES = (".txt", ".md", ".text")
COMPRESSED = (".gz", ".zst")
BATCH_ROWS = 256
EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class BrokenDocument:
    """A record that could not be read; ``error`` names the file, the place and the remedy.

    ``kind`` is what errors are counted by.
    """

    id: str
    error: str
    kind: str = "unreadable"


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A document whose text is still to be taken out of ``content``, in this or another process."""

    id: str
    place: str
    kind: str
    content: bytes
    meta: dict[str, Any]
    keep: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How files are read.

    ``text_column`` and ``id_column`` name the fields of records; ``keep`` the fields that are
    carried through as ``meta``, ``*`` for all. ``encoding`` is a Python name, or ``auto``.
    """

    text_column: str = "text"
    id_column: str = "id"
    keep: tuple[str, ...] = ()
    encoding: str = UTF8

    @property
    def carried(self) -> tuple[str, ...]:
        """What is carried through: with ``auto`` also the encoding that was found."""
        return self.keep if self.encoding != AUTO else (*self.keep, "encoding")


Item = Document | BrokenDocument | RawDocument
Read = Iterator[tuple[Item, int]]
"""Each document of a file, and the bytes of the file that were read up to its end."""


def read_file(path: Path, options: ReadOptions | None = None) -> Iterator[tuple[Item, int]]:
    """Read the documents of one file; a file of no known kind is one text.

    :param path: the file, or a folder that ``datasets`` saved.
    :param options: how to read.
    :yields: its documents, each with the bytes of the file that were read up to its end.
    """
    reader = _read_dataset if path.is_dir() else _READERS.get(kind_of(path), _read_text)
    try:
        yield from reader(path, options or ReadOptions())
    except UnicodeDecodeError as error:
        yield BrokenDocument(str(path), f"{path}: {describe_bad_bytes(error)}"), size_of(path)
    except _UNREADABLE as error:
        yield BrokenDocument(str(path), f"{path}: cannot be read: {error}"), size_of(path)


def kind_of(path: Path) -> str:
    """Give the suffix that tells how a file is read, leaving out that of a compression.

    :param path: the file.
    :return: a suffix such as ``.jsonl``, in lower case.
    """
    if path.suffix.lower() in COMPRESSED:
        path = path.with_suffix("")
    return path.suffix.lower()


def size_of(path: Path) -> int:
    """Give the size of a file, 0 if there is none.

    :param path: the file.
    :return: its bytes.
    """
    try:
        return path.stat().st_size
    except OSError:  # reading it will say why
        return 0


def finish(item: Item) -> Document | BrokenDocument:
    """Take the text out of a document that is still raw.

    :param item: a document of any state.
    :return: the document, or a broken one that says why there is no text.
    """
    if not isinstance(item, RawDocument):
        return item
    try:
        text, meta = extract(item.kind, item.content)
    except ExtractionError as error:
        return BrokenDocument(item.id, f"{item.place}: {error}", "extraction")
    return Document(item.id, text, _kept({**meta, **item.meta}, item.keep))


def _kept(fields: dict[str, Any], keep: tuple[str, ...]) -> dict[str, Any] | None:
    if not keep:
        return None
    names = list(fields) if EVERYTHING in keep else list(dict.fromkeys(keep))
    return {name: _plain(fields.get(name)) for name in names}


def _plain(value: Any) -> Any:
    """Turn a value into what JSON can hold: dates and the like become text."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


@contextmanager
def _open(path: Path) -> Iterator[tuple[BinaryIO, Callable[[int], int]]]:
    """Open a file, decompressing it, with what turns its offsets into bytes of the file."""
    with path.open("rb") as raw:
        if path.suffix.lower() == ".gz":
            with gzip.open(raw) as file:
                yield cast(BinaryIO, file), lambda _: raw.tell()
        elif path.suffix.lower() == ".zst":
            with _zstd(raw) as file:
                yield file, lambda _: raw.tell()
        else:
            yield raw, lambda offset: offset


def _zstd(raw: BinaryIO) -> BinaryIO:
    import io

    try:
        import zstandard
    except ImportError as error:
        raise ValueError(
            "reading .zst needs one more package: pip install 'forewarn[documents]'"
        ) from error
    reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
    return cast(BinaryIO, io.BufferedReader(reader))


def _read_text(path: Path, options: ReadOptions) -> Read:
    with _open(path) as (file, _):
        text, encoding = decode_found(file.read(), options.encoding)
    yield Document(str(path), text, _kept({"encoding": encoding}, options.carried)), size_of(path)


def _read_page(kind: str) -> Callable[[Path, ReadOptions], Read]:
    def read(path: Path, options: ReadOptions) -> Read:
        with _open(path) as (file, _):
            content = file.read()
        yield RawDocument(str(path), str(path), kind, content, {}, options.carried), size_of(path)

    return read


def _encoding_of(path: Path, options: ReadOptions) -> str:
    """Find the encoding of a file of records by its lines that are not plain ASCII."""
    if options.encoding != AUTO:
        return options.encoding
    sample = b""
    with _open(path) as (file, _):
        for n, line in enumerate(file):
            if n == 0 or not line.isascii():
                sample += line
            if len(sample) >= SAMPLE_BYTES:
                break
    return find_encoding(sample) or UTF8


def _read_jsonl(path: Path, options: ReadOptions) -> Read:
    encoding, offset = _encoding_of(path, options), 0
    with _open(path) as (lines, place_of):
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
    return _from_fields(id_, place, raw, options, encoding)


def _from_fields(
    id_: str, place: str, raw: dict[str, Any], options: ReadOptions, encoding: str = UTF8
) -> Document | BrokenDocument:
    named = raw.get(options.id_column)
    id_ = id_ if named in (None, "") else str(named)
    name, text = options.text_column, raw.get(options.text_column)
    if text is None:
        return BrokenDocument(id_, f"{place}: field '{name}' is missing; give each record a text")
    if not isinstance(text, str):
        kind = type(text).__name__
        return BrokenDocument(id_, f"{place}: field '{name}' is of type {kind}, not a string")
    if not options.carried:
        return Document(id_, text)
    rest = {k: v for k, v in raw.items() if k not in (name, options.id_column)}
    return Document(id_, text, _kept({"encoding": encoding, **rest}, options.carried))


def _read_csv(path: Path, options: ReadOptions) -> Read:
    import io

    csv.field_size_limit(sys.maxsize)
    encoding = _encoding_of(path, options)
    with _open(path) as (raw, place_of):
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
    return _from_fields(id_, place, row, options, lines.encoding)


def _read_parquet(path: Path, options: ReadOptions) -> Read:
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
                document = _from_fields(f"{path}:{n}", f"{path}, record {n}", row, options)
                yield document, size * n // file.metadata.num_rows
    except ArrowException as error:
        raise ValueError(f"not a readable Parquet file: {error}") from error


def _read_warc(path: Path, options: ReadOptions) -> Read:
    """Read the pages of a web archive: HTML and plain text that a server gave."""
    try:
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed
    except ImportError as error:
        raise ValueError(
            "reading WARC needs more packages: pip install 'forewarn[documents]'"
        ) from error
    n = 0
    try:
        with path.open("rb") as raw:
            for record in ArchiveIterator(raw):
                kind = _page_kind(record)
                if kind is None:
                    continue
                n += 1
                headers = record.rec_headers
                meta = {
                    "url": headers.get_header("WARC-Target-URI"),
                    "date": headers.get_header("WARC-Date"),
                }
                content = record.content_stream().read()
                id_, place = f"{path}:{n}", f"{path}, page {n}"
                if kind == "html":
                    document: Item = RawDocument(id_, place, kind, content, meta, options.carried)
                else:
                    document = _plain_page(id_, place, content, meta, options)
                yield document, raw.tell()
    except ArchiveLoadFailed as error:
        raise ValueError(f"not a readable WARC file after page {n}: {error}") from error


def _page_kind(record: Any) -> str | None:
    if record.rec_type == "conversion":
        return "text"
    if record.rec_type not in ("response", "resource"):
        return None
    status = record.http_headers.get_statuscode() if record.http_headers else "200"
    headers = record.http_headers or record.rec_headers
    kind = (headers.get_header("Content-Type") or "").partition(";")[0].strip().lower()
    if not status.startswith("2"):
        return None
    return {"text/html": "html", "application/xhtml+xml": "html", "text/plain": "text"}.get(kind)


def _plain_page(
    id_: str, place: str, content: bytes, meta: dict[str, Any], options: ReadOptions
) -> Document | BrokenDocument:
    try:
        text, encoding = decode_found(content, options.encoding)
    except UnicodeDecodeError as error:
        return BrokenDocument(id_, f"{place}: {describe_bad_bytes(error)}")
    return Document(id_, text, _kept({**meta, "encoding": encoding}, options.carried))


def is_dataset(folder: Path) -> bool:
    """Tell whether ``datasets`` saved a folder.

    :param folder: the folder.
    :return: whether ``datasets.load_from_disk`` reads it.
    """
    names = ("dataset_dict.json", "dataset_info.json")
    return any((folder / name).is_file() for name in names)


def _read_dataset(path: Path, options: ReadOptions) -> Read:
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
            yield _from_fields(f"{where}:{n}", f"{where}, record {n}", dict(row), options), 0


_UNREADABLE = (OSError, EOFError, zlib.error, csv.Error, ValueError, LookupError)

_READERS: dict[str, Callable[[Path, ReadOptions], Read]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".html": _read_page("html"),
    ".htm": _read_page("html"),
    ".pdf": _read_page("pdf"),
    ".docx": _read_page("docx"),
    ".warc": _read_warc,
}

KINDS = (*TEXT_SUFFIXES, *_READERS)
"""The kinds of file that are read out of a folder, each also compressed."""
