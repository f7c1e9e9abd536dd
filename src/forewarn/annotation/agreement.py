"""Agreement of the two annotators of every document, before adjudication.

A is the first annotation of a document and B the second, whoever made them; figures pool all pairs
of annotators. Spans are paired as in an evaluation: same label, one to one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from forewarn import labels
from forewarn.annotation.unitising import alpha_figures, gamma_figures
from forewarn.evaluate import LEAST_IOU, SCORED_LABELS
from forewarn.matching import match_spans
from forewarn.records import Annotation, SourceDocument
from forewarn.rules import Span
from forewarn.sentences import split_sentences

N_CHANCE = 20
"""Random placements of B's spans for the baseline of the spans' F1."""

Numbers = npt.NDArray[np.float64]

_LINKS = (labels.SPOKEN_BY, labels.TARGETS, labels.RESPONDS_TO)
_VOICES, _FORMS = tuple(labels.VOICES), tuple(labels.FORMS)


@dataclass(frozen=True, slots=True)
class PairCounts:
    """What one document, or a sum of them, adds to every figure but the unitising coefficients.

    ``sentences`` (2, 2), ``voice`` (n_voices, n_voices) and ``form`` (n_forms, n_forms) count
    pairs of readings, A's by row and B's by column. ``spans`` (n_labels, 4) holds A's, B's, exact
    and overlapping pairs; ``links`` (n_relations, 3) A's, B's and equal ones on overlapping pairs.
    Sums of resamples have one more axis, the first.
    """

    sentences: Numbers
    spans: Numbers
    voice: Numbers
    form: Numbers
    links: Numbers


def agreement(
    documents: Sequence[SourceDocument],
    *,
    n_bootstrap: int = 1000,
    seed: int = 0,
    gamma: bool = True,
) -> dict[str, Any]:
    """Compute all figures of agreement.

    ``detection`` asks of every sentence whether it holds rhetoric; ``spans`` has F1 ``micro``, by
    chance (B's spans moved at random) and by label; ``unitising_alpha`` and ``gamma`` correct the
    spans' agreement for chance; ``voice``, ``form`` and ``links`` look at spans that overlap with
    an IoU of at least 0.5; ``genres`` and ``intervals`` repeat some of it.

    :param documents: documents with two annotations each.
    :param n_bootstrap: resamples of documents for the 95 % intervals; 0 for none.
    :param seed: seed of the intervals, the random placements and gamma's random continua.
    :param gamma: whether to compute gamma, which needs the extra ``annotate``.
    :return: nested dicts of figures; coefficients reach 1, rates and F1 lie in 0..1, and each is
        None where there is nothing to divide by. ``gamma`` is None if it was not asked for.
    :raises ImportError: if gamma is asked for and pygamma-agreement is not installed.
    :raises ValueError: if there are no documents, or one has not two annotations.
    """
    if not documents:
        raise ValueError("no documents to compute agreement of")
    for document in documents:
        if len(document.annotations) != 2:
            raise ValueError(
                f"document {document.id!r}: agreement needs 2 annotations, found "
                f"{len(document.annotations)}"
            )
    counts = [count_document(document) for document in documents]
    total = _weigh(counts, np.ones(len(counts)))
    rng = np.random.default_rng(seed)
    return {
        "n_documents": len(documents),
        "detection": _detection_figures(total.sentences),
        "spans": {
            "micro": _span_figures(total.spans.sum(axis=0)),
            "chance": _chance_figures(documents, rng),
            "labels": {
                label: _span_figures(row)
                for label, row in zip(SCORED_LABELS, total.spans, strict=True)
            },
        },
        "unitising_alpha": alpha_figures(documents),
        "gamma": gamma_figures(documents, seed=seed) if gamma else None,
        "voice": _attribute_figures(total.voice),
        "form": _attribute_figures(total.form),
        "links": {
            name: {"n_a": int(row[0]), "n_b": int(row[1]), "f1": _number(_f1(*row))}
            for name, row in zip(_LINKS, total.links, strict=True)
        },
        "genres": _genre_figures(documents, counts, n_bootstrap, rng),
        "intervals": _intervals(counts, n_bootstrap, rng),
    }


def count_document(document: SourceDocument) -> PairCounts:
    """Count what both annotators of a document marked.

    :param document: a document with two annotations.
    :return: the counts.
    """
    a, b = document.annotations
    spans_a, spans_b = _scored(a), _scored(b)
    matched = match_spans(spans_a, spans_b, least=LEAST_IOU)
    pairs = [(spans_a[i], spans_b[j]) for i, j in matched]
    return PairCounts(
        sentences=_count_sentences(document.text, spans_a, spans_b),
        spans=_count_spans(spans_a, spans_b),
        voice=_cross([(x.voice, y.voice) for x, y in pairs if x.voice is not None], _VOICES),
        form=_cross([(x.form, y.form) for x, y in pairs if x.form is not None], _FORMS),
        links=np.array([_count_links(a, b, pairs, name) for name in _LINKS], dtype=float),
    )


def _scored(layer: Annotation) -> list[Span]:
    return [span for span in layer.spans if span.label in SCORED_LABELS]


def _count_sentences(text: str, a: Sequence[Span], b: Sequence[Span]) -> Numbers:
    counts = np.zeros((2, 2))
    for start, end in split_sentences(text):
        held = [
            any(s.label in labels.RHETORIC and s.start_char < end and start < s.end_char for s in x)
            for x in (a, b)
        ]
        counts[int(held[0]), int(held[1])] += 1
    return counts


def _count_spans(a: Sequence[Span], b: Sequence[Span]) -> Numbers:
    counts = np.zeros((len(SCORED_LABELS), 4))
    row = {label: n for n, label in enumerate(SCORED_LABELS)}
    for column, spans in enumerate((a, b)):
        for span in spans:
            counts[row[span.label], column] += 1
    for column, least in ((2, 1.0), (3, LEAST_IOU)):
        for i, _ in match_spans(a, b, least=least):
            counts[row[a[i].label], column] += 1
    return counts


def _cross(readings: Sequence[tuple[str | None, str | None]], values: Sequence[str]) -> Numbers:
    counts = np.zeros((len(values), len(values)))
    place: dict[str | None, int] = {value: n for n, value in enumerate(values)}
    for x, y in readings:
        counts[place[x], place[y]] += 1
    return counts


def _count_links(
    a: Annotation, b: Annotation, pairs: Sequence[tuple[Span, Span]], name: str
) -> tuple[int, int, int]:
    """Count A's, B's and equal links that leave spans which match.

    Two are equal if their tails overlap enough, or, where spans are answered, match each other.
    """
    partner = {x.id: y.id for x, y in pairs}
    n_a = n_b = n_same = 0
    for x, y in pairs:
        tails_a, tails_b = _tails(a, name, x), _tails(b, name, y)
        n_a += len(tails_a)
        n_b += len(tails_b)
        if name == labels.RESPONDS_TO:
            n_same += len({partner.get(s.id) for s in tails_a} & {s.id for s in tails_b})
        else:
            n_same += len(match_spans(tails_a, tails_b, least=LEAST_IOU))
    return n_a, n_b, n_same


def _tails(layer: Annotation, name: str, head: Span) -> list[Span]:
    ids = {r.tail for r in layer.relations if (r.type, r.head) == (name, head.id)}
    return [span for span in layer.spans if span.id in ids]


def _weigh(counts: Sequence[PairCounts], weights: Numbers) -> PairCounts:
    """Sum the counts of documents, each taken as often as its weight says.

    ``weights`` has shape (n_documents,), or (n_resamples, n_documents) for many sums at once.
    """
    return PairCounts(
        *(
            np.tensordot(weights, np.stack([getattr(c, name) for c in counts]), axes=1)
            for name in PairCounts.__dataclass_fields__
        )
    )


def _detection_figures(sentences: Numbers) -> dict[str, Any]:
    return {
        "n_sentences": int(sentences.sum()),
        "n_a": int(sentences[1].sum()),
        "n_b": int(sentences[:, 1].sum()),
        **_coefficients(sentences),
    }


def _attribute_figures(confusion: Numbers) -> dict[str, Any]:
    return {"n_matched": int(confusion.sum()), **_coefficients(confusion)}


def _coefficients(confusion: Numbers) -> dict[str, float | None]:
    rate = _number(_divide(np.trace(confusion), confusion.sum()))
    return {"agreement_rate": rate, "kappa": _kappa(confusion)}


def _kappa(confusion: Numbers) -> float | None:
    """Cohen's kappa; None without pairs, or if one value is all that both annotators chose."""
    from sklearn.metrics import cohen_kappa_score

    if np.count_nonzero(confusion.sum(axis=0) + confusion.sum(axis=1)) < 2:
        return None
    a, b = np.indices(confusion.shape)
    return float(cohen_kappa_score(a.ravel(), b.ravel(), sample_weight=confusion.ravel()))


def _kappas(confusions: Numbers) -> Numbers:
    """Cohen's kappa of many tables at once; shape (n, k, k) to (n,), NaN where there is none."""
    total = confusions.sum(axis=(1, 2))
    observed = _divide(np.trace(confusions, axis1=1, axis2=2), total)
    by_chance = (confusions.sum(axis=1) * confusions.sum(axis=2)).sum(axis=1)
    expected = _divide(by_chance, total**2)
    return _divide(observed - expected, 1 - expected)


def _f1(n_a: Any, n_b: Any, n_same: Any) -> Numbers:
    return _divide(2 * n_same, n_a + n_b)


def _divide(part: Any, whole: Any) -> Numbers:
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    quotient: Numbers = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0)
    return quotient


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def _span_figures(row: Numbers) -> dict[str, Any]:
    n_a, n_b, exact, overlap = row
    return {
        "n_a": int(n_a),
        "n_b": int(n_b),
        "f1_exact": _number(_f1(n_a, n_b, exact)),
        "f1_overlap": _number(_f1(n_a, n_b, overlap)),
    }


