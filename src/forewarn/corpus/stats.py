"""What the corpus is composed of: counts as Markdown tables, and as plots."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forewarn import labels
from forewarn.corpus.load import SPLITS, GoldDocument, read_split
from forewarn.jsonl import read_json

Table = tuple[str, Sequence[str], Sequence[Sequence[Any]]]
"""A title, the columns' names, and the rows."""

PLAIN_KINDS = ("hard", "plain", "not asked for")
"""What the brief of a document without rhetoric asked for: words that look like rhetoric, none of
them, or a text with rhetoric."""


def corpus_tables(corpus: Path) -> list[Table]:
    """Count what the built corpus holds.

    :param corpus: the corpus folder, built.
    :return: the tables, in the order in which they are shown.
    :raises OSError: if a document's source file is missing.
    :raises ValueError: if a split has not been built, or a file is broken.
    """
    by_split = {split: read_split(corpus, split) for split in SPLITS}
    documents = [document for split in SPLITS for document in by_split[split]]
    return [
        ("Splits", _SIZE_COLUMNS, [_size(split, by_split[split]) for split in SPLITS]
         + [_size("all", documents)]),
        ("Labels by split", ("label", *SPLITS, "all"), _labels_by_split(by_split)),
        ("Rhetoric by voice", ("label", *labels.VOICES, "all"), _labels_by_voice(documents)),
        ("Dehumanising labels by form", ("form", "spans"), _forms(documents)),
        ("Relations", ("relation", "links"), _relations(documents)),
        ("Genres", _GROUP_COLUMNS, _groups(documents, "genre")),
        ("Settings", _GROUP_COLUMNS, _groups(documents, "setting")),
        ("Labels by genre", ("genre", *labels.RHETORIC), _labels_by(documents, "genre")),
        ("Labels by setting", ("setting", *labels.RHETORIC), _labels_by(documents, "setting")),
        ("Plain documents", ("brief", *SPLITS, "all"), _plain_briefs(corpus, by_split)),
        ("Decades", ("decade", "documents"), _decades(documents)),
        ("Lengths", ("what", "least", "quarter", "median", "three quarters", "most"),
         _lengths(documents)),
    ]  # fmt: skip


def format_tables(tables: Iterable[Table]) -> str:
    """Write tables as Markdown.

    :param tables: the tables.
    :return: the text.
    """
    parts = []
    for title, columns, rows in tables:
        lines = [f"## {title}", "", _line(columns), _line("---" for _ in columns)]
        parts.append("\n".join([*lines, *map(_line, rows)]))
    return "\n\n".join(parts) + "\n"


