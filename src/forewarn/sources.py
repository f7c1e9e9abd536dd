"""What all readers share: the states of a document, how files are read, and open files."""

import gzip
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from forewarn.encodings import AUTO, SAMPLE_BYTES, UTF8, find_encoding
from forewarn.records import Document

COMPRESSED = (".gz", ".zst")
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


def size_of(path: Path) -> int:
    """Give the size of a file, 0 if there is none.

    :param path: the file.
    :return: its bytes.
    """
    try:
        return path.stat().st_size
    except OSError:  # reading it will say why
        return 0


@contextmanager
def open_file(path: Path) -> Iterator[tuple[BinaryIO, Callable[[int], int]]]:
    """Open a file, decompressing it.

    :param path: the file.
    :yields: the open file, and what turns offsets in it into bytes of the file on disk.
    """
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


def encoding_of(path: Path, options: ReadOptions) -> str:
    """Find the encoding of a file of records by its lines that are not plain ASCII.

    :param path: the file.
    :param options: how to read.
    :return: a Python name of the encoding.
    """
    if options.encoding != AUTO:
        return options.encoding
    sample = b""
    with open_file(path) as (file, _):
        for n, line in enumerate(file):
            if n == 0 or not line.isascii():
                sample += line
            if len(sample) >= SAMPLE_BYTES:
                break
    return find_encoding(sample) or UTF8


def from_fields(
    id_: str, place: str, raw: dict[str, Any], options: ReadOptions, encoding: str = UTF8
) -> Document | BrokenDocument:
    """Make a document of the fields of a record.

    :param id_: the id of a record that has none.
    :param place: file and record, for messages.
    :param raw: the fields.
    :param options: which of them are what.
    :param encoding: in which encoding the record was.
    :return: the document, or a broken one that says what is missing.
    """
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
    return Document(id_, text, kept({"encoding": encoding, **rest}, options.carried))


def kept(fields: dict[str, Any], keep: tuple[str, ...]) -> dict[str, Any] | None:
    """Choose what is carried through.

    :param fields: all that is known beside the text.
    :param keep: names; ``*`` for all.
    :return: plain JSON values by name, or None if nothing is asked for.
    """
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
