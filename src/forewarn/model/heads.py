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

DISTANCE_EDGES = (1, 3, 6, 10, 20, 40, 80, 160, 320)
"""Distances in pieces, between span and piece, at which the link head's bucket changes."""

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

    def link_keys(self, link: str, hidden: FloatArray) -> FloatArray:
        """Project the pieces that one end of a relation may lie on.

        :param link: the relation's name.
        :param hidden: vectors, shape (n_pieces, n_hidden).
        :return: their keys, shape (n_pieces, n_link).
        """
        return self._linear(f"link_{link}.key", hidden)

    def link_probabilities(
        self, link: str, head: FloatArray, keys: FloatArray, buckets: npt.NDArray[np.int64]
    ) -> FloatArray:
        """Point from a span to the pieces of the other end of a relation, or to nothing.

        :param link: the relation's name.
        :param head: vector of the span that the relation leaves, shape (2 * n_hidden,).
        :param keys: keys of the pieces, shape (n_pieces, n_link).
        :param buckets: distance bucket of each piece, shape (n_pieces,).
        :return: probabilities, shape (1 + n_pieces,); the first is that of nothing.
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


def distance_buckets(start: int, end: int, first: int, last: int) -> npt.NDArray[np.int64]:
    """Bucket the signed distances from a span to the pieces around it.

    :param start: first piece of the span.
    :param end: the piece after its last.
    :param first: first piece to bucket.
    :param last: the piece after the last.
    :return: 0..N_BUCKETS-1, shape (last - first,); the upper half for pieces from the span's
        start on.
    """
    at = np.arange(first, last)
    gaps = np.maximum(np.maximum(at - end + 1, start - at), 0)
    buckets = np.searchsorted(DISTANCE_EDGES, gaps, side="right")
    signed: npt.NDArray[np.int64] = buckets + np.where(at >= start, N_BUCKETS // 2, 0)
    return signed
