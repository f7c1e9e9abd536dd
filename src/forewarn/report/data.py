"""What the page shows, as plain JSON values."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

from forewarn import labels
from forewarn.flat import sentences_around
from forewarn.records import Document
from forewarn.sentences import split_sentences
from forewarn.statements import MetaColumns, known_of, list_statements, named


def page_data(
    records: Sequence[dict[str, Any]],
    documents: Mapping[str, Document] | None = None,
    columns: MetaColumns | None = None,
) -> dict[str, Any]:
    """Gather what the page shows.

    Offsets count UTF-16 units, as JavaScript does.

    :param records: what ``read_predictions`` gave.
    :param documents: the documents that were scored, by id; their texts are shown.
    :param columns: which fields say when, where and by whom.
    :return: JSON values: the scheme, the models and the documents with their spans.
    """
    columns, documents = columns or MetaColumns(), documents or {}
    statements = iter(list_statements(records, documents, columns))
    return {
        "labels": [
            {"name": label.name, "kind": label.kind.value, "definition": label.definition}
            for label in labels.LABELS
            if label.kind is not labels.Kind.ROLE
        ],
        "voices": [{"name": name, "definition": text} for name, text in labels.VOICES.items()],
        "models": sorted({record["model"] for record in records if record.get("model")}),
        "documents": [
            _document(record, documents.get(record["id"]), columns, statements)
            for record in records
        ],
    }


def _document(
    record: dict[str, Any], document: Document | None, columns: MetaColumns, statements: Any
) -> dict[str, Any]:
    known = known_of(record, document)
    shown = {
        "id": record["id"],
        **{name: named(known.get(getattr(columns, name))) for name in MetaColumns.__slots__},
        **{name: record[name] for name in ("mention", "use", "error")},
        "text": None if document is None else document.text,
    }
    if record["error"] is not None:
        return {**shown, "spans": []}
    if document is None:
        spans = [_span(span, next(statements)) for span in record["spans"]]
        return {**shown, "spans": [{**span, "start": None, "end": None} for span in spans]}
    wide = _wide_places(document.text)
    sentences = split_sentences(document.text)
    return {
        **shown,
        "spans": [
            {**_span(span, next(statements)), **_places(span, wide, sentences)}
            for span in record["spans"]
        ],
    }


def _span(span: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """A span whose document is not at hand brings its sentence, if it has one."""
    return {
        **{name: span[name] for name in ("text", "label", "form", "voice")},
        **{name: span[name] for name in ("score", "voice_score")},
        **{name: row[name] for name in ("speaker", "target", "sentence")},
        "answers": span["responds_to"],
        **{name: row[name] for name in ("statement", "n_documents", "n_sources")},
    }


def _places(
    span: dict[str, Any], wide: list[int], sentences: list[tuple[int, int]]
) -> dict[str, Any]:
    def place(start: int, end: int) -> list[int]:
        return [start + bisect_left(wide, start), end + bisect_left(wide, end)]

    start, end = place(span["start_char"], span["end_char"])
    around = sentences_around(span["start_char"], span["end_char"], sentences)
    roles = {
        f"{role}_place": place(span[role]["start_char"], span[role]["end_char"])
        for role in ("speaker", "target")
        if span[role] is not None and span[role].get("start_char") is not None
    }
    # the page cuts the sentence out of the text, so that it is not held twice
    return {"start": start, "end": end, "sentence": None, "around": place(*around), **roles}


def _wide_places(text: str) -> list[int]:
    """Where the characters stand that JavaScript counts as two."""
    return [] if text.isascii() else [n for n, c in enumerate(text) if ord(c) > 0xFFFF]
