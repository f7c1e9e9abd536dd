"""Which predicted span stands for which gold span."""

from collections.abc import Sequence
from typing import Protocol


class Stretch(Protocol):
    """Anything with half-open code point offsets."""

    @property
    def start_char(self) -> int:
        """First character."""

    @property
    def end_char(self) -> int:
        """The character after the last."""


class Labelled(Stretch, Protocol):
    """A stretch with a label."""

    @property
    def label(self) -> str:
        """The label's name."""


def iou(left: Stretch, right: Stretch) -> float:
    """Measure how far two stretches agree.

    :param left: a stretch.
    :param right: another.
    :return: characters in both over characters in either, 0..1.
    """
    both = min(left.end_char, right.end_char) - max(left.start_char, right.start_char)
    if both <= 0:
        return 0.0
    either = max(left.end_char, right.end_char) - min(left.start_char, right.start_char)
    return both / either


def match_spans(
    gold: Sequence[Labelled], predicted: Sequence[Labelled], *, least: float
) -> list[tuple[int, int]]:
    """Pair spans of equal labels one to one, those that agree most first.

    :param gold: gold spans.
    :param predicted: predicted spans.
    :param least: lowest intersection over union, above 0, up to 1 for equal offsets.
    :return: pairs of indices into both, in no particular order.
    """
    pairs = [
        (iou(g, p), i, j)
        for i, g in enumerate(gold)
        for j, p in enumerate(predicted)
        if g.label == p.label
    ]
    matched: list[tuple[int, int]] = []
    left: set[int] = set()
    right: set[int] = set()
    for agreement, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if agreement >= least and agreement > 0 and i not in left and j not in right:
            matched.append((i, j))
            left.add(i)
            right.add(j)
    return matched
