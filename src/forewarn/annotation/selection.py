"""Which documents to annotate next: uncertain, disputed, unlike what is known; and some at random.

The share that is drawn at random stays apart, so that figures measured on it say something of the
whole pool; the rest is picked one after the other, each time weighing how unsure the model is, how
far a second opinion differs from it, and how unlike the document is to what was chosen before.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from forewarn.predictions import Prediction

Numbers = npt.NDArray[np.float64]

RANDOM, CHOSEN = "random", "chosen"
LOW_THRESHOLD: Final = 0.05
"""Spans below the model's own threshold are what it is least sure of; so they are looked at too."""


@dataclass(frozen=True, slots=True)
class Selected:
    """A document that was chosen: its place in the pool, how, and its figures, each 0..1."""

    index: int
    how: str
    uncertainty: float
    disagreement: float
    novelty: float

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain values.

        :return: how it was chosen and its figures, rounded.
        """
        plain = {k: v for k, v in asdict(self).items() if k != "index"}
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in plain.items()}


def uncertainty(prediction: Prediction) -> float:
    """Measure how unsure a model is of a document.

    :param prediction: what it found, with a low threshold.
    :return: the mean of the entropy of ``mention`` and that of the least sure span, 0..1; a voice
        counts as a span does.
    """
    scores = [span.score for span in prediction.spans]
    scores += [span.voice_score for span in prediction.spans if span.voice_score is not None]
    least_sure = max((entropy(score) for score in scores), default=0.0)
    return (entropy(prediction.mention) + least_sure) / 2


def entropy(probability: float) -> float:
    """Compute the entropy of a yes-or-no question.

    :param probability: the probability of yes, 0..1.
    :return: bits, 0..1.
    """
    p = min(max(float(probability), 1e-12), 1 - 1e-12)
    return float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


def vectorise(texts: Sequence[str], known: Sequence[str]) -> tuple[Any, Any]:
    """Turn texts into TF-IDF vectors of length 1.

    :param texts: the pool.
    :param known: texts that are annotated already.
    :return: two sparse matrices, one row a text.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectoriser = TfidfVectorizer(sublinear_tf=True, min_df=1, ngram_range=(1, 2))
    both = vectoriser.fit_transform([*texts, *known])
    return both[: len(texts)], both[len(texts) :]


def second_opinion(pool: Any, known: Any, has_mention: Sequence[bool]) -> Numbers | None:
    """Ask a linear model, which learns from what is annotated, whether documents hold rhetoric.

    :param pool: vectors of the pool, shape (n_pool, n_terms).
    :param known: vectors of annotated documents, shape (n_known, n_terms).
    :param has_mention: whether each of these holds rhetoric.
    :return: probabilities, shape (n_pool,); None if the annotated ones are all alike.
    """
    from sklearn.linear_model import LogisticRegression

    if len(set(has_mention)) < 2:
        return None
    model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
    model.fit(known, np.asarray(has_mention))
    probabilities: Numbers = model.predict_proba(pool)[:, 1]
    return probabilities


def select(
    n: int,
    *,
    unsure: Numbers,
    disputed: Numbers,
    pool: Any,
    known: Any,
    random_share: float = 0.2,
    seed: int = 0,
) -> list[Selected]:
    """Choose documents.

    :param n: how many.
    :param unsure: uncertainty, shape (n_pool,), 0..1.
    :param disputed: disagreement, shape (n_pool,), 0..1.
    :param pool: vectors of the pool, shape (n_pool, n_terms).
    :param known: vectors of annotated documents, shape (n_known, n_terms).
    :param random_share: the share of ``n`` that is drawn at random, 0..1.
    :param seed: seed of the draw.
    :return: the random ones in the order of the pool, then the others, the best first; the whole
        pool if it holds no more than ``n``.
    :raises ValueError: if ``n`` is not positive or the share is not within 0..1.
    """
    if n < 1 or not 0 <= random_share <= 1:
        raise ValueError(f"expected n of at least 1 and a share of 0..1, got {n}, {random_share}")
    n_pool = len(unsure)
    n = min(n, n_pool)
    drawn = np.random.default_rng(seed).choice(n_pool, round(n * random_share), replace=False)
    likeness = np.zeros(n_pool)
    if known.shape[0]:
        likeness = np.asarray((pool @ known.T).max(axis=1).todense()).ravel()
    chosen: list[Selected] = []

    def take(index: int, how: str) -> None:
        nonlocal likeness
        figures = (float(unsure[index]), float(disputed[index]), float(1 - likeness[index]))
        chosen.append(Selected(int(index), how, *figures))
        nearest = np.asarray((pool @ pool[index].T).todense()).ravel()
        likeness = np.maximum(likeness, nearest)

    for index in sorted(drawn):
        take(index, RANDOM)
    worth = 0.1 + unsure + disputed
    taken = np.zeros(n_pool, dtype=bool)
    taken[drawn] = True
    while len(chosen) < n:
        value = np.where(taken, -1.0, worth * (1 - likeness) + 1e-9)
        best = int(np.argmax(value))
        taken[best] = True
        take(best, CHOSEN)
    return chosen
