"""Word pieces of a text of any length, and the overlapping windows in which they are encoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

BLOCK_CHARS = 100_000
"""Longest stretch of text, in characters, that is worked on at once; bounds the memory."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """The word pieces of one text.

    ``ids``, ``starts``, ``ends`` and ``words`` have shape (n_pieces,): vocabulary ids, half-open
    code point offsets, and the index of the word that a piece belongs to.
    """

    ids: IntArray
    starts: IntArray
    ends: IntArray
    words: IntArray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Window:
    """A window over pieces ``start..end`` of which ``keep_start..keep_end`` are taken."""

    start: int
    end: int
    keep_start: int
    keep_end: int


def tokenize(tokenizer: Any, text: str) -> Pieces:
    """Split a text into word pieces, without special pieces and without a limit of length.

    :param tokenizer: a ``tokenizers.Tokenizer`` with truncation off.
    :param text: the text, without lone surrogates.
    :return: its pieces; empty arrays for a text without any.
    """
    encoding = tokenizer.encode(text, add_special_tokens=False)
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    return Pieces(
        np.array(encoding.ids, dtype=np.int64),
        offsets[:, 0],
        offsets[:, 1],
        np.array(encoding.word_ids, dtype=np.int64),
    )


def iter_blocks(text: str, size: int = BLOCK_CHARS) -> Iterator[tuple[int, int]]:
    """Cut a long text into blocks, at a line break if there is one, else at a space.

    :param text: the text.
    :param size: longest block, in characters.
    :yields: half-open offsets that cover the text without gaps; none for an empty text.
    """
    start = 0
    while len(text) - start > size:
        middle, end = start + size // 2, start + size
        cuts = (text.rfind(mark, middle, end) + 1 for mark in ("\n", " "))
        end = next((cut for cut in cuts if cut > 0), end)
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


def iter_windows(n_pieces: int, size: int, overlap: int) -> Iterator[Window]:
    """Lay windows over pieces; where two overlap, each gives up half of the overlap.

    :param n_pieces: how many pieces the text has.
    :param size: pieces in a window, without special pieces.
    :param overlap: pieces that neighbouring windows share, less than half of ``size``.
    :yields: windows whose kept parts cover all pieces once, in order; none for no pieces.
    :raises ValueError: if the overlap is not less than half of the size.
    """
    if not 0 <= overlap < size / 2:
        raise ValueError(f"overlap {overlap} must be at least 0 and less than half of size {size}")
    start = keep_start = 0
    while keep_start < n_pieces:
        end = min(start + size, n_pieces)
        keep_end = end if end == n_pieces else end - overlap // 2
        yield Window(start, end, keep_start, keep_end)
        keep_start, start = keep_end, end - overlap