def plot_tables(corpus: Path, folder: Path) -> list[Path]:
    """Draw labels by voice, documents by genre and by setting, and the lengths of documents.

    :param corpus: the corpus folder, built.
    :param folder: where the .png files are written; made if needed.
    :return: their paths.
    :raises ImportError: if matplotlib is not installed; the message says how to install it.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise ImportError(
            "plots need matplotlib; install it with: pip install 'forewarn[notebooks]'"
        ) from error
    mpl.use("agg")
    from matplotlib import pyplot

    documents = [document for split in SPLITS for document in read_split(corpus, split)]
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, draw in (
        ("voices.png", _draw_voices),
        ("genres.png", _draw_genres),
        ("settings.png", _draw_settings),
        ("lengths.png", _draw_lengths),
    ):
        figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
        draw(axes, documents)
        figure.savefig(folder / name, dpi=110, metadata={"Software": ""})
        pyplot.close(figure)
        paths.append(folder / name)
    return paths


_SIZE_COLUMNS = (
    "split", "incidents", "documents", "words", "without rhetoric", "share", "spans", "vocabulary",
)  # fmt: skip
_GROUP_COLUMNS = ("name", "documents", "words", "without rhetoric", "rhetoric spans")


def _size(name: str, documents: Sequence[GoldDocument]) -> list[Any]:
    plain = sum(not document.has_mention for document in documents)
    words = {w for d in documents for w in re.findall(r"[^\W\d_]+", d.text.lower())}
    return [
        name,
        len({document.meta["incident"] for document in documents}),
        len(documents),
        _n_words(documents),
        plain,
        f"{plain / max(1, len(documents)):.0%}",
        sum(len(document.spans) for document in documents),
        len(words),
    ]


def _labels_by_split(by_split: Mapping[str, Sequence[GoldDocument]]) -> list[list[Any]]:
    counts = {
        split: Counter(span.label for document in documents for span in document.spans)
        for split, documents in by_split.items()
    }
    return [
        [label, *(counts[s][label] for s in SPLITS), sum(counts[s][label] for s in SPLITS)]
        for label in labels.BY_NAME
    ]


def _labels_by_voice(documents: Sequence[GoldDocument]) -> list[list[Any]]:
    counts = Counter((span.label, span.voice) for d in documents for span in d.spans)
    rows: list[list[Any]] = []
    for label in labels.RHETORIC:
        row = [counts[label, voice] for voice in labels.VOICES]
        rows.append([label, *row, sum(row)])
    totals = [sum(row[n + 1] for row in rows) for n in range(len(labels.VOICES) + 1)]
    return [*rows, ["all", *totals]]


def _forms(documents: Sequence[GoldDocument]) -> list[list[Any]]:
    counts = Counter(span.form for d in documents for span in d.spans)
    return [[form, counts[form]] for form in labels.FORMS]


def _relations(documents: Sequence[GoldDocument]) -> list[list[Any]]:
    counts = Counter(relation.type for d in documents for relation in d.relations)
    return [[name, counts[name]] for name in labels.RELATION_BY_NAME]


def _groups(documents: Sequence[GoldDocument], field: str) -> list[list[Any]]:
    groups: dict[str, list[GoldDocument]] = {}
    for document in documents:
        groups.setdefault(document.meta[field], []).append(document)
    return [
        [
            name,
            len(group),
            _n_words(group),
            sum(not document.has_mention for document in group),
            sum(span.label in labels.RHETORIC for d in group for span in d.spans),
        ]
        for name, group in sorted(groups.items())
    ]


def _labels_by(documents: Sequence[GoldDocument], field: str) -> list[list[Any]]:
    counts = Counter((d.meta[field], span.label) for d in documents for span in d.spans)
    names = sorted({document.meta[field] for document in documents})
    return [[name, *(counts[name, label] for label in labels.RHETORIC)] for name in names]


def _plain_briefs(corpus: Path, by_split: Mapping[str, Sequence[GoldDocument]]) -> list[list[Any]]:
    counts = Counter(
        (_plain_kind(corpus, document), split)
        for split, documents in by_split.items()
        for document in documents
        if not document.has_mention
    )
    return [
        [kind, *(counts[kind, s] for s in SPLITS), sum(counts[kind, s] for s in SPLITS)]
        for kind in PLAIN_KINDS
    ]


def _plain_kind(corpus: Path, document: GoldDocument) -> str:
    source = read_json(corpus / "source" / f"{document.id}.json")
    topic = source["provenance"]["brief"].get("no_rhetoric")
    if topic is None:
        return "not asked for"
    return "plain" if topic.startswith("plain:") else "hard"


def _decades(documents: Sequence[GoldDocument]) -> list[list[Any]]:
    counts = Counter(document.meta["date"][:3] + "0s" for document in documents)
    return [[decade, n] for decade, n in sorted(counts.items())]


def _lengths(documents: Sequence[GoldDocument]) -> list[list[Any]]:
    rhetoric = [s for d in documents for s in d.spans if s.label in labels.RHETORIC]
    measured = {
        "words of a document": [len(document.text.split()) for document in documents],
        "characters of a rhetoric span": [len(span.text) for span in rhetoric],
        "rhetoric spans of a document that has any": [
            n for d in documents if (n := sum(span.label in labels.RHETORIC for span in d.spans))
        ],
    }
    return [
        [name, *(int(q) for q in np.quantile(values, [0, 0.25, 0.5, 0.75, 1]))]
        for name, values in measured.items()
    ]


def _n_words(documents: Sequence[GoldDocument]) -> int:
    return sum(len(document.text.split()) for document in documents)


def _line(cells: Iterable[Any]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _draw_voices(axes: Any, documents: Sequence[GoldDocument]) -> None:
    rows = _labels_by_voice(documents)[:-1]
    left = np.zeros(len(rows))
    for n, voice in enumerate(labels.VOICES, 1):
        values = np.array([row[n] for row in rows])
        axes.barh([row[0] for row in rows], values, left=left, label=voice)
        left += values
    axes.set_xlabel("gold spans")
    axes.legend(title="voice")


def _draw_genres(axes: Any, documents: Sequence[GoldDocument]) -> None:
    _draw_groups(axes, documents, "genre")


def _draw_settings(axes: Any, documents: Sequence[GoldDocument]) -> None:
    _draw_groups(axes, documents, "setting")


def _draw_groups(axes: Any, documents: Sequence[GoldDocument], field: str) -> None:
    rows = sorted(_groups(documents, field), key=lambda row: row[1])
    names, total = [row[0] for row in rows], np.array([row[1] for row in rows])
    plain = np.array([row[3] for row in rows])
    axes.barh(names, total - plain, label="with rhetoric")
    axes.barh(names, plain, left=total - plain, label="without")
    axes.set_xlabel("documents")
    axes.tick_params("y", labelsize=7)
    axes.legend()


def _draw_lengths(axes: Any, documents: Sequence[GoldDocument]) -> None:
    axes.hist([len(document.text.split()) for document in documents], bins=40)
    axes.set_xlabel("words of a document")
    axes.set_ylabel("documents")
