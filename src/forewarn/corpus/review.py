"""Rules that ask for a second look: what may be right, but often is not.

They compare documents with each other. A finding that was looked at and is right is listed in
``corpus/confirmed.json``, by rule, and is not reported again.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from forewarn import labels
from forewarn.corpus.checks import Finding, Level, RawDocument, iter_layers, iter_shared
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

LEAST_LABELLED_CHARS = 6
"""A shorter string is not compared by its labels."""

COMMON_INCIDENTS = 8
"""A capitalised word that occurs in more incidents than this is a common one, no name."""

Found = Iterator[tuple[str, str]]


def check_shared_phrase(documents: Sequence[RawDocument], splits: dict[str, str]) -> Found:
    """No two documents share a phrase of ``PHRASE_WORDS`` words."""
    yield from iter_shared(documents, PHRASE_WORDS)


def check_name_across_splits(documents: Sequence[RawDocument], splits: dict[str, str]) -> Found:
    """No name occurs in documents of two splits.

    A name is a word that is capitalised within a sentence and nowhere in the corpus in lower case;
    a plural counts as its singular, so that neither ``Rangers`` nor ``Sundays`` is a name. Limits
    of this rule: a name of fewer than four letters, or in more than ``COMMON_INCIDENTS``
    incidents, is never listed, and a name is one word, so that two people who share nothing but a
    given name are listed too.
    """
    lower = {word for d in documents for word in re.findall(r"\b[^\W\d_A-Z][^\W\d_]+", d.text)}
    where: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        for word in re.findall(r"(?<=[a-z,;] )[^\W\d_a-z][^\W\d_]{3,}\b", document.text):
            if not word.isupper():
                where[word].add(str(document.raw.get("incident")))
    for word, incidents in sorted(where.items()):
        found = {splits.get(incident, "?") for incident in incidents}
        if len(found) > 1 and not _is_common(word, lower, where):
            yield "corpus", f"name {word!r} in {', '.join(sorted(incidents))}"


def _is_common(word: str, lower: set[str], where: Mapping[str, set[str]]) -> bool:
    return any(
        form.lower() in lower or len(where.get(form, ())) > COMMON_INCIDENTS
        for form in {word, word.removesuffix("s")}
    )


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


def check_other_label_elsewhere(documents: Sequence[RawDocument], splits: dict[str, str]) -> Found:
    """A string has one label of rhetoric or counter-speech wherever it is marked.

    A string is the text of a span; it also stands in a longer span if it is half of it or more. It
    is listed, once, if no label is common to all documents in which it is marked.
    """
    spans = [
        (document.id, span.label, " ".join(span.text.lower().split()))
        for document in documents
        for _, layer, _ in iter_layers(document, only_gold=True)
        for span in layer
        if span.label in (*labels.RHETORIC, *labels.COUNTER)
    ]
    strings = {text for _, _, text in spans if len(text) >= LEAST_LABELLED_CHARS}
    where: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for id_, label, text in spans:
        for part in _iter_large_parts(text):
            if part in strings:
                where[part][id_].add(label)
    for string, by_document in sorted(where.items()):
        if not set.intersection(*by_document.values()):
            yield "corpus", f"{string!r} is {_list_labels(by_document)}"


def _iter_large_parts(text: str) -> Iterator[str]:
    bounds = [match.span() for match in re.finditer(r"\w+", text)]
    yield text
    for n, (start, _) in enumerate(bounds):
        for _, end in bounds[n:]:
            if len(text) <= 2 * (end - start) < 2 * len(text):
                yield text[start:end]


def _list_labels(by_document: Mapping[str, Iterable[str]]) -> str:
    ids: dict[str, list[str]] = defaultdict(list)
    for id_, names in sorted(by_document.items()):
        for name in names:
            ids[name].append(id_)
    return "; ".join(f"{name} in {', '.join(ids[name])}" for name in labels.BY_NAME if name in ids)


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


def check_lonely_genre(documents: Sequence[RawDocument], splits: dict[str, str]) -> Found:
    """A genre has more than one document."""
    counts = Counter(str(document.raw.get("genre")) for document in documents)
    for genre, n in sorted(counts.items()):
        if n == 1:
            yield "corpus", f"genre {genre!r} has one document"


REVIEW_RULES: dict[str, Callable[[Sequence[RawDocument], dict[str, str]], Found]] = {
    "shared-phrase": check_shared_phrase,
    "name-across-splits": check_name_across_splits,
    "unlike-elsewhere": check_unlike_elsewhere,
    "other-label-elsewhere": check_other_label_elsewhere,
    "untypical-length": check_untypical_length,
    "lonely-genre": check_lonely_genre,
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
