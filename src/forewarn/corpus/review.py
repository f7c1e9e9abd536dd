"""Rules that ask for a second look: what may be right, but often is not.

They compare documents with each other. A finding that was looked at and is right is listed in
``corpus/confirmed.json``, by rule, and is not reported again.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from forewarn import labels
from forewarn.corpus.checks import Finding, Level, RawDocument, iter_layers
from forewarn.corpus.incidents import read_incidents
from forewarn.jsonl import read_json

CONFIRMED = "confirmed.json"
PHRASE_WORDS = 8
"""Words in a row that make two documents near-duplicates of each other somewhere."""

SHORTEST, LONGEST = 10, 2600
"""Words of the shortest and the longest document that is not untypical."""

SPAN_CHARS = 400
"""Characters of the longest span that is not untypical."""

LEAST_CHARS = 12
"""A shorter string may well be rhetoric in one place and not in another."""

COMMON_INCIDENTS = 3
"""A capitalised word that occurs in more incidents than this is a common one, no name."""

Found = Iterator[tuple[str, str]]


def check_shared_phrase(documents: Sequence[RawDocument], splits: dict[str, str]) -> Found:
    """No two documents share a phrase of ``PHRASE_WORDS`` words."""
    first: dict[tuple[str, ...], str] = {}
    reported: set[tuple[str, str]] = set()
    for document in documents:
        words = re.findall(r"\w+", document.text.lower())
        for n in range(len(words) - PHRASE_WORDS + 1):
            phrase = tuple(words[n : n + PHRASE_WORDS])
            other = first.setdefault(phrase, document.id)
            if other != document.id and (other, document.id) not in reported:
                reported.add((other, document.id))
                yield document.id, f"shares {' '.join(phrase)!r} with {other}"


def check_name_across_splits(documents: Sequence[RawDocument], splits: dict[str, str]) -> Found:
    """No name occurs in documents of two splits.

    A name is a word that is capitalised within a sentence and nowhere in the corpus in lower case.
    """
    lower = {word for d in documents for word in re.findall(r"\b[^\W\d_A-Z][^\W\d_]+", d.text)}
    where: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        for word in re.findall(r"(?<=[a-z,;] )[^\W\d_a-z][^\W\d_]{3,}\b", document.text):
            if word.lower() not in lower and not word.isupper():
                where[word].add(str(document.raw.get("incident")))
    for word, incidents in sorted(where.items()):
        found = {splits.get(incident, "?") for incident in incidents}
        if len(found) > 1 and len(incidents) <= COMMON_INCIDENTS:
            yield "corpus", f"name {word!r} in {', '.join(sorted(incidents))}"


def check_unlike_elsewhere(documents: Sequence[RawDocument], splits: dict[str, str]) -> Found:
    """A string that is rhetoric in one place is not left unmarked in another."""
    marked: dict[str, str] = {}
    covered: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for document in documents:
        for _, spans, _ in iter_layers(document, only_gold=True):
            for span in spans:
                if span.label in labels.RHETORIC:
                    covered[document.id].append((span.start_char, span.end_char))
                    if len(span.text) >= LEAST_CHARS:
                        marked.setdefault(span.text.lower(), f"{span.label} in {document.id}")
    for document in documents:
        text = document.text.lower()
        for string, elsewhere in marked.items():
            if string not in text:
                continue
            for match in re.finditer(rf"\b{re.escape(string)}\b", text):
                if not any(s < match.end() and match.start() < e for s, e in covered[document.id]):
                    yield document.id, f"{match[0]!r} is unmarked, but {elsewhere}"


def check_untypical_length(documents: Sequence[RawDocument], splits: dict[str, str]) -> Found:
    """Neither document nor span is unusually short or long."""
    for document in documents:
        n_words = len(document.text.split())
        if not SHORTEST <= n_words <= LONGEST:
            yield document.id, f"has {n_words} words"
        for _, spans, _ in iter_layers(document, only_gold=True):
            for span in spans:
                if len(span.text) > SPAN_CHARS:
                    yield document.id, f"{span.label} of {len(span.text)} characters: {span.id}"


def check_unused_genre(documents: Sequence[RawDocument], splits: dict[str, str]) -> Found:
    """A genre has more than one document."""
    counts = Counter(str(document.raw.get("genre")) for document in documents)
    for genre, n in sorted(counts.items()):
        if n == 1:
            yield "corpus", f"genre {genre!r} has one document"


REVIEW_RULES: dict[str, Callable[[Sequence[RawDocument], dict[str, str]], Found]] = {
    "shared-phrase": check_shared_phrase,
    "name-across-splits": check_name_across_splits,
    "unlike-elsewhere": check_unlike_elsewhere,
    "untypical-length": check_untypical_length,
    "lonely-genre": check_unused_genre,
}


def review_corpus(corpus: Path, documents: Sequence[RawDocument]) -> list[Finding]:
    """Apply the review rules.

    :param corpus: the corpus folder.
    :param documents: all its documents.
    :return: warnings, less those that are confirmed as right.
    """
    path = corpus / CONFIRMED
    confirmed: dict[str, list[str]] = read_json(path) if path.is_file() else {}
    splits = {id_: str(i.get("split")) for id_, i in read_incidents(corpus).items()}
    return [
        Finding(rule, Level.WARNING, place, message)
        for rule, check in REVIEW_RULES.items()
        for place, message in check(documents, splits)
        if f"{place}: {message}" not in confirmed.get(rule, ())
    ]
