"""The heads on top of the encoder, in numpy: tags of pieces, voice and form of spans, links.

The torch twin that is trained is ``forewarn.training.tagger``; the parameters have the same names.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forewarn import labels
from forewarn.model.encoder import FloatArray

TAG_LABELS = tuple(label.name for label in labels.LABELS)
"""Labels in the order of the tag head's outputs."""

VOICE_NAMES = tuple(labels.VOICES)
FORM_NAMES = tuple(labels.FORMS)
LINK_NAMES = tuple(relation.name for relation in labels.RELATIONS)

DISTANCE_EDGES = (1, 5, 10, 20, 40, 80, 160)
"""Distances in pieces, between span and candidate, at which the link head's bucket changes."""

N_BUCKETS = 2 * (len(DISTANCE_EDGES) + 1)


@dataclass(frozen=True, slots=True)
class Heads:
    """Parameters of the heads, by name; see ``forewarn.training.tagger`` for their shapes."""

    parameters: dict[str, FloatArray]

    def tag_probabilities(self, hidden: FloatArray) -> FloatArray:
        """Tell for each piece and label whether the piece begins, continues or is outside a span.

        :param hidden: vectors, shape (n_pieces, n_hidden).
        :return: probabilities of outside, begin, inside: shape (n_pieces, n_labels, 3).
        """
        logits = self._linear("tag", hidden).reshape(len(hidden), len(TAG_LABELS), 3)
        return softmax(logits)

    def voice_probabilities(self, pooled: FloatArray) -> FloatArray:
        """Score the voices of spans.

        :param pooled: one vector a span, shape (n_spans, 2 * n_hidden).
        :return: probabilities, shape (n_spans, n_voices), in the order of ``VOICE_NAMES``.
        """
        return softmax(self._two_layers("voice", pooled))

    def form_probabilities(self, pooled: FloatArray) -> FloatArray:
        """Score the forms of dehumanising labels.

        :param pooled: one vector a span, shape (n_spans, 2 * n_hidden).
        :return: probabilities, shape (n_spans, n_forms), in the order of ``FORM_NAMES``.
        """
        return softmax(self._two_layers("form", pooled))

    def link_keys(self, link: str, candidates: FloatArray) -> FloatArray:
        """Project the candidates for one end of a relation.

        :param link: the relation's name.
        :param candidates: vectors of the candidates, shape (n_candidates, 2 * n_hidden).
        :return: their keys, shape (n_candidates, n_link).
        """
        return self._linear(f"link_{link}.key", candidates)

    def link_probabilities(
        self, link: str, head: FloatArray, keys: FloatArray, buckets: npt.NDArray[np.int64]
    ) -> FloatArray:
        """Score the candidates for one end of a relation, and that there is none.

        :param link: the relation's name.
        :param head: vector of the span that the relation leaves, shape (2 * n_hidden,).
        :param keys: keys of the candidates, shape (n_candidates, n_link).
        :param buckets: distance bucket of each candidate, shape (n_candidates,).
        :return: probabilities, shape (1 + n_candidates,); the first is that of no candidate.
        """
        query = self._linear(f"link_{link}.query", head)
        scores = keys @ query / np.sqrt(len(query)) + self.parameters[f"link_{link}.bias"][buckets]
        none = self._linear(f"link_{link}.none", head)
        return softmax(np.concatenate([none, scores]))

    def _linear(self, name: str, x: FloatArray) -> FloatArray:
        result: FloatArray = (
            x @ self.parameters[f"{name}.weight"].T + self.parameters[f"{name}.bias"]
        )
        return result

    def _two_layers(self, name: str, x: FloatArray) -> FloatArray:
        return self._linear(f"{name}.out", np.maximum(self._linear(f"{name}.in", x), 0.0))


def softmax(logits: FloatArray) -> FloatArray:
    """Normalise over the last axis.

    :param logits: any shape.
    :return: the same shape, each last-axis row summing to 1.
    """
    exp = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: FloatArray = exp / exp.sum(axis=-1, keepdims=True)
    return result


def pool(hidden: FloatArray, start: int, end: int) -> FloatArray:
    """Describe a span by the mean of its pieces and the mean of its surroundings.

    :param hidden: vectors, shape (n_pieces, n_hidden).
    :param start: first piece of the span.
    :param end: the piece after its last.
    :return: shape (2 * n_hidden,).
    """
    context = hidden[max(0, start - CONTEXT_PIECES) : end + CONTEXT_PIECES]
    return np.concatenate([hidden[start:end].mean(axis=0), context.mean(axis=0)])


CONTEXT_PIECES = 12
"""Pieces on each side of a span that count as its surroundings."""


def distance_buckets(
    head: tuple[int, int], starts: npt.ArrayLike, ends: npt.ArrayLike
) -> npt.NDArray[np.int64]:
    """Bucket the signed distances from a span to candidates.

    :param head: half-open pieces of the span that the relation leaves.
    :param starts: first pieces of the candidates, shape (n_candidates,).
    :param ends: the pieces after their last, shape (n_candidates,).
    :return: 0..N_BUCKETS-1, shape (n_candidates,); the upper half for candidates behind the span.
    """
    starts, ends = np.asarray(starts), np.asarray(ends)
    gaps = np.maximum(np.maximum(starts - head[1], head[0] - ends), 0)
    buckets = np.searchsorted(DISTANCE_EDGES, gaps, side="right")
    signed: npt.NDArray[np.int64] = buckets + np.where(starts >= head[0], N_BUCKETS // 2, 0)
    return signed
