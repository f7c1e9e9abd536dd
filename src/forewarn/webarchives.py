"""Documents of web archives (WARC): pages of HTML and of plain text that a server gave."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forewarn.encodings import decode_found, describe_bad_bytes
from forewarn.records import Document
from forewarn.sources import BrokenDocument, Item, RawDocument, ReadOptions, kept


def read_warc(path: Path, options: ReadOptions) -> Iterator[tuple[Item, int]]:
    """Read the pages of a web archive.

    :param path: where it is.
    :param options: how to read.
    :yields: its documents, each with the bytes of the file that were read up to its end.
    :raises ValueError: if it cannot be read at all.
    """
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
    return Document(id_, text, kept({**meta, "encoding": encoding}, options.carried))
