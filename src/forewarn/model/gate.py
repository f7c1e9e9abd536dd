"""The gate: a linear model over hashed words that tells which stretches of a text need a look.

It stands before the tokeniser and the encoder. Sentences are scored by the sum of the weights of
their words, of the character n-grams of these words and of pairs of words, and by the best
sentences around them. What no passing sentence is near is not encoded.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from forewarn.sentences import split_sentences

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

N_BUCKETS = 2**18
"""Rows of the weights; a power of two."""

N_BEST = 3
"""How many of the best sentences around a sentence speak for it."""

REACH = 30
"""How many sentences on each side count as around it."""

LEAST_SENTENCES = 8
"""Shorter texts pass whole: the words of a post alone tell too little (see benchmarks/gate.py)."""

MARGIN = 60
"""Characters on each side of a passing sentence that pass with it."""

_WORD = re.compile(r"[^\W_]+|[!?\"“”]")
_NGRAMS = (4, 5)
_MOST_WORDS = 200_000
_MASK = N_BUCKETS - 1


class WordTable(dict[str, int]):
    """Words that were met, numbered; ``hashes`` and ``sums`` are by number, with room for more.

    :param weights: shape (N_BUCKETS,).
    """

    def __init__(self, weights: Floats) -> None:
        super().__init__()
        self._weights = weights
        self.hashes: Ints = np.zeros(1024, dtype=np.int64)
        self.sums: npt.NDArray[np.float64] = np.zeros(1024, dtype=np.float64)

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        if number == len(self.sums):
            self.hashes = np.concatenate([self.hashes, np.zeros_like(self.hashes)])
            self.sums = np.concatenate([self.sums, np.zeros_like(self.sums)])
        self.hashes[number] = zlib.crc32(word.encode("utf-8", "surrogatepass"))
        self.sums[number] = self._weights[word_buckets(word)].sum(dtype=np.float64)
        return number

    def trim(self) -> None:
        """Forget all words if there are too many, which bounds the memory."""
        if len(self) > _MOST_WORDS:
            self.clear()


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of a text: half-open ``offsets`` and how many words each has."""

    offsets: list[tuple[int, int]]
    n_words: list[int]
    words: list[str]


@dataclass(frozen=True, slots=True)
class Gate:
    """A fitted gate.

    ``weights`` have shape (N_BUCKETS,). A sentence passes if its own score, plus ``around`` times
    the mean score of the best sentences around it, is at least ``threshold``; in a text of few
    sentences all pass.
    """

    weights: Floats
    bias: float
    around: float
    threshold: float
    table: WordTable

    @classmethod
    def of(cls, weights: Floats, bias: float, around: float, threshold: float) -> "Gate":
        """Make a gate from what was fitted.

        :param weights: shape (N_BUCKETS,).
        :param bias: added to each sentence's sum.
        :param around: weight of the sentences around.
        :param threshold: least score that passes.
        :return: the gate.
        """
        return cls(weights, bias, around, threshold, WordTable(weights))

    def stretches(self, text: str) -> list[tuple[int, int]]:
        """Find what may hold anything.

        :param text: a text.
        :return: half-open offsets, sorted; none if nothing passes.
        """
        sentences = read_sentences(text)
        passed = np.flatnonzero(self.totals(self.scores(sentences)) >= self.threshold)
        return [
            (max(0, start - MARGIN), min(len(text), end + MARGIN))
            for start, end in (sentences.offsets[n] for n in passed)
        ]

    def scores(self, sentences: Sentences) -> Floats:
        """Score sentences, each by itself.

        :param sentences: what ``read_sentences`` gave.
        :return: shape (n_sentences,).
        """
        if not sentences.offsets:
            return np.zeros(0, dtype=np.float32)
        self.table.trim()
        numbers = np.array([self.table[word] for word in sentences.words], dtype=np.int64)
        hashes, values = self.table.hashes[numbers], self.table.sums[numbers]
        owners = np.repeat(np.arange(len(sentences.offsets)), sentences.n_words)
        same = owners[:-1] == owners[1:]
        pairs = self.weights[pair_buckets(hashes[:-1], hashes[1:])].astype(np.float64) * same
        values[1:] += pairs
        sums = np.bincount(owners, weights=values, minlength=len(sentences.offsets))
        result: Floats = (sums + self.bias).astype(np.float32)
        return result

    def totals(self, scores: Floats) -> Floats:
        """Add what the sentences around say; all sentences of a short text pass.

        :param scores: of the sentences of one text, shape (n_sentences,).
        :return: the same shape.
        """
        if len(scores) < LEAST_SENTENCES:
            return np.full_like(scores, np.inf)
        result: Floats = scores + np.float32(self.around) * best_around(scores)
        return result


