"""Calibrated scores: logistic curves fitted on validation data, stored as plain numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression: ``1 / (1 + exp(-(weights · features + bias)))``."""

    weights: tuple[float, ...]
    bias: float

    def probability(self, features: Sequence[float] | Floats) -> float:
        """Score one row of features.

        :param features: shape (n_features,).
        :return: a probability, 0..1.
        """
        logit = float(np.dot(self.weights, features)) + self.bias
        return float(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))))


def fit_logistic(features: Floats, outcomes: Sequence[bool], *, strength: float = 1.0) -> Logistic:
    """Fit a calibration curve (Platt 1999).

    :param features: shape (n_rows, n_features).
    :param outcomes: what was true of each row.
    :param strength: inverse of the L2 penalty.
    :return: the curve; a constant one where all outcomes are alike.
    """
    from sklearn.linear_model import LogisticRegression

    truth = np.asarray(outcomes, dtype=bool)
    if truth.all() or not truth.any():
        rate = (truth.sum() + 1) / (len(truth) + 2)
        return Logistic((0.0,) * features.shape[1], float(np.log(rate / (1 - rate))))
    model: Any = LogisticRegression(C=strength, max_iter=1000).fit(features, truth)
    return Logistic(tuple(map(float, model.coef_[0])), float(model.intercept_[0]))


def logit(probability: float) -> float:
    """Map a probability to the whole line.

    :param probability: 0..1; clipped away from both ends.
    :return: its log odds.
    """
    p = min(max(probability, _EDGE), 1 - _EDGE)
    return float(np.log(p / (1 - p)))


def document_features(evidence: Sequence[float]) -> list[float]:
    """Sum up the evidence of a document's spans.

    :param evidence: one probability, 0..1, per candidate span.
    :return: the log odds that any of them is right, were they independent.
    """
    none = float(np.prod([1.0 - p for p in evidence]))
    return [logit(1.0 - none)]


def document_score(curve: Logistic, evidence: Sequence[float]) -> float:
    """Score a document.

    :param curve: the calibration of document scores.
    :param evidence: one probability, 0..1, per candidate span.
    :return: a probability, 0..1, never less than that of the strongest candidate.
    """
    return max(curve.probability(document_features(evidence)), *evidence, 0.0)
