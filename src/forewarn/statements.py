"""The analyst's table: who said what about whom, in which voice, where and when."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forewarn.flat import flatten
from forewarn.grouping import group_statements
from forewarn.records import Document

COLUMNS = (
    "statement",
    "n_documents",
    "n_sources",
    "speaker",
    "target",
    "text",
    "label",
    "form",
    "voice",
    "document",
    "source",
    "place",
    "date",
    "score",
    "sentence",
    "start_char",
    "end_char",
)
"""Columns of the table with one row a span."""

GROUPED_COLUMNS = (
    "statement",
    "n_documents",
    "n_sources",
    "n_spans",
    "speakers",
    "targets",
    "text",
    "label",
    "forms",
    "voices",
    "sources",
    "places",
    "first_date",
    "last_date",
    "score",
    "sentence",
    "documents",
)
"""Columns of the table with one row a statement."""


@dataclass(frozen=True, slots=True)
class MetaColumns:
    """Which of the fields that were carried through say when, where and by whom."""

    date: str = "date"
    place: str = "place"
    source: str = "source"


def list_statements(
    records: Iterable[dict[str, Any]],
    documents: Mapping[str, Document] | None = None,
    columns: MetaColumns | None = None,
) -> list[dict[str, Any]]:
    """Make one row a span, near-identical statements numbered alike.

    :param records: what ``read_predictions`` gave; those that hold an error give no row.
    :param documents: the documents that were scored, by id, for sentences and further fields.
    :param columns: which fields say when, where and by whom.
    :return: rows with ``COLUMNS``, in the order of the records.
    """
    columns, documents = columns or MetaColumns(), documents or {}
    rows = [row for record in records for row in _rows(record, documents, columns)]
    numbers = group_statements(rows)
    spread = _spread(rows, numbers)
    return [
        {**dict.fromkeys(COLUMNS), **row, "statement": n, **spread[n]}
        for row, n in zip(rows, numbers, strict=True)
    ]


def known_of(record: dict[str, Any], document: Document | None) -> dict[str, Any]:
    """Give what is known of a document beside its text.

    :param record: its record.
    :param document: the document, if it is at hand.
    :return: fields of both; where they differ, the record's.
    """
    carried = {k: v for k, v in (record.get("meta") or {}).items() if v is not None}
    return {**((document and document.meta) or {}), **carried}


def named(value: Any) -> str | None:
    """Turn a field into text.

    :param value: any JSON value.
    :return: the text, or None if there is nothing.
    """
    return None if value is None or value == "" else str(value)


def group_rows(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Make one row a statement.

    The text and sentence are those of the span with the best score, which is the row's score.

    :param rows: what ``list_statements`` gave.
    :yields: rows with ``GROUPED_COLUMNS``, those in most documents first.
    """
    groups: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["statement"]].append(row)
    for group in sorted(groups.values(), key=lambda group: -group[0]["n_documents"]):
        best = max(group, key=lambda row: row["score"])
        dates = sorted(row["date"] for row in group if row["date"])
        same = ("statement", "n_documents", "n_sources", "text", "label", "score", "sentence")
        yield {
            **dict.fromkeys(GROUPED_COLUMNS),
            **{name: best[name] for name in same},
            **{f"{name}s": _count(row[name] for row in group) for name in _LISTED},
            "n_spans": len(group),
            "first_date": dates[0] if dates else None,
            "last_date": dates[-1] if dates else None,
        }


_LISTED = ("speaker", "target", "form", "voice", "source", "place", "document")


def _rows(
    record: dict[str, Any], documents: Mapping[str, Document], columns: MetaColumns
) -> Iterator[dict[str, Any]]:
    if record["error"] is not None:
        return
    document = documents.get(record["id"])
    known = known_of(record, document)
    shared = {name: named(known.get(getattr(columns, name))) for name in MetaColumns.__slots__}
    for row in flatten(record, None if document is None else document.text):
        yield {k: v for k, v in row.items() if k in COLUMNS} | shared


def _spread(rows: Sequence[dict[str, Any]], numbers: Sequence[int]) -> dict[int, dict[str, int]]:
    documents, sources = defaultdict(set), defaultdict(set)
    for row, n in zip(rows, numbers, strict=True):
        documents[n].add(row["document"])
        sources[n].add(("source", row["source"]) if row["source"] else ("", row["document"]))
    return {n: {"n_documents": len(documents[n]), "n_sources": len(sources[n])} for n in documents}


def _count(values: Iterable[str | None]) -> str | None:
    """List values, the most frequent first, with how often each stands there if not once."""
    counts = Counter(value for value in values if value)
    shown = (f"{value} ({n})" if n > 1 else value for value, n in counts.most_common())
    return "; ".join(shown) or None