def best_around(scores: Floats) -> Floats:
    """Average the best sentences around each sentence, itself included.

    :param scores: shape (n_sentences,).
    :return: the same shape.
    """
    if not len(scores):
        return scores
    n_best = min(N_BEST, len(scores))
    if len(scores) <= REACH + 1:
        best = np.sort(scores)[-n_best:].mean(dtype=np.float32)
        return np.full_like(scores, best)
    padded = np.pad(scores, REACH, constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1)
    result: Floats = np.sort(windows, axis=1)[:, -n_best:].mean(axis=1, dtype=np.float32)
    return result


def read_sentences(text: str) -> Sentences:
    """Split a text into sentences and these into words in lower case.

    :param text: a text.
    :return: its sentences.
    """
    offsets = split_sentences(text)
    words: list[str] = []
    n_words = []
    for start, end in offsets:
        found = _WORD.findall(text[start:end].lower())
        words += found
        n_words.append(len(found))
    return Sentences(offsets, n_words, words)


def word_buckets(word: str) -> Ints:
    """Give the buckets of a word: its own and those of its character n-grams.

    :param word: in lower case.
    :return: shape (n_features,).
    """
    whole = f"<{word}>"
    grams = [whole[i : i + n] for n in _NGRAMS for i in range(len(whole) - n + 1)]
    names = [f"w{word}", *(f"c{gram}" for gram in grams)]
    hashes = [zlib.crc32(name.encode("utf-8", "surrogatepass")) & _MASK for name in names]
    return np.array(hashes, dtype=np.int64)


def pair_buckets(first: Ints, second: Ints) -> Ints:
    """Give the buckets of pairs of words.

    :param first: hashes of the first words, 32 bits each, shape (n_pairs,).
    :param second: hashes of the second.
    :return: shape (n_pairs,).
    """
    mixed = first * np.int64(0x2C1B3C6D) + second * np.int64(0x297A2D39)
    result: Ints = ((mixed >> 15) ^ mixed) & _MASK
    return result


def sentence_buckets(words: Sequence[str]) -> Ints:
    """Give all buckets of a sentence, as they are summed by ``Gate.scores``.

    :param words: its words, in lower case.
    :return: shape (n_features,), with repetitions.
    """
    if not words:
        return np.zeros(0, dtype=np.int64)
    hashes = np.array([zlib.crc32(w.encode("utf-8", "surrogatepass")) for w in words])
    parts = [word_buckets(word) for word in words]
    return np.concatenate([*parts, pair_buckets(hashes[:-1], hashes[1:])])


def save_gate(gate: Gate, path: Path) -> None:
    """Write a gate as a safetensors file; only the weights that are not 0 are kept.

    :param gate: the gate.
    :param path: the file.
    """
    from safetensors.numpy import save_file

    rows = np.flatnonzero(gate.weights).astype(np.int32)
    numbers = np.array([gate.bias, gate.around, gate.threshold], dtype=np.float64)
    save_file({"rows": rows, "weights": gate.weights[rows], "numbers": numbers}, path)
    path.chmod(0o644)


def load_gate(path: Path) -> Gate:
    """Read back what ``save_gate`` wrote.

    :param path: the file.
    :return: the gate.
    :raises ValueError: if the file is no gate of this version.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        parts = load_file(path)
        weights = np.zeros(N_BUCKETS, dtype=np.float32)
        weights[parts["rows"]] = parts["weights"]
        bias, around, threshold = map(float, parts["numbers"])
    except (SafetensorError, KeyError, IndexError, ValueError) as error:
        raise ValueError(
            f"{path}: not a gate that this version reads ({error}); fit it again with "
            "'forewarn gate'"
        ) from error
    return Gate.of(weights, bias, around, threshold)
