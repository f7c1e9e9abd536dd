"""Lay out the figures of an evaluation as tables, and pair predictions with gold."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from forewarn.corpus.load import GoldDocument
from forewarn.predictions import Prediction, prediction_from_record

_FIELDS = {"id", "mention", "use", "error", "spans"}


def align_predictions(
    gold: Sequence[GoldDocument], records: Sequence[dict[str, Any]], path: Path
) -> list[Prediction]:
    """Find the prediction of every gold document.

    :param gold: gold documents.
    :param records: records of ``forewarn score``, in any order.
    :param path: where they were read, for messages.
    :return: one prediction a document.
    :raises ValueError: if one is missing or there twice, is no record of ``forewarn score``, holds
        an error, or was made from another text.
    """
    by_id: dict[str, dict[str, Any]] = {}
    for n, record in enumerate(records, 1):
        if not isinstance(record, dict) or not record.keys() >= _FIELDS:
            raise ValueError(
                f"{path}, record {n}: not a record of 'forewarn score'; give its .jsonl output"
            )
        if record["id"] in by_id:
            raise ValueError(f"{path}, record {n}: second record of document {record['id']!r}")
        by_id[record["id"]] = record
    missing = [document.id for document in gold if document.id not in by_id]
    if missing:
        raise ValueError(
            f"{path}: no prediction for {len(missing)} gold documents, first {missing[0]!r}; score "
            "the gold file itself"
        )
    predictions = [prediction_from_record(by_id[document.id]) for document in gold]
    for document, prediction in zip(gold, predictions, strict=True):
        for span in prediction.spans:
            if document.text[span.start_char : span.end_char] != span.text:
                raise ValueError(
                    f"{path}: document {document.id!r}: span {span.text!r} is not in the gold text "
                    f"at {span.start_char}; score the gold file itself"
                )
    return predictions


def tabulate_figures(figures: dict[str, Any]) -> Iterator[Table]:
    """Lay out an evaluation.

    :param figures: what ``evaluate`` returned.
    :yields: the tables.
    """
    yield _spans(figures["spans"], figures["chance"])
    rest = Table("figure", "value", "95 % interval", title=f"{figures['n_documents']} documents")
    values = {
        "F1 exact": ("f1_exact", figures["spans"]["micro"]["f1_exact"]),
        "F1 IoU 0.5": ("f1_overlap", figures["spans"]["micro"]["f1_overlap"]),
        "F1 characters": ("f1_chars", figures["spans"]["micro"]["f1_chars"]),
        "voice accuracy": ("voice_accuracy", figures["voice_accuracy"]),
        "form accuracy": ("", figures["form_accuracy"]),
        "speaker F1": ("speaker_f1", figures["links"]["speaker"]["f1"]),
        "target F1": ("target_f1", figures["links"]["target"]["f1"]),
        "responds_to F1": ("", figures["links"]["responds_to"]["f1"]),
        **{name.replace("_", " "): (name, value) for name, value in figures["documents"].items()},
    }
    for name, (key, value) in values.items():
        interval = figures["intervals"].get(key)
        rest.add_row(name, _say(value), " to ".join(map(_say, interval)) if interval else "")
    yield rest


def _spans(spans: dict[str, Any], chance: dict[str, Any] | None) -> Table:
    table = Table("label", "gold", "found", title="spans")
    for column in (
        "P exact",
        "R exact",
        "F1 exact",
        "P IoU .5",
        "R IoU .5",
        "F1 IoU .5",
        "F1 chars",
    ):
        table.add_column(column, justify="right")
    rows = {**spans["labels"], "all (micro)": spans["micro"]}
    if chance is not None:
        rows["same lengths at random"] = chance
    for label, row in rows.items():
        cells = [
            row[f"{figure}_{how}"]
            for how in ("exact", "overlap")
            for figure in ("precision", "recall", "f1")
        ]
        counts = ("", "") if label.startswith("same") else (row["n_gold"], row["n_predicted"])
        table.add_row(label, *map(str, counts), *map(_say, cells), _say(row["f1_chars"]))
    macro = spans["macro"]
    table.add_row(
        "all (macro)", "", "", "", "", _say(macro["f1_exact"]), "", "", _say(macro["f1_overlap"]),
        _say(macro["f1_chars"]),
    )  # fmt: skip
    return table


def _say(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
