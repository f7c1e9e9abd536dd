"""Fit the gate of a model: as few windows as possible, and almost all flagged spans."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from forewarn import labels
from forewarn.corpus.load import GoldDocument, read_split
from forewarn.jsonl import read_json, write_json
from forewarn.model import files
from forewarn.model.gate import (
    MARGIN,
    N_BUCKETS,
    Gate,
    Sentences,
    load_gate,
    read_sentences,
    save_gate,
    sentence_buckets,
)
from forewarn.model.heads import CONTEXT_PIECES
from forewarn.model.predictor import Predictor, find_model
from forewarn.model.windows import iter_blocks, iter_windows, tokenize
from forewarn.predictions import Prediction, ScoredSpan

KEPT_RATE = 0.995
"""Least share of the full model's flagged spans on validation data that the gate lets through."""

STRENGTHS = (0.003, 0.01)
AROUNDS = (0.5, 1.0, 2.0)

Report = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Read:
    """A text, its sentences, and what the full model flags in it.

    ``windows`` are the characters that each window decides on; ``reaches`` those at which
    something must pass for it to be encoded.
    """

    text: str
    sentences: Sentences
    flagged: tuple[ScoredSpan, ...]
    windows: list[tuple[int, int]]
    reaches: list[tuple[int, int]]


def fit_gate(
    predictor: Predictor,
    training: Sequence[GoldDocument],
    validation: Sequence[GoldDocument],
    report: Report = lambda _: None,
) -> tuple[Gate, dict[str, Any]]:
    """Fit weights on training documents and choose the rest on validation documents.

    A training sentence is to pass if it touches a span of the gold or one that the model flags.

    :param predictor: the model, without a gate.
    :param training: documents of the training split.
    :param validation: documents of the validation split.
    :param report: is told of every step.
    :return: the gate, and what it does on the validation documents.
    """
    report("the full model on training documents")
    features, passes = _training_data(_read(predictor, training), training)
    report("the full model on validation documents")
    reads = _read(predictor, validation)
    choices = [
        _choose_threshold(gate, reads)
        for strength in STRENGTHS
        for gate in _fit_weights(features, passes, strength)
    ]
    gate = min(choices, key=lambda choice: choice[0])[1]
    report("the gate on validation documents")
    figures = measure_gate(predictor, gate, [read.text for read in reads])
    while figures["kept_rate"] < KEPT_RATE:
        gate = replace(gate, threshold=gate.threshold - 0.1)
        figures = measure_gate(predictor, gate, [read.text for read in reads])
    return gate, figures


def measure_gate(predictor: Predictor, gate: Gate, texts: Sequence[str]) -> dict[str, Any]:
    """Compare the model with and without a gate.

    :param predictor: the model; its own gate is left as it is.
    :param gate: the gate.
    :param texts: texts.
    :return: flagged spans, the share that is found again with the gate at the same place with the
        same label, the share with the same speaker, target and voice too, the spans that only the
        gate's way gives, and the share of windows that are encoded.
    """
    counter = _Counting(predictor.encoder)
    plain, gated = (_twin(predictor, counter, g) for g in (None, gate))
    n_all = n_kept = n_alike = n_new = 0
    before = counter.n
    full = list(plain.predict(texts))
    middle = counter.n
    for whole, part in zip(full, gated.predict(texts), strict=True):
        kept = _places(whole) & _places(part)
        n_all, n_kept = n_all + len(_places(whole)), n_kept + len(kept)
        n_new += len(_places(part) - kept)
        alike = {_links(span) for span in whole.spans} & {_links(span) for span in part.spans}
        n_alike += len(alike)
    return {
        "n_documents": len(full),
        "n_spans": n_all,
        "kept_rate": n_kept / n_all if n_all else 1.0,
        "alike_rate": n_alike / n_all if n_all else 1.0,
        "n_new": n_new,
        "window_rate": (counter.n - middle) / max(1, middle - before),
    }


def refit_gate(model: str | None, corpus: Path, report: Report = lambda _: None) -> dict[str, Any]:
    """Fit the gate of a saved model and save it in the model's folder.

    :param model: the model's folder, or its name among the installed ones.
    :param corpus: the corpus folder, built.
    :param report: is told of every step.
    :return: what the gate does on validation documents.
    """
    predictor = Predictor.load(find_model(model))
    assert predictor.folder is not None
    folder = predictor.folder
    training, validation = (read_split(corpus, split) for split in ("train", "validation"))
    gate, figures = fit_gate(predictor, training, validation, report)
    manifest = read_json(folder / files.MANIFEST)
    save_gate(gate, folder / files.GATE)
    manifest["gate"] = figures
    manifest["files"][files.GATE] = files.sha256(folder / files.GATE)
    write_json(folder / files.MANIFEST, manifest)
    load_gate(folder / files.GATE)
    return figures


