"""Which speaker, target or answered span belongs to a span."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forewarn.model.decode import Candidate
from forewarn.model.encoder import FloatArray
from forewarn.model.heads import Heads, distance_buckets


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate with its calibrated score, its pooled vector and its place in the text."""

    candidate: Candidate
    label: str
    score: float
    vector: FloatArray
    start_char: int
    end_char: int


@dataclass(frozen=True, slots=True)
class Linker:
    """The candidates for one end of one relation, in the order in which they start.

    ``starts`` and ``ends`` are their pieces, shape (n_candidates,); ``keys`` the projections of
    all pieces, shape (n_pieces, n_link). The head points to pieces; a candidate has the
    probability of its own. What lies more than ``reach`` pieces away is not considered.
    """

    heads: Heads
    link: str
    candidates: Sequence[Found]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    keys: FloatArray
    reach: int

    @classmethod
    def over(
        cls, heads: Heads, link: str, candidates: Sequence[Found], hidden: FloatArray, reach: int
    ) -> "Linker":
        """Prepare candidates.

        :param heads: the heads.
        :param link: the relation's name.
        :param candidates: the candidates, also none.
        :param hidden: vectors of all pieces, shape (n_pieces, n_hidden).
        :param reach: most pieces between a span and its candidate.
        :return: the linker.
        """
        ordered = sorted(candidates, key=lambda found: found.candidate.start)
        starts = np.array([found.candidate.start for found in ordered], dtype=np.int64)
        ends = np.array([found.candidate.end for found in ordered], dtype=np.int64)
        keys = heads.link_keys(link, hidden) if ordered else np.zeros((0, 1), np.float32)
        return cls(heads, link, ordered, starts, ends, keys, reach)

    def best(self, found: Found) -> Found | None:
        """Choose the candidate of a span.

        :param found: the span that the relation leaves.
        :return: the most probable candidate; None if there is none, or nothing is more probable.
        """
        start, end = found.candidate.start, found.candidate.end
        left, right = max(0, start - self.reach), min(len(self.keys), end + self.reach)
        near = np.flatnonzero((self.starts >= left) & (self.ends <= right))
        if not len(near):
            return None
        buckets = distance_buckets(start, end, left, right)
        probabilities = self.heads.link_probabilities(
            self.link, found.vector, self.keys[left:right], buckets
        )
        up_to = np.concatenate([[0.0], probabilities[1:].cumsum()])
        mass = up_to[self.ends[near] - left] - up_to[self.starts[near] - left]
        best = int(mass.argmax())
        return self.candidates[near[best]] if mass[best] > probabilities[0] else None