def _chance_figures(
    documents: Sequence[SourceDocument], rng: np.random.Generator
) -> dict[str, float | None]:
    row = np.zeros(4)
    for document in documents:
        a, b = (_scored(layer) for layer in document.annotations)
        for _ in range(N_CHANCE):
            moved = [_move(span, len(document.text), rng) for span in b]
            row += _count_spans(a, moved).sum(axis=0)
    figures = _span_figures(row)
    return {name: figures[name] for name in ("f1_exact", "f1_overlap")}


def _move(span: Span, length: int, rng: np.random.Generator) -> Span:
    n_chars = span.end_char - span.start_char
    start = int(rng.integers(0, length - n_chars + 1))
    return replace(span, start_char=start, end_char=start + n_chars)


def _genre_figures(
    documents: Sequence[SourceDocument],
    counts: Sequence[PairCounts],
    n_bootstrap: int,
    rng: np.random.Generator,
) -> dict[str, dict[str, Any]]:
    figures = {}
    for genre in sorted({document.genre for document in documents}):
        inside = np.array([document.genre == genre for document in documents], dtype=float)
        total = _weigh(counts, inside)
        figures[genre] = {
            "n_documents": int(inside.sum()),
            "f1_overlap": _span_figures(total.spans.sum(axis=0))["f1_overlap"],
            "interval": _intervals(
                [c for c, d in zip(counts, documents, strict=True) if d.genre == genre],
                n_bootstrap,
                rng,
            )["f1_overlap"],
            "voice_agreement_rate": _number(_divide(np.trace(total.voice), total.voice.sum())),
        }
    return figures


def _intervals(
    counts: Sequence[PairCounts], n_bootstrap: int, rng: np.random.Generator
) -> dict[str, list[float] | None]:
    n = len(counts)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=n_bootstrap).astype(float)
    sums = _weigh(counts, weights)
    spans = np.moveaxis(sums.spans.sum(axis=1), -1, 0)
    draws = {
        "detection_kappa": _kappas(sums.sentences),
        "f1_exact": _f1(spans[0], spans[1], spans[2]),
        "f1_overlap": _f1(spans[0], spans[1], spans[3]),
        "voice_kappa": _kappas(sums.voice),
        **{f"{name}_f1": _f1(*sums.links[:, k].T) for k, name in enumerate(_LINKS)},
        **{label: _f1(*sums.spans[:, k].T[[0, 1, 3]]) for k, label in enumerate(SCORED_LABELS)},
    }
    return {name: _interval(values[~np.isnan(values)]) for name, values in draws.items()}


def _interval(values: Numbers) -> list[float] | None:
    return [float(q) for q in np.quantile(values, [0.025, 0.975])] if len(values) else None
