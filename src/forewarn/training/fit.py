"""Fit what is chosen on validation data: decoding, calibration curves and the threshold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from forewarn import labels
from forewarn.corpus.load import GoldDocument
from forewarn.evaluate import LEAST_IOU
from forewarn.matching import match_spans
from forewarn.model.calibration import Logistic, document_features, fit_logistic
from forewarn.model.decode import N_FEATURES, DecodeSettings, iter_candidates, trim
from forewarn.model.encoder import FloatArray
from forewarn.model.heads import TAG_LABELS
from forewarn.model.predictor import Predictor, Settings
from forewarn.model.windows import Pieces, iter_blocks, tokenize

LEAST_CASES = 20
"""Right and wrong candidates that a label needs, each, for a curve of its own."""

THRESHOLDS = tuple(round(0.2 + 0.025 * n, 3) for n in range(25))


RAW = Logistic((1.0, *[0.0] * (N_FEATURES - 1)), 0.0)
"""The curve that leaves a span's score as the mean probability of its pieces."""

SpanCase = tuple[str, tuple[float, ...], bool]
"""A candidate's label, its features and whether it is right."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A candidate cut out of a text, in the form that spans are matched in."""

    label: str
    start_char: int
    end_char: int
    features: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tagged:
    """A block of a text, its place, its pieces and their tag probabilities."""

    start: int
    pieces: Pieces
    probabilities: FloatArray


def identity_settings(settings: Settings) -> Settings:
    """Make settings that calibrate nothing.

    :param settings: where the windows and the decoding come from.
    :return: settings with curves that give the raw score.
    """
    identity = Logistic((1.0,), 0.0)
    return replace(
        settings,
        span_curves=dict.fromkeys(TAG_LABELS, RAW),
        mention_curve=identity,
        use_curve=identity,
    )


def fit_settings(predictor: Predictor, documents: Sequence[GoldDocument]) -> Settings:
    """Choose decoding and threshold and calibrate span and document scores.

    :param predictor: the model as it will be used, with any curves.
    :param documents: validation documents.
    :return: the model's settings with the decoding and threshold of the best micro F1, and fitted
        curves.
    """
    tagged = [tag_text(predictor, document.text) for document in documents]
    trials = [
        _fit_spans(replace(predictor.settings, decode=decode), documents, tagged)
        for decode in _decodings()
    ]
    predictor.settings = max(trials, key=lambda trial: trial[0])[1]
    return _fit_documents(predictor, documents)


def tag_text(predictor: Predictor, text: str) -> list[Tagged]:
    """Compute what the decoding starts from.

    :param predictor: the model.
    :param text: the text.
    :return: one entry a block of the text.
    """
    blocks = []
    for start, end in iter_blocks(text):
        pieces = tokenize(predictor.tokenizer, text[start:end])
        if len(pieces):
            hidden = predictor.encode_pieces(pieces)
            blocks.append(Tagged(start, pieces, predictor.heads.tag_probabilities(hidden)))
    return blocks


def cut_candidates(text: str, blocks: Sequence[Tagged], decode: DecodeSettings) -> list[Cut]:
    """Find all candidates of a text, uncalibrated.

    :param text: the text.
    :param blocks: what ``tag_text`` gave.
    :param decode: the decoding.
    :return: the candidates.
    """
    cuts = []
    for block in blocks:
        starts, ends = block.pieces.starts + block.start, block.pieces.ends + block.start
        for c in iter_candidates(block.probabilities, block.pieces, decode):
            start_char, end_char = trim(text, int(starts[c.start]), int(ends[c.end - 1]))
            cuts.append(Cut(TAG_LABELS[c.label], start_char, end_char, c.features))
    return cuts


def _decodings() -> list[DecodeSettings]:
    return [
        DecodeSettings(low, core, split, gap)
        for low in (0.1, 0.2, 0.3)
        for core in (0.2, 0.35, 0.5)
        for split in (0.5, 0.8)
        for gap in (1, 3, 6)
        if low <= core
    ]


def _fit_spans(
    settings: Settings, documents: Sequence[GoldDocument], tagged: Sequence[Sequence[Tagged]]
) -> tuple[float, Settings]:
    cuts = [
        cut_candidates(document.text, blocks, settings.decode)
        for document, blocks in zip(documents, tagged, strict=True)
    ]
    rights = [_rights(document, found) for document, found in zip(documents, cuts, strict=True)]
    cases = [
        (cut.label, cut.features, right)
        for found, hits in zip(cuts, rights, strict=True)
        for cut, right in zip(found, hits, strict=True)
    ]
    settings = replace(settings, span_curves=_span_curves(cases))
    f1, threshold = _threshold(settings, documents, cuts)
    return f1, replace(settings, threshold=threshold)


def _rights(document: GoldDocument, cuts: Sequence[Cut]) -> list[bool]:
    matched = {j for _, j in match_spans(document.spans, cuts, least=LEAST_IOU)}
    return [j in matched for j in range(len(cuts))]


def _span_curves(cases: Sequence[SpanCase]) -> dict[str, Logistic]:
    def fit(chosen: Sequence[SpanCase]) -> Logistic:
        return fit_logistic(np.array([x for _, x, _ in chosen]), [y for *_, y in chosen])

    common = fit(cases) if cases else RAW
    curves = {}
    for label in TAG_LABELS:
        own = [case for case in cases if case[0] == label]
        n_right = sum(right for *_, right in own)
        enough = min(n_right, len(own) - n_right) >= LEAST_CASES
        curves[label] = fit(own) if enough else common
    return curves


def _threshold(
    settings: Settings, documents: Sequence[GoldDocument], cuts: Sequence[Sequence[Cut]]
) -> tuple[float, float]:
    def f1(threshold: float) -> float:
        right = predicted = gold = 0
        for document, found in zip(documents, cuts, strict=True):
            kept = [
                c
                for c in found
                if c.label not in labels.ROLES
                and settings.span_curves[c.label].probability(c.features) >= threshold
            ]
            spans = [s for s in document.spans if s.label not in labels.ROLES]
            right += len(match_spans(spans, kept, least=LEAST_IOU))
            predicted, gold = predicted + len(kept), gold + len(spans)
        return 2 * right / max(1, predicted + gold)

    best = max(THRESHOLDS, key=lambda threshold: (f1(threshold), -threshold))
    return f1(best), best


def _fit_documents(predictor: Predictor, documents: Sequence[GoldDocument]) -> Settings:
    evidence = [predictor.evidence(document.text) for document in documents]
    mention = np.array([document_features(e.mention) for e in evidence])
    use = np.array([document_features(e.use) for e in evidence])
    return replace(
        predictor.settings,
        mention_curve=fit_logistic(mention, [d.has_mention for d in documents], strength=0.1),
        use_curve=fit_logistic(use, [d.has_use for d in documents], strength=0.1),
    )
