"""The documents of one file, whatever its kind; what cannot be read becomes a broken document."""

from collections.abc import Callable, Iterator
from pathlib import Path

from forewarn.encodings import decode_found, describe_bad_bytes
from forewarn.extraction import ExtractionError, extract
from forewarn.records import Document
from forewarn.sources import (
    COMPRESSED,
    BrokenDocument,
    Item,
    RawDocument,
    Read,
    ReadOptions,
    kept,
    open_file,
    size_of,
)
from forewarn.tables import read_csv, read_dataset, read_jsonl, read_parquet
from forewarn.webarchives import read_warc

TEXT_SUFFIXES = (".txt", ".md", ".text")


def read_file(path: Path, options: ReadOptions | None = None) -> Iterator[tuple[Item, int]]:
    """Read the documents of one file; a file of no known kind is one text.

    :param path: the file, or a folder that ``datasets`` saved.
    :param options: how to read.
    :yields: its documents, each with the bytes of the file that were read up to its end.
    """
    reader = read_dataset if path.is_dir() else _READERS.get(kind_of(path), _read_text)
    try:
        yield from reader(path, options or ReadOptions())
    except UnicodeDecodeError as error:
        yield BrokenDocument(str(path), f"{path}: {describe_bad_bytes(error)}"), size_of(path)
    except Exception as error:  # libraries for foreign formats raise anything
        yield BrokenDocument(str(path), f"{path}: cannot be read: {error}"), size_of(path)


def kind_of(path: Path) -> str:
    """Give the suffix that tells how a file is read, leaving out that of a compression.

    :param path: the file.
    :return: a suffix such as ``.jsonl``, in lower case.
    """
    if path.suffix.lower() in COMPRESSED:
        path = path.with_suffix("")
    return path.suffix.lower()


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
    return Document(item.id, text, kept({**meta, **item.meta}, item.keep))


def _read_text(path: Path, options: ReadOptions) -> Read:
    with open_file(path) as (file, _):
        text, encoding = decode_found(file.read(), options.encoding)
    yield Document(str(path), text, kept({"encoding": encoding}, options.carried)), size_of(path)


def _read_page(kind: str) -> Callable[[Path, ReadOptions], Read]:
    def read(path: Path, options: ReadOptions) -> Read:
        with open_file(path) as (file, _):
            content = file.read()
        yield RawDocument(str(path), str(path), kind, content, {}, options.carried), size_of(path)

    return read


_READERS: dict[str, Callable[[Path, ReadOptions], Read]] = {
    ".jsonl": read_jsonl,
    ".csv": read_csv,
    ".parquet": read_parquet,
    ".html": _read_page("html"),
    ".htm": _read_page("html"),
    ".pdf": _read_page("pdf"),
    ".docx": _read_page("docx"),
    ".warc": read_warc,
}

KINDS = (*TEXT_SUFFIXES, *_READERS)
"""The kinds of file that are read out of a folder, each also compressed."""
