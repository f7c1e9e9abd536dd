"""A scikit-learn transformer: from texts to features of their rhetoric."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from forewarn import labels
from forewarn.model.predictor import Predictor
from forewarn.predictions import Prediction

COLUMNS = (
    "mention",
    "use",
    *(f"{label}:{voice}" for label in labels.RHETORIC for voice in labels.VOICES),
    *labels.COUNTER,
)
"""Names of the features, in the order of the columns."""


class RhetoricFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn texts into the scores of their rhetoric, one column per label and voice.

    A column holds the highest score of a span of that label and voice, 0..1, or 0 where there is
    none; two more hold the document scores. Nothing is learned from the texts, so a copy of it
    costs nothing and it can stand in a ``Pipeline`` and in a ``GridSearchCV``.

    :param model: a model's folder, or its name among the installed ones; the default if None.
    :param threshold: lowest score of a span that counts, 0..1; the model's own if None.
    """

    def __init__(self, model: str | None = None, threshold: float | None = None) -> None:
        self.model = model
        self.threshold = threshold

    def fit(self, X: Iterable[str], y: Any = None) -> "RhetoricFeatures":  # noqa: N803
        """Check that the model can be loaded.

        :param X: texts; not used.
        :param y: not used.
        :return: the transformer itself.
        :raises ModelError: if there is no such model, or a file differs from its manifest.
        """
        _predictor(self.model, self.threshold)
        return self

    def transform(self, X: Iterable[str]) -> npt.NDArray[np.float64]:  # noqa: N803
        """Score texts.

        :param X: texts, n of them.
        :return: features, shape (n, len(COLUMNS)), each 0..1.
        :raises TypeError: if it is given one string instead of several.
        :raises ValueError: if a text holds a lone surrogate.
        """
        if isinstance(X, str):
            raise TypeError("expected several texts, received one string; put it in a list")
        predictor = _predictor(self.model, self.threshold)
        rows = [to_features(prediction) for prediction in predictor.predict(X)]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(COLUMNS))

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Name the columns.

        :param input_features: not used.
        :return: the names, shape (len(COLUMNS),).
        """
        return np.array(COLUMNS, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn that there is nothing to learn.

        :return: True.
        """
        return True


def to_features(prediction: Prediction) -> list[float]:
    """Sum up a prediction.

    :param prediction: what was found in a text.
    :return: one value a column of ``COLUMNS``.
    """
    row = dict.fromkeys(COLUMNS, 0.0)
    row["mention"], row["use"] = prediction.mention, prediction.use
    for span in prediction.spans:
        column = span.label if span.voice is None else f"{span.label}:{span.voice}"
        row[column] = max(row[column], span.score)
    return list(row.values())


@lru_cache(maxsize=4)
def _predictor(model: str | None, threshold: float | None) -> Predictor:
    return Predictor.load(model, threshold=threshold)
