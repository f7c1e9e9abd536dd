"""Compare predictions with gold: spans, voice, links, documents, with intervals and chance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from forewarn import labels
from forewarn.corpus.load import GoldDocument
from forewarn.matching import iou, match_spans
from forewarn.predictions import Prediction, ScoredSpan

SCORED_LABELS = (*labels.RHETORIC, *labels.COUNTER)
LEAST_IOU = 0.5

Counts = npt.NDArray[np.float64]

_SPAN_COLUMNS = ("gold", "predicted", "exact", "overlap", "gold_chars", "predicted_chars", "chars")
_LINKS = {
    "speaker": labels.SPOKEN_BY,
    "target": labels.TARGETS,
    "responds_to": labels.RESPONDS_TO,
}
_LINK_COLUMNS = ("gold", "predicted", "right")


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    """What one document adds to every figure.

    ``spans`` has shape (n_labels, 7), ``voice`` (2,): right, matched, ``form`` likewise, ``links``
    (3, 3): per link the gold, predicted and right ones on matched spans.
    """

    spans: Counts
    voice: Counts
    form: Counts
    links: Counts


def evaluate(
    gold: Sequence[GoldDocument],
    predictions: Sequence[Prediction],
    *,
    n_bootstrap: int = 1000,
    n_chance: int = 20,
    seed: int = 0,
) -> dict[str, Any]:
    """Compute all figures.

    :param gold: gold documents.
    :param predictions: one a document, in the same order.
    :param n_bootstrap: resamples of documents for the 95 % intervals; 0 for none.
    :param n_chance: random placements for the chance baseline.
    :param seed: seed of both.
    :return: nested dicts of figures, each 0..1, or None where there is nothing to divide by.
    :raises ValueError: if there are not as many predictions as documents, or none.
    """
    if len(gold) != len(predictions) or not gold:
        raise ValueError(f"{len(gold)} gold documents but {len(predictions)} predictions")
    counts = [count_document(g, p) for g, p in zip(gold, predictions, strict=True)]
    rng = np.random.default_rng(seed)
    chance = [
        count_document(g, place_at_random(g, p, rng))
        for _ in range(n_chance)
        for g, p in zip(gold, predictions, strict=True)
    ]
    figures = _figures(counts)
    figures["chance"] = _figures(chance)["spans"]["micro"] if chance else None
    figures["documents"] = document_figures(gold, predictions)
    figures["intervals"] = _intervals(gold, predictions, counts, n_bootstrap, rng)
    return {"n_documents": len(gold), **figures}


def count_document(gold: GoldDocument, prediction: Prediction) -> DocumentCounts:
    """Count one document's spans and links.

    :param gold: the gold.
    :param prediction: what was predicted.
    :return: the counts.
    """
    gold_spans = [span for span in gold.spans if span.label in SCORED_LABELS]
    predicted = [span for span in prediction.spans if span.label in SCORED_LABELS]
    matched = match_spans(gold_spans, predicted, least=LEAST_IOU)
    exact = match_spans(gold_spans, predicted, least=1.0)
    spans = np.zeros((len(SCORED_LABELS), len(_SPAN_COLUMNS)))
    row = {label: n for n, label in enumerate(SCORED_LABELS)}
    for g in gold_spans:
        spans[row[g.label], [0, 4]] += 1, g.end_char - g.start_char
    for p in predicted:
        spans[row[p.label], [1, 5]] += 1, p.end_char - p.start_char
    for i, _ in exact:
        spans[row[gold_spans[i].label], 2] += 1
    for i, _ in matched:
        spans[row[gold_spans[i].label], 3] += 1
    for label, n in row.items():
        spans[n, 6] = len(_chars(gold_spans, label) & _chars(predicted, label))
    voice, form, links = np.zeros(2), np.zeros(2), np.zeros((len(_LINKS), len(_LINK_COLUMNS)))
    for i, j in matched:
        g, p = gold_spans[i], predicted[j]
        if g.voice is not None:
            voice += g.voice == p.voice, 1
        if g.form is not None:
            form += g.form == p.form, 1
        for n, name in enumerate(_LINKS):
            links[n] += _count_link(gold, g, prediction, p, name)
    return DocumentCounts(spans, voice, form, links)


def place_at_random(
    gold: GoldDocument, prediction: Prediction, rng: np.random.Generator
) -> Prediction:
    """Move every predicted span to a random place in its document, keeping its length.

    :param gold: the document.
    :param prediction: what was predicted.
    :param rng: source of randomness.
    :return: the moved prediction.
    """
    moved = []
    for span in prediction.spans:
        length = span.end_char - span.start_char
        start = int(rng.integers(0, len(gold.text) - length + 1))
        moved.append(replace(span, start_char=start, end_char=start + length))
    return replace(prediction, spans=tuple(moved))


def document_figures(
    gold: Sequence[GoldDocument], predictions: Sequence[Prediction]
) -> dict[str, float | None]:
    """Average precision and calibration error of the document scores.

    :param gold: gold documents.
    :param predictions: one a document.
    :return: figures, 0..1; None where all documents are alike.
    """
    mention = np.array([g.has_mention for g in gold])
    use = np.array([g.has_use for g in gold])
    mention_scores = np.array([p.mention for p in predictions])
    use_scores = np.array([p.use for p in predictions])
    return {
        "mention_average_precision": _average_precision(mention, mention_scores),
        "use_average_precision": _average_precision(use, use_scores),
        "mention_calibration_error": calibration_error(mention, mention_scores),
        "use_calibration_error": calibration_error(use, use_scores),
        "mention_rate": float(mention.mean()),
        "use_rate": float(use.mean()),
    }


def calibration_error(truth: npt.NDArray[Any], scores: npt.NDArray[Any], n_bins: int = 10) -> float:
    """Expected calibration error over bins of equal width (Naeini et al. 2015).

    :param truth: outcomes, shape (n,).
    :param scores: probabilities, shape (n,).
    :param n_bins: how many bins.
    :return: the error, 0..1.
    """
    bins = np.minimum((scores * n_bins).astype(int), n_bins - 1)
    error = 0.0
    for b in np.unique(bins):
        inside = bins == b
        error += float(inside.mean() * abs(truth[inside].mean() - scores[inside].mean()))
    return error


def _average_precision(truth: npt.NDArray[Any], scores: npt.NDArray[Any]) -> float | None:
    from sklearn.metrics import average_precision_score

    if truth.all() or not truth.any():
        return None
    return float(average_precision_score(truth, scores))


def _chars(spans: Sequence[Any], label: str) -> set[int]:
    return {c for s in spans if s.label == label for c in range(s.start_char, s.end_char)}


def _count_link(
    gold: GoldDocument, span: Any, prediction: Prediction, predicted: ScoredSpan, name: str
) -> Counts:
    tails = gold.tails(_LINKS[name], span)
    if name == "responds_to":
        answered = predicted.responds_to
        found = None if answered is None else prediction.spans[answered]
    else:
        found = predicted.speaker if name == "speaker" else predicted.target  # type: ignore[assignment]
    right = found is not None and any(iou(tail, found) >= LEAST_IOU for tail in tails)
    return np.array([bool(tails), found is not None, right], dtype=float)


def _figures(counts: Sequence[DocumentCounts]) -> dict[str, Any]:
    spans = np.sum([c.spans for c in counts], axis=0)
    links = np.sum([c.links for c in counts], axis=0)
    voice = np.sum([c.voice for c in counts], axis=0)
    form = np.sum([c.form for c in counts], axis=0)
    per_label = {label: _span_figures(spans[n]) for n, label in enumerate(SCORED_LABELS)}
    seen = [f for f in per_label.values() if f["n_gold"]]
    macro = {
        name: float(np.mean([f[name] or 0.0 for f in seen])) if seen else None
        for name in ("f1_exact", "f1_overlap", "f1_chars")
    }
    return {
        "spans": {"micro": _span_figures(spans.sum(axis=0)), "macro": macro, "labels": per_label},
        "voice_accuracy": _ratio(*voice),
        "form_accuracy": _ratio(*form),
        "links": {
            name: _prf(links[n, 2], links[n, 1], links[n, 0]) for n, name in enumerate(_LINKS)
        },
    }


def _span_figures(row: Counts) -> dict[str, Any]:
    n_gold, n_predicted, exact, overlap, gold_chars, predicted_chars, chars = row
    return {
        "n_gold": int(n_gold),
        "n_predicted": int(n_predicted),
        **{f"{k}_exact": v for k, v in _prf(exact, n_predicted, n_gold).items()},
        **{f"{k}_overlap": v for k, v in _prf(overlap, n_predicted, n_gold).items()},
        **{f"{k}_chars": v for k, v in _prf(chars, predicted_chars, gold_chars).items()},
    }


def _prf(right: float, predicted: float, gold: float) -> dict[str, float | None]:
    return {
        "precision": _ratio(right, predicted),
        "recall": _ratio(right, gold),
        "f1": _ratio(2 * right, predicted + gold),
    }


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _headline(
    gold: Sequence[GoldDocument],
    predictions: Sequence[Prediction],
    counts: Sequence[DocumentCounts],
) -> dict[str, float | None]:
    figures = _figures(counts)
    documents = document_figures(gold, predictions)
    return {
        "f1_exact": figures["spans"]["micro"]["f1_exact"],
        "f1_overlap": figures["spans"]["micro"]["f1_overlap"],
        "f1_chars": figures["spans"]["micro"]["f1_chars"],
        "voice_accuracy": figures["voice_accuracy"],
        "speaker_f1": figures["links"]["speaker"]["f1"],
        "target_f1": figures["links"]["target"]["f1"],
        "mention_average_precision": documents["mention_average_precision"],
        "use_average_precision": documents["use_average_precision"],
    }


def _intervals(
    gold: Sequence[GoldDocument],
    predictions: Sequence[Prediction],
    counts: Sequence[DocumentCounts],
    n_bootstrap: int,
    rng: np.random.Generator,
) -> dict[str, list[float] | None]:
    draws: list[dict[str, float | None]] = []
    for _ in range(n_bootstrap):
        picked = rng.integers(0, len(gold), len(gold))
        draws.append(_headline(*(_take(items, picked) for items in (gold, predictions, counts))))
    intervals: dict[str, list[float] | None] = {}
    for name in draws[0] if draws else ():
        values = [value for draw in draws if (value := draw[name]) is not None]
        intervals[name] = (
            [float(q) for q in np.quantile(values, [0.025, 0.975])] if values else None
        )
    return intervals


def _take(items: Sequence[Any], picked: npt.NDArray[np.int64]) -> list[Any]:
    return [items[i] for i in picked]
