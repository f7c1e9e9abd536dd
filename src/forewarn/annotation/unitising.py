"""Two coefficients for spans that annotators place freely: Krippendorff's alpha and gamma.

Both correct for chance and need no pairing rule such as a least overlap. Alpha looks at one label
at a time, character by character; gamma aligns the spans of all labels and weighs their places and
labels together.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from forewarn.evaluate import SCORED_LABELS
from forewarn.records import SourceDocument
from forewarn.rules import Span

N_SAMPLES = 10
PRECISION = "low"
"""Gamma's random continua a document: at least ten, then as many as leave an error of 10 %."""


def unitising_alpha(
    a: Sequence[tuple[int, int]], b: Sequence[tuple[int, int]], length: int
) -> float | None:
    """Compute Krippendorff's alpha for the units of one label, by two annotators.

    The coefficient is the one that Krippendorff (1995, "On the reliability of unitizing continuous
    data", Sociological Methodology 25) proposed, in the form that replaced it: Krippendorff,
    Mathet, Bouvry and Widlöcher (2016, "On the reliability of unitizing textual continua: Further
    developments", Quality & Quantity 50), equations 1, 4 and 5a. With one label, units and the
    gaps between them are the only two values, so that for two annotators

        alpha = 1 - D_o / D_e,  D_o = 2 d,  D_e = 2 * 2L n (2L - n) / ((2L)^2 - Q - (2L - n)),

    where L is the length of the continuum, d the number of characters inside a unit of just one
    annotator, n the characters inside units of both annotators together, and Q the sum of the
    squared lengths of all units. Q and 2L - n leave out of chance what cannot be paired by chance:
    a unit with itself, which stays whole, and a character of a gap with itself.

    Boundaries count only where unit meets gap: two units that touch are as good as one.

    :param a: half-open offsets of one annotator's units, which do not overlap with each other.
    :param b: the other annotator's.
    :param length: length of the continuum.
    :return: 1 for equal units, about 0 for chance, below 0 for worse; None if there are no units,
        or no gaps.
    """
    left, right = (np.array(units, dtype=np.int64).reshape(-1, 2) for units in (a, b))
    lengths = np.diff(np.concatenate([left, right]), axis=1)
    n_inside, n_both = int(lengths.sum()), 2 * length
    n_outside = n_both - n_inside
    if n_inside == 0 or n_outside == 0:
        return None
    starts = np.maximum.outer(left[:, 0], right[:, 0])
    ends = np.minimum.outer(left[:, 1], right[:, 1])
    n_shared = int((ends - starts).clip(min=0).sum())
    observed = n_inside - 2 * n_shared
    pairs = n_both**2 - int((lengths**2).sum()) - n_outside
    return 1 - observed * pairs / (n_both * n_inside * n_outside)


def alpha_figures(documents: Sequence[SourceDocument]) -> dict[str, Any]:
    """Compute alpha for every label over all documents, laid end to end as one continuum.

    Spans of one label never overlap within an annotator, so each label is a continuum of its own.
    As there is one continuum, to agree on the documents that hold no such span counts as well.

    :param documents: documents with two annotations each.
    :return: ``labels``, alpha by label, and ``mean``, weighted by the number of both annotators'
        spans; None where a label has no span.
    """
    units: dict[str, tuple[list[tuple[int, int]], list[tuple[int, int]]]]
    units = {label: ([], []) for label in SCORED_LABELS}
    length = 0
    for document in documents:
        for who, layer in enumerate(document.annotations):
            for span in _scored(layer.spans):
                offsets = (length + span.start_char, length + span.end_char)
                units[span.label][who].append(offsets)
        length += len(document.text)
    alphas = {label: unitising_alpha(a, b, length) for label, (a, b) in units.items()}
    weights = {label: len(a) + len(b) for label, (a, b) in units.items()}
    return {"mean": _mean(alphas, weights), "labels": alphas}


def gamma_figures(documents: Sequence[SourceDocument], *, seed: int = 0) -> dict[str, Any]:
    """Compute gamma (Mathet, Widlöcher and Métivier 2015, Computational Linguistics 41).

    Gamma is 1 less the disorder of the best alignment of both annotators' spans, over the disorder
    of random continua of like spans; it is computed within each document that holds a span, by
    pygamma-agreement, with the dissimilarity that weighs place and label alike.

    :param documents: documents with two annotations each.
    :param seed: seed of the random continua; the state of ``numpy.random`` is put back.
    :return: ``mean``, weighted by the number of spans, with ``n_documents`` and ``n_spans`` that
        went into it; the mean is None if no document holds a span.
    :raises ImportError: if pygamma-agreement is not installed; the message says how to.
    """
    try:
        from pygamma_agreement import CombinedCategoricalDissimilarity
    except ImportError as error:
        raise ImportError(
            f"gamma needs pygamma-agreement ({error}); pip install 'forewarn[annotate]'"
        ) from error
    gammas: dict[str, float | None] = {}
    weights: dict[str, int] = {}
    with _seeded(seed), _quiet():
        dissimilarity = CombinedCategoricalDissimilarity()
        for document in documents:
            spans = [_scored(layer.spans) for layer in document.annotations]
            if any(spans):
                gammas[document.id] = _gamma(spans, dissimilarity)
                weights[document.id] = sum(map(len, spans))
    used = [id_ for id_, value in gammas.items() if value is not None]
    return {
        "mean": _mean(gammas, weights),
        "n_documents": len(used),
        "n_spans": sum(weights[id_] for id_ in used),
    }


def _gamma(spans: Sequence[Sequence[Span]], dissimilarity: Any) -> float | None:
    from pyannote.core import Segment
    from pygamma_agreement import Continuum

    continuum = Continuum()
    for who, layer in zip("ab", spans, strict=True):
        continuum.add_annotator(who)
        for span in layer:
            continuum.add(who, Segment(span.start_char, span.end_char), span.label)
    result = continuum.compute_gamma(dissimilarity, n_samples=N_SAMPLES, precision_level=PRECISION)
    if result.observed_disorder > 0 and result.expected_disorder == 0:
        return None
    return float(result.gamma)


def _scored(spans: Sequence[Span]) -> list[Span]:
    return [span for span in spans if span.label in SCORED_LABELS]


def _mean(values: dict[str, float | None], weights: dict[str, int]) -> float | None:
    known = {name: value for name, value in values.items() if value is not None}
    total = sum(weights[name] for name in known)
    return sum(weights[name] * value for name, value in known.items()) / total if total else None


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed numpy's global generator, the only one that pygamma-agreement draws from."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what is logged at the root, where pygamma-agreement names its solver at every call."""
    root, handler = logging.getLogger(), logging.NullHandler()
    # Without any handler, logging.warning() would install one for the whole process.
    root.addHandler(handler)
    root.addFilter(_drop)
    try:
        yield
    finally:
        root.removeFilter(_drop)
        root.removeHandler(handler)


def _drop(record: logging.LogRecord) -> bool:
    return False
