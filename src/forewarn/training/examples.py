"""Gold documents as the tagger learns from them: pieces, tags, spans and links."""

import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from forewarn import labels
from forewarn.corpus.load import GoldDocument
from forewarn.model.heads import FORM_NAMES, LINK_NAMES, TAG_LABELS, VOICE_NAMES
from forewarn.model.windows import IntArray, Pieces, iter_windows, tokenize
from forewarn.rules import Span

OUTSIDE, BEGIN, INSIDE = 0, 1, 2
QUOTE_STYLES = (('"', '"'), ("“", "”"), ("«", "»"), ("„", "“"), ("'", "'"), (" ", " "))

NOTHING = -1
"""Index of a voice or form that a span does not have."""


@dataclass(frozen=True, slots=True)
class PieceSpan:
    """A gold span in pieces, with the indices of its label, voice and form."""

    id: str
    label: str
    start: int
    end: int
    voice: int
    form: int


@dataclass(frozen=True, slots=True)
class Link:
    """All gold links of one type that leave a span.

    ``head`` and ``right`` index the window's spans; ``right`` is empty where the span has no such
    link.
    """

    name: str
    head: int
    right: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A window of a document. ``ids`` has shape (n_pieces,), ``tags`` (n_pieces, n_labels)."""

    ids: IntArray
    tags: IntArray
    spans: tuple[PieceSpan, ...]
    links: tuple[Link, ...]


def iter_examples(
    tokenizer: Any, document: GoldDocument, *, window: int, overlap: int
) -> Iterator[Example]:
    """Cut a document into examples.

    :param tokenizer: a ``tokenizers.Tokenizer`` with truncation off.
    :param document: the document.
    :param window: pieces in a window.
    :param overlap: pieces that neighbouring windows share.
    :yields: one example a window.
    """
    pieces = tokenize(tokenizer, document.text)
    spans = [placed for span in document.spans if (placed := place(pieces, span))]
    tags = tag_pieces(len(pieces), spans)
    for w in iter_windows(len(pieces), window, overlap):
        inside = tuple(
            PieceSpan(s.id, s.label, s.start - w.start, s.end - w.start, s.voice, s.form)
            for s in spans
            if w.start <= s.start and s.end <= w.end
        )
        links = tuple(_links(document, inside))
        yield Example(pieces.ids[w.start : w.end], tags[w.start : w.end], inside, links)


def place(pieces: Pieces, span: Span) -> PieceSpan | None:
    """Find the pieces of a span.

    :param pieces: the document's pieces.
    :param span: a gold span.
    :return: the span in pieces; None if no piece lies in it.
    """
    hit = np.flatnonzero((pieces.starts < span.end_char) & (pieces.ends > span.start_char))
    if not len(hit):
        return None
    voice = VOICE_NAMES.index(span.voice) if span.voice else NOTHING
    form = FORM_NAMES.index(span.form) if span.form else NOTHING
    return PieceSpan(span.id, span.label, int(hit[0]), int(hit[-1]) + 1, voice, form)


def tag_pieces(n_pieces: int, spans: list[PieceSpan]) -> IntArray:
    """Tag every piece for every label.

    :param n_pieces: how many pieces there are.
    :param spans: the spans.
    :return: OUTSIDE, BEGIN or INSIDE, shape (n_pieces, n_labels).
    """
    tags = np.full((n_pieces, len(TAG_LABELS)), OUTSIDE, dtype=np.int64)
    for span in spans:
        column = TAG_LABELS.index(span.label)
        tags[span.start : span.end, column] = INSIDE
        tags[span.start, column] = BEGIN
    return tags


def swap_quotes(text: str, rng: random.Random) -> str:
    """Write a text's double quotation marks in another style, keeping every offset.

    :param text: the text.
    :param rng: source of randomness.
    :return: a text of the same length.
    """
    opening, closing = rng.choice(QUOTE_STYLES)
    if rng.random() < 0.5:
        marks = itertools.cycle((opening, closing))
        straight = re.sub('"', lambda _: next(marks), text)
        return straight.translate({ord("“"): opening, ord("”"): closing})
    return text.translate({ord("“"): '"', ord("”"): '"', ord("’"): "'", ord("‘"): "'"})


def _links(document: GoldDocument, spans: tuple[PieceSpan, ...]) -> Iterator[Link]:
    tails: dict[tuple[str, str], set[str]] = {}
    for r in document.relations:
        tails.setdefault((r.type, r.head), set()).add(r.tail)
    place_of = {span.id: n for n, span in enumerate(spans)}
    for name in LINK_NAMES:
        for n, span in enumerate(spans):
            if labels.kind_of(span.label) not in labels.RELATION_BY_NAME[name].head_kinds:
                continue
            ends = tails.get((name, span.id), set())
            right = tuple(sorted(place_of[id_] for id_ in ends if id_ in place_of))
            if right or not ends:  # an end outside the window teaches nothing
                yield Link(name, n, right)
