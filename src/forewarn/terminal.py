"""Show a scored document on a terminal, readable with and without colour."""

from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from forewarn import labels
from forewarn.batch import BatchResult

STYLES = {
    labels.Kind.RHETORIC: "bold white on dark_red",
    labels.Kind.COUNTER: "bold white on dark_green",
}


def render_record(record: dict[str, Any], text: str) -> RenderableType:
    """Lay out a record: the text with its spans numbered, a table of them, the document's scores.

    :param record: a record of ``forewarn score``, without error.
    :param text: the document's text.
    :return: what ``rich`` prints.
    """
    scores = Text(
        f"{record['id']}: mention {record['mention']:.2f}, use {record['use']:.2f} "
        f"({record['model']})",
        style="bold",
    )
    if not record["spans"]:
        return Group(Text(text), Text(), scores, Text("nothing flagged"))
    return Group(mark_spans(text, record["spans"]), Text(), scores, tabulate(record["spans"]))


def mark_spans(text: str, spans: list[dict[str, Any]]) -> Text:
    """Put numbered brackets and colours around spans.

    :param text: the text.
    :param spans: the record's spans.
    :return: the marked text.
    """
    marks: list[tuple[int, int, str]] = []
    for n, span in enumerate(spans, 1):
        marks += [(span["start_char"], 1, f"[{n} "), (span["end_char"], 0, "]")]
    edges = sorted({0, len(text), *(place for place, *_ in marks)})
    marked = Text()
    for left, right in zip(edges, [*edges[1:], len(text)], strict=True):
        for place, _, mark in sorted(marks):
            if place == left:
                marked.append(mark, style="bold")
        inside = [s for s in spans if s["start_char"] <= left and right <= s["end_char"]]
        style = STYLES[labels.kind_of(inside[0]["label"])] if inside and left < right else ""
        marked.append(text[left:right], style=style)
    return marked


def tabulate(spans: list[dict[str, Any]]) -> Table:
    """List spans with voice, speaker, target and score.

    :param spans: the record's spans.
    :return: the table.
    """
    table = Table(box=None, pad_edge=False)
    for column in ("", "label", "voice", "speaker", "target", "score"):
        table.add_column(column, justify="right" if column in ("", "score") else "left")
    for n, span in enumerate(spans, 1):
        label = f"{span['label']} ({span['form']})" if span["form"] else span["label"]
        speaker, target = (
            span[role]["text"] if span[role] else "" for role in ("speaker", "target")
        )
        if span["responds_to"] is not None:
            target = f"answers {span['responds_to'] + 1}"
        table.add_row(
            str(n),
            label,
            span["voice"] or "",
            Text(" ".join(speaker.split())),
            Text(" ".join(target.split())),
            f"{span['score']:.2f}",
        )
    return table


def describe_batch(result: BatchResult, folder: Path, seconds: float) -> str:
    """Sum up a run over many documents.

    :param result: how it ended.
    :param folder: its output folder.
    :param seconds: how long it took since it was started last.
    :return: a few lines.
    """
    counts = result.counts
    errors = ", ".join(f"{n} {kind}" for kind, n in sorted(counts.errors.items()))
    encodings = ", ".join(f"{n} {name}" for name, n in sorted(counts.encodings.items()))
    lines = [
        f"{counts.n_documents:,} documents in {result.n_shards} shards, {counts.n_words:,} words; "
        f"{result.n_shards - result.n_before} shards in {seconds:,.1f} s just now",
        f"flagged: {counts.n_flagged:,} documents, {counts.n_spans:,} spans",
        f"errors: {errors or 'none'}",
    ]
    if result.n_before == 0 and seconds > 0:
        lines[0] += f", {counts.n_words / seconds:,.0f} words/s"
    if encodings:
        lines.append(f"encodings found: {encodings}")
    if result.stopped_by is None:
        lines.append(f"written to {folder}")
    else:
        lines.append(f"stopped; the shards in {folder} are whole: run the same command to go on")
    return "\n".join(lines)
