"""The figures of an agreement as a Markdown report."""

from collections.abc import Sequence
from typing import Any


def format_agreement(figures: dict[str, Any]) -> str:
    """Write a Markdown report of the agreement.

    :param figures: what ``agreement`` returned.
    :return: the report, with tables, ending in a line break.
    """
    parts = [
        "# Agreement between annotators",
        f"{figures['n_documents']} documents, two annotations each; A is the first, B the second.",
        _headline_table(figures),
        "## Spans by label",
        _label_table(figures),
        "## Links on spans that match",
        _table(
            ("relation", "A", "B", "F1"),
            [(name, r["n_a"], r["n_b"], r["f1"]) for name, r in figures["links"].items()],
        ),
        "## Genres",
        _table(
            ("genre", "documents", "F1 IoU 0.5", "95 % interval", "same voice"),
            [
                (
                    name,
                    row["n_documents"],
                    row["f1_overlap"],
                    _range(row["interval"]),
                    row["voice_agreement_rate"],
                )
                for name, row in figures["genres"].items()
            ],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _headline_table(figures: dict[str, Any]) -> str:
    detection, spans, chance = figures["detection"], figures["spans"], figures["spans"]["chance"]
    gamma = figures["gamma"] or {"mean": None, "n_documents": 0}
    rows: list[tuple[str, float | None, str]] = [
        ("rhetoric in a sentence, Cohen's kappa", detection["kappa"], "detection_kappa"),
        ("rhetoric in a sentence, same answer", detection["agreement_rate"], ""),
        ("spans, F1 exact", spans["micro"]["f1_exact"], "f1_exact"),
        ("spans, F1 at IoU 0.5", spans["micro"]["f1_overlap"], "f1_overlap"),
        ("spans placed at random, F1 exact", chance["f1_exact"], ""),
        ("spans placed at random, F1 at IoU 0.5", chance["f1_overlap"], ""),
        ("spans, Krippendorff's unitising alpha", figures["unitising_alpha"]["mean"], ""),
        (f"spans, gamma ({gamma['n_documents']} documents)", gamma["mean"], ""),
        ("voice, Cohen's kappa", figures["voice"]["kappa"], "voice_kappa"),
        ("voice, same", figures["voice"]["agreement_rate"], ""),
        ("form, Cohen's kappa", figures["form"]["kappa"], ""),
        ("form, same", figures["form"]["agreement_rate"], ""),
        *((f"{k}, F1", link["f1"], f"{k}_f1") for k, link in figures["links"].items()),
    ]
    intervals = figures["intervals"]
    return _table(
        ("figure", "value", "95 % interval"),
        [(name, value, _range(intervals.get(key))) for name, value, key in rows],
    )


def _label_table(figures: dict[str, Any]) -> str:
    spans, alpha = figures["spans"], figures["unitising_alpha"]
    rows = [(label, row, alpha["labels"][label]) for label, row in spans["labels"].items()]
    rows.append(("all", spans["micro"], alpha["mean"]))
    intervals = {**figures["intervals"], "all": figures["intervals"]["f1_overlap"]}
    return _table(
        ("label", "A", "B", "F1 exact", "F1 IoU 0.5", "95 % interval", "alpha"),
        [
            (k, r["n_a"], r["n_b"], r["f1_exact"], r["f1_overlap"], _range(intervals.get(k)), x)
            for k, r, x in rows
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *([_say(x) for x in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _range(interval: Sequence[float] | None) -> str:
    return " to ".join(map(_say, interval or ()))


def _say(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
