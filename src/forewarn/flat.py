"""The flat form of records: one row a span, as an analyst opens it in a table."""

from bisect import bisect_right
from typing import Any

from forewarn.sentences import split_sentences

COLUMNS = (
    "document",
    "date",
    "label",
    "form",
    "voice",
    "score",
    "text",
    "sentence",
    "speaker",
    "target",
    "start_char",
    "end_char",
    "error",
)


def flatten(
    record: dict[str, Any], text: str | None, date_column: str = "date"
) -> list[dict[str, Any]]:
    """Make the rows of one record.

    :param record: a record of ``forewarn score``.
    :param text: the document's text; None if it is not at hand: then the sentence is what the span
        itself brings, if anything.
    :param date_column: which of the fields that are carried through is the date.
    :return: one row a span; one row that holds only the error for a document that was not scored;
        none for one without spans.
    """
    meta = record.get("meta")
    shared = {"document": record["id"], "date": (meta or {}).get(date_column)}
    if meta is not None:
        shared["meta"] = meta
    blank = dict.fromkeys(COLUMNS)
    if record["error"] is not None:
        return [{**blank, **shared, "error": record["error"]}]
    if not record["spans"]:
        return []
    sentences = split_sentences(text or "")
    return [{**blank, **shared, **_row(span, text, sentences)} for span in record["spans"]]


def _row(
    span: dict[str, Any], text: str | None, sentences: list[tuple[int, int]]
) -> dict[str, Any]:
    names = ("label", "form", "voice", "score", "text", "start_char", "end_char")
    place = (span["start_char"], span["end_char"])
    return {
        **{name: span[name] for name in names},
        "sentence": span.get("sentence")
        if text is None
        else text[slice(*sentences_around(*place, sentences))],
        "speaker": (span["speaker"] or {}).get("text"),
        "target": (span["target"] or {}).get("text"),
    }


def sentences_around(start: int, end: int, sentences: list[tuple[int, int]]) -> tuple[int, int]:
    """Widen a span to the sentences that it touches.

    :param start: where the span starts.
    :param end: where it ends.
    :param sentences: half-open offsets of the text's sentences, in order.
    :return: half-open offsets.
    """
    if not sentences:
        return start, end
    first = max(0, bisect_right(sentences, start, key=lambda s: s[0]) - 1)
    last = max(first, bisect_right(sentences, end - 1, key=lambda s: s[0]) - 1)
    return min(start, sentences[first][0]), max(end, sentences[last][1])
