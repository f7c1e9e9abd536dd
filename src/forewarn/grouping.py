"""Find near-identical statements: one quote that many agencies repeat is one statement."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

MIN_SIMILARITY = 85.0
"""Lowest similarity, 0..100, at which two texts are one statement."""

MIN_WORDS = 5
"""A shorter span says too little to be told from another: its sentence is compared too."""

NEIGHBOURS = 10
SHINGLE = 2

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_NEGATION = re.compile(r"(?:no|not|never|none|nobody|nothing|neither|nor|without|cannot|.*n['’]t)")


def group_statements(rows: Sequence[dict[str, Any]]) -> list[int]:
    """Number statements so that near-identical ones have one number.

    Two spans are one statement if they have the same label and nearly the same words, the same
    numbers and as many negations. Spans of fewer than ``MIN_WORDS`` words are compared with their
    sentence; without it, with their speaker and target, and must be the same.

    :param rows: flat rows, with ``label``, ``text``, ``sentence``, ``speaker`` and ``target``.
    :return: a number a row, from 1, in the order in which statements first appear.
    """
    keys = [(row["label"], *_comparable(row)) for row in rows]
    unique = list(dict.fromkeys(keys))
    blocks: dict[Any, list[int]] = defaultdict(list)
    for n, (label, near, text) in enumerate(unique):
        if near:
            blocks[label, *_facts(text)].append(n)
    roots = np.arange(len(unique))
    for members in blocks.values():
        if len(members) > 1:
            texts = [unique[n][2] for n in members]
            roots[members] = np.asarray(members)[_merge(texts)]
    root_of = dict(zip(unique, roots.tolist(), strict=True))
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root_of[key], len(numbers) + 1) for key in keys]


def normalise(text: str) -> str:
    """Reduce a text to its words, in lower case.

    :param text: the text.
    :return: its words, one space between them.
    """
    return " ".join(_WORD.findall(text.casefold().replace("’", "'")))


def _comparable(row: dict[str, Any]) -> tuple[bool, str]:
    """What stands for a row, and whether nearly the same is enough."""
    text = normalise(row["text"])
    if text.count(" ") + 1 >= MIN_WORDS:
        return True, text
    sentence = normalise(row["sentence"] or "")
    if sentence.count(" ") + 1 >= MIN_WORDS:
        return True, f"{text} | {sentence}"
    parts = (text, row["speaker"], row["target"], row["sentence"])
    return False, " | ".join(normalise(part or "") for part in parts)


def _facts(text: str) -> tuple[tuple[str, ...], int]:
    words = text.split()
    numbers = tuple(word for word in words if any(c.isdigit() for c in word))
    return numbers, sum(_NEGATION.fullmatch(word) is not None for word in words)


def _merge(texts: list[str]) -> Any:
    """Give each text the index of the first of those that it is near to, also by way of others."""
    from rapidfuzz import fuzz, process
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = _candidates(texts)
    similar = process.cpdist(
        [texts[n] for n in left],
        [texts[n] for n in right],
        scorer=fuzz.ratio,
        score_cutoff=MIN_SIMILARITY,
    )
    near = similar >= MIN_SIMILARITY
    edges = coo_array((np.ones(near.sum()), (left[near], right[near])), (len(texts),) * 2)
    _, component = connected_components(edges, directed=False)
    _, first = np.unique(component, return_index=True)
    return first[component]


def _candidates(texts: list[str]) -> tuple[Any, Any]:
    """Pairs that share a pair of words; of many that share one, those of similar length."""
    from sklearn.feature_extraction.text import CountVectorizer

    by_length = np.asarray(sorted(range(len(texts)), key=lambda n: (len(texts[n]), texts[n])))
    shingles = CountVectorizer(
        analyzer="word", ngram_range=(SHINGLE, SHINGLE), token_pattern=r"\S+", binary=True
    )
    columns = shingles.fit_transform(texts[n] for n in by_length).tocsc()
    columns.sort_indices()
    ends = np.repeat(columns.indptr[1:], np.diff(columns.indptr))
    pairs = []
    for distance in range(1, NEIGHBOURS + 1):
        here = np.flatnonzero(np.arange(columns.nnz) + distance < ends)
        left, right = columns.indices[here], columns.indices[here + distance]
        pairs.append(left.astype(np.int64) * len(texts) + right)
    both = np.unique(np.concatenate(pairs))
    return by_length[both // len(texts)], by_length[both % len(texts)]