class _Counting:
    """An encoder that counts its windows."""

    def __init__(self, encoder: Any) -> None:
        self._encoder, self.n = encoder, 0

    def encode(self, window: Any) -> Any:
        self.n += 1
        return self._encoder.encode(window)


def _twin(predictor: Predictor, encoder: Any, gate: Gate | None) -> Predictor:
    return Predictor(
        encoder,
        predictor.heads,
        predictor.tokenizer,
        predictor.settings,
        predictor.manifest,
        predictor.folder,
        gate,
    )


def _places(prediction: Prediction) -> set[tuple[int, int, str]]:
    return {(span.start_char, span.end_char, span.label) for span in prediction.spans}


def _links(span: ScoredSpan) -> tuple[Any, ...]:
    return span.start_char, span.end_char, span.label, span.voice, span.speaker, span.target


def _read(predictor: Predictor, documents: Sequence[GoldDocument]) -> list[Read]:
    return [
        Read(
            document.text,
            read_sentences(document.text),
            prediction.spans,
            *_windows(predictor, document.text),
        )
        for document, prediction in zip(
            documents, predictor.predict(d.text for d in documents), strict=True
        )
    ]


def _training_data(
    reads: Sequence[Read], documents: Sequence[GoldDocument]
) -> tuple[Any, list[bool]]:
    buckets, passes = [], []
    for read, document in zip(reads, documents, strict=True):
        gold = [span for span in document.spans if span.label not in labels.ROLES]
        spans = [(s.start_char, s.end_char) for s in read.flagged]
        spans += [(s.start_char, s.end_char) for s in gold]
        first = 0
        for (start, end), n in zip(read.sentences.offsets, read.sentences.n_words, strict=True):
            buckets.append(sentence_buckets(read.sentences.words[first : first + n]))
            passes.append(any(left < end and start < right for left, right in spans))
            first += n
    ends = np.cumsum([0, *map(len, buckets)])
    counts = np.ones(ends[-1], dtype=np.float32)
    matrix = csr_matrix((counts, np.concatenate(buckets), ends), shape=(len(buckets), N_BUCKETS))
    matrix.sum_duplicates()
    return matrix, passes


def _fit_weights(features: Any, passes: Sequence[bool], strength: float) -> list[Gate]:
    if all(passes) or not any(passes):  # nothing to learn from: everything passes
        return [Gate.of(np.zeros(N_BUCKETS, dtype=np.float32), 0.0, 1.0, -1.0)]
    fitted: Any = LogisticRegression(C=strength, max_iter=1000, solver="liblinear", random_state=0)
    fitted.fit(features, passes)
    weights = fitted.coef_[0].astype(np.float32)
    return [Gate.of(weights, float(fitted.intercept_[0]), around, 0.0) for around in AROUNDS]


def _choose_threshold(gate: Gate, reads: Sequence[Read]) -> tuple[float, Gate]:
    """Give the share of windows that pass at the highest threshold that keeps enough spans."""
    of_spans, of_windows = [], []
    for read in reads:
        scores = _window_scores(gate, read)
        of_windows += scores
        for span in read.flagged:
            inside = [
                score
                for score, (start, end) in zip(scores, read.windows, strict=True)
                if span.start_char < end and start < span.end_char
            ]
            of_spans.append(min(inside))
    if not of_spans:
        return 1.0, gate
    threshold = float(np.sort(of_spans)[int((1 - KEPT_RATE) * len(of_spans))]) - 1e-6
    passed = float(np.mean(np.array(of_windows) >= threshold))
    return passed, replace(gate, threshold=threshold)


def _window_scores(gate: Gate, read: Read) -> list[float]:
    totals = gate.totals(gate.scores(read.sentences))
    starts = np.array([start for start, _ in read.sentences.offsets]) - MARGIN
    ends = np.array([end for _, end in read.sentences.offsets]) + MARGIN
    return [
        float(np.max(totals, where=(starts < right) & (left < ends), initial=-np.inf))
        for left, right in read.reaches
    ]


def _windows(
    predictor: Predictor, text: str
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Give the characters that each window decides on, and those at which it is wanted."""
    windows, reaches = [], []
    for offset, end in iter_blocks(text):
        pieces = tokenize(predictor.tokenizer, text[offset:end])
        size, overlap = predictor.settings.window, predictor.settings.overlap
        for window in iter_windows(len(pieces), size, overlap):
            first, last = window.keep_start, window.keep_end - 1
            windows.append((offset + int(pieces.starts[first]), offset + int(pieces.ends[last])))
            first = max(0, first - CONTEXT_PIECES)
            last = min(len(pieces) - 1, last + CONTEXT_PIECES)
            reaches.append((offset + int(pieces.starts[first]), offset + int(pieces.ends[last])))
    return windows, reaches
