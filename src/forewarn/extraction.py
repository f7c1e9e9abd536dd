"""The text of a web page, a PDF or a Word document, by libraries made for it."""

import logging
from collections.abc import Callable
from io import BytesIO
from typing import Any

Extracted = tuple[str, dict[str, Any]]
"""A text and what the file says of itself, such as title and date."""

HINT = "reading {} needs more packages; install them with: pip install 'forewarn[documents]'"


class ExtractionError(ValueError):
    """A file is not what its name says, or holds no text."""


def extract(kind: str, content: bytes) -> Extracted:
    """Take the text out of a file.

    :param kind: a key of ``EXTRACTORS``.
    :param content: the file's bytes.
    :return: the text and what the file says of itself.
    :raises ExtractionError: if there is no text, or the library cannot read the file.
    """
    for name in ("pypdf", "trafilatura", "htmldate"):  # what they say of a file is in the error
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        text, meta = EXTRACTORS[kind](content)
    except ImportError as error:
        raise ExtractionError(HINT.format(kind)) from error
    except ExtractionError:
        raise
    except Exception as error:  # libraries for foreign formats raise anything
        detail = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ExtractionError(f"not a readable {kind} file ({detail})") from error
    if not text.strip():
        raise ExtractionError(f"no text found in this {kind} file; {_REMEDIES[kind]}")
    return text, {name: value for name, value in meta.items() if value}


def _extract_html(content: bytes) -> Extracted:
    import trafilatura

    found = trafilatura.bare_extraction(content, with_metadata=True, include_comments=False)
    if found is None:
        return "", {}
    raw = found.as_dict()
    names = ("title", "author", "date", "url", "sitename")
    return raw["text"] or "", {name: raw.get(name) for name in names}


def _extract_pdf(content: bytes) -> Extracted:
    from pypdf import PdfReader

    reader = PdfReader(BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        raise ExtractionError("the PDF is locked by a password; save it without one")
    text = "\n\n".join(page.extract_text() for page in reader.pages)
    info = reader.metadata
    if info is None:
        return text, {}
    made = info.creation_date
    date = made.date().isoformat() if made else None
    return text, {"title": info.title, "author": info.author, "date": date}


def _extract_docx(content: bytes) -> Extracted:
    from docx import Document as WordDocument
    from docx.table import Table

    document = WordDocument(BytesIO(content))
    parts = []
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            parts += ["\t".join(cell.text for cell in row.cells) for row in block.rows]
        else:
            parts.append(block.text)
    about = document.core_properties
    date = about.created.date().isoformat() if about.created else None
    return "\n".join(parts), {"title": about.title, "author": about.author, "date": date}


EXTRACTORS: dict[str, Callable[[bytes], Extracted]] = {
    "html": _extract_html,
    "pdf": _extract_pdf,
    "docx": _extract_docx,
}

_REMEDIES = {
    "html": "the page may be drawn by scripts: save it as text",
    "pdf": "the pages may be pictures: run text recognition (OCR) first",
    "docx": "it may hold only pictures",
}
