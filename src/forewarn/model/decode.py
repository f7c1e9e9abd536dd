"""From the probabilities of pieces to spans of whole words."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from forewarn.model.calibration import logit
from forewarn.model.encoder import FloatArray
from forewarn.model.windows import Pieces

_EDGE = " \t\r\n\"'“”„‘’«»‹›,.;:!?…"


_NAME_BEFORE = re.compile(r"(?:\b(?!The |A |An )[^\W\d_a-z][\w'’-]*\.? ){1,4}$")
_NAME_AFTER = re.compile(r"(?: [^\W\d_a-z][\w'’-]*\b){1,4}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch of pieces that may be a span of a label.

    ``features`` is what its calibrated score is computed from: the log odds of the mean and of the
    highest probability of a piece to lie in a span, that of the first piece to begin one, and the
    logarithm of the number of pieces.
    """

    label: int
    start: int
    end: int
    features: tuple[float, ...]


N_FEATURES = 4
"""Length of ``Candidate.features``."""


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """How candidates are cut out of piece probabilities, all 0..1.

    ``low``: least probability of a piece in a candidate. ``core``: where a candidate holds pieces
    of at least this, it is trimmed to them. ``split``: a piece that begins a span with at least
    this probability starts a new candidate. ``gap``: pieces under ``low`` that are bridged.
    """

    low: float = 0.2
    core: float = 0.5
    split: float = 0.5
    gap: int = 1


def iter_candidates(
    probabilities: FloatArray, pieces: Pieces, settings: DecodeSettings
) -> Iterator[Candidate]:
    """Find the candidates of every label.

    :param probabilities: of outside, begin, inside, shape (n_pieces, n_labels, 3).
    :param pieces: the text's pieces.
    :param settings: thresholds.
    :yields: candidates by label, then by start; those of one label do not overlap.
    """
    inside = probabilities[:, :, 1] + probabilities[:, :, 2]
    for label in np.flatnonzero(inside.max(axis=0, initial=0.0) >= settings.low):
        begin = probabilities[:, label, 1]
        end_of_last = 0
        for start, end in _runs(inside[:, label], begin, settings):
            first, last = whole_words(pieces, start, end)
            first = max(first, end_of_last)
            if first < last:
                end_of_last = last
                features = _features(inside[start:end, label], begin[start])
                yield Candidate(int(label), first, last, features)


def whole_words(pieces: Pieces, start: int, end: int) -> tuple[int, int]:
    """Widen a stretch of pieces to the words that it touches.

    :param pieces: the text's pieces.
    :param start: first piece.
    :param end: the piece after the last.
    :return: the widened stretch.
    """
    while start > 0 and pieces.words[start - 1] == pieces.words[start]:
        start -= 1
    while end < len(pieces) and pieces.words[end] == pieces.words[end - 1]:
        end += 1
    return start, end


def trim(text: str, start_char: int, end_char: int) -> tuple[int, int]:
    """Leave white space, outer quotation marks and final punctuation out of a span.

    :param text: the text.
    :param start_char: first character of the span.
    :param end_char: the character after its last.
    :return: the trimmed offsets; the given ones if nothing else would be left.
    """
    kept = text[start_char:end_char]
    inner = kept.strip(_EDGE)
    if not inner:
        return start_char, end_char
    left = start_char + len(kept) - len(kept.lstrip(_EDGE))
    return left, left + len(inner)


def whole_name(text: str, start_char: int, end_char: int) -> tuple[int, int]:
    """Widen a part of a capitalised name to the whole of it, by up to four words on each side.

    :param text: the text.
    :param start_char: first character of the part.
    :param end_char: the character after its last.
    :return: the widened offsets; the given ones if the part does not begin with a capital letter.
    """
    if not text[start_char].isupper():
        return start_char, end_char
    before = _NAME_BEFORE.search(text[max(0, start_char - 80) : start_char])
    after = _NAME_AFTER.match(text, end_char)
    left = start_char - len(before[0]) if before else start_char
    return left, after.end() if after else end_char


def _features(inside: FloatArray, begin: float) -> tuple[float, ...]:
    odds = (logit(float(p)) for p in (inside.mean(), inside.max(), begin))
    return (*odds, math.log(len(inside)))


def _runs(
    inside: FloatArray, begin: FloatArray, settings: DecodeSettings
) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(
        np.diff(_bridged(inside >= settings.low, settings.gap), append=0, prepend=0)
    )
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        core = np.flatnonzero(inside[start:end] >= settings.core)
        if len(core):
            start, end = start + core[0], start + core[-1] + 1
        cuts = start + 1 + np.flatnonzero(begin[start + 1 : end] >= settings.split)
        bounds = [int(start), *map(int, cuts), int(end)]
        yield from pairwise(bounds)


def _bridged(mask: npt.NDArray[np.bool_], gap: int) -> npt.NDArray[np.int8]:
    filled = mask.astype(np.int8)
    edges = np.flatnonzero(np.diff(filled, append=0, prepend=0))
    for end, start in zip(edges[1:-1:2], edges[2::2], strict=True):
        if start - end <= gap:
            filled[end:start] = 1
    return filled
