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

    ``starts`` and ``ends`` are their pieces, shape (n_candidates,); ``keys`` their projections,
    shape (n_candidates, n_link). Candidates that start more than ``reach`` pieces away are not
    considered.
    """

    heads: Heads
    link: str
    candidates: Sequence[Found]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    keys: FloatArray
    reach: int

    @classmethod
    def over(cls, heads: Heads, link: str, candidates: Sequence[Found], reach: int) -> "Linker":
        """Prepare candidates.

        :param heads: the heads.
        :param link: the relation's name.
        :param candidates: the candidates, also none.
        :param reach: most pieces between the starts of a span and of its candidate.
        :return: the linker.
        """
        ordered = sorted(candidates, key=lambda found: found.candidate.start)
        starts = np.array([found.candidate.start for found in ordered], dtype=np.int64)
        ends = np.array([found.candidate.end for found in ordered], dtype=np.int64)
        vectors = np.stack([found.vector for found in ordered]) if ordered else None
        keys = np.zeros((0, 1), np.float32) if vectors is None else heads.link_keys(link, vectors)
        return cls(heads, link, ordered, starts, ends, keys, reach)

    def best(self, found: Found) -> Found | None:
        """Choose the candidate of a span.

        :param found: the span that the relation leaves.
        :return: the most probable candidate; None if there is none, or none is more probable.
        """
        head = (found.candidate.start, found.candidate.end)
        first = int(np.searchsorted(self.starts, head[0] - self.reach, side="left"))
        last = int(np.searchsorted(self.starts, head[0] + self.reach, side="right"))
        if first == last:
            return None
        near = slice(first, last)
        buckets = distance_buckets(head, self.starts[near], self.ends[near])
        probabilities = self.heads.link_probabilities(
            self.link, found.vector, self.keys[near], buckets
        )
        best = int(probabilities.argmax())
        return None if best == 0 else self.candidates[first + best - 1]
