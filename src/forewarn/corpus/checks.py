"""The corpus checker: every finding has the id of its rule, a level, a place and a message.

A rule is one function over the raw JSON of a document, or over all documents. Each has a fixture in
``tests/data/corpus/invalid`` that is named after it and that breaks it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from forewarn import labels, rules
from forewarn.corpus.incidents import GENRES, read_incidents
from forewarn.corpus.load import SPLITS
from forewarn.jsonl import read_json
from forewarn.rules import Relation, Span


class Level(StrEnum):
    """How grave a finding is: an error stops the build, a warning asks for a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one rule; ``place`` is a file, and within it a layer."""

    rule: str
    level: Level
    place: str
    message: str


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A source file as it was decoded, before anything is known of it."""

    path: Path
    raw: dict[str, Any]

    @property
    def id(self) -> str:
        """The file's stem."""
        return self.path.stem

    @property
    def text(self) -> str:
        """The text, empty where there is none."""
        text = self.raw.get("text")
        return text if isinstance(text, str) else ""


REQUIRED = {
    "id": str,
    "text": str,
    "genre": str,
    "setting": str,
    "incident": str,
    "country": str,
    "date": str,
    "provenance": dict,
    "annotations": list,
    "gold": dict,
}

SHARED_WORDS = 12
"""Words in a row that two documents may not share."""

Messages = Iterator[str]


def check_missing_field(document: RawDocument) -> Messages:
    """Every field is there and of its type."""
    for name, type_ in REQUIRED.items():
        if not isinstance(document.raw.get(name), type_):
            yield f"field {name!r} is missing or not of type {type_.__name__}"


def check_id_not_file_stem(document: RawDocument) -> Messages:
    """The id is the file's stem."""
    if document.raw.get("id") != document.path.stem:
        yield f"id {document.raw.get('id')!r} differs from the file's name"


def check_unknown_genre(document: RawDocument) -> Messages:
    """The genre is a known one."""
    genre = document.raw.get("genre")
    if not isinstance(genre, str) or genre not in GENRES:
        yield f"genre {genre!r} is not one of forewarn.corpus.incidents.GENRES"


def check_bad_date(document: RawDocument) -> Messages:
    """The date is an ISO date."""
    try:
        date.fromisoformat(str(document.raw.get("date")))
    except ValueError:
        yield f"date {document.raw.get('date')!r} is not of the form YYYY-MM-DD"


def check_empty_text(document: RawDocument) -> Messages:
    """The text holds something."""
    if not document.text.strip():
        yield "the text is empty"


def check_bad_characters(document: RawDocument) -> Messages:
    """The text has no lone surrogates and no control characters but tab and line ends."""
    for match in re.finditer(r"[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f]", document.text):
        yield f"character U+{ord(match[0]):04X} at {match.start()}"


def check_missing_provenance(document: RawDocument) -> Messages:
    """The provenance says who wrote the text, when, and from which brief."""
    provenance = document.raw.get("provenance")
    for name in ("writer", "written", "brief"):
        if not isinstance(provenance, dict) or not provenance.get(name):
            yield f"provenance has no {name!r}"


def check_too_few_annotators(document: RawDocument) -> Messages:
    """Two or more different annotators read the document."""
    names = [str(raw["annotator"]) for raw in _annotations(document) if _is_signed(raw)]
    if len(set(names)) < 2:
        yield f"annotated by {names}; two different annotators are needed"


def check_broken_layer(document: RawDocument) -> Messages:
    """Every layer is an object; its spans and relations have the right fields, of their types."""
    for name, raw in _raw_layers(document):
        if not isinstance(raw, dict):
            yield f"{name}: the layer is not an object but {raw!r:.60}"
        elif _decoded(raw) is None:
            yield f"{name}: spans or relations with missing or unknown fields, or of a wrong type"


def check_unused_role(document: RawDocument) -> Messages:
    """A role span of the gold is the end of a relation."""
    _, spans, relations = next(iter_layers(document, only_gold=True), ("gold", [], []))
    used = {relation.tail for relation in relations}
    for span in spans:
        if span.label in labels.ROLES and span.id not in used:
            yield f"gold: {span.label} {span.text!r} is not used by any relation"


DOCUMENT_RULES: dict[str, tuple[Level, Callable[[RawDocument], Messages]]] = {
    "missing-field": (Level.ERROR, check_missing_field),
    "id-not-file-stem": (Level.ERROR, check_id_not_file_stem),
    "unknown-genre": (Level.ERROR, check_unknown_genre),
    "bad-date": (Level.ERROR, check_bad_date),
    "empty-text": (Level.ERROR, check_empty_text),
    "bad-characters": (Level.ERROR, check_bad_characters),
    "missing-provenance": (Level.ERROR, check_missing_provenance),
    "too-few-annotators": (Level.ERROR, check_too_few_annotators),
    "broken-layer": (Level.ERROR, check_broken_layer),
    "unused-role": (Level.WARNING, check_unused_role),
}


def check_shared_passage(documents: Sequence[RawDocument]) -> Iterator[tuple[str, str]]:
    """No two documents share a passage of ``SHARED_WORDS`` words."""
    yield from iter_shared(documents, SHARED_WORDS)


def check_repeated_opening(documents: Sequence[RawDocument]) -> Iterator[tuple[str, str]]:
    """No two documents begin or end with the same eight words, unless of one contrast family."""
    for name, part in (("opening", slice(0, 8)), ("closing", slice(-8, None))):
        seen: dict[str, RawDocument] = {}
        for document in documents:
            words = " ".join(document.text.lower().split()[part])
            other = seen.setdefault(words, document)
            if other.id != document.id and not _are_family(document, other):
                yield document.id, f"has the same {name} as {other.id}: {words!r}"


def check_unused_label(documents: Sequence[RawDocument]) -> Iterator[tuple[str, str]]:
    """Every label of the scheme occurs in the gold."""
    used = Counter(
        span.label
        for document in documents
        for _, spans, _ in iter_layers(document, only_gold=True)
        for span in spans
    )
    for label in labels.BY_NAME:
        if not used[label]:
            yield "corpus", f"label {label} is never used"


def check_unknown_incident(
    documents: Sequence[RawDocument], incidents: dict[str, dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Every document belongs to an incident, and that to a split."""
    for document in documents:
        incident = incidents.get(str(document.raw.get("incident")))
        if incident is None:
            yield document.id, f"incident {document.raw.get('incident')!r} is not known"
        elif incident.get("split") not in SPLITS:
            yield document.id, f"split {incident.get('split')!r} of its incident is not known"


def check_incident_mismatch(
    documents: Sequence[RawDocument], incidents: dict[str, dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    """A document's country and setting are its incident's.

    A field that is missing or no string is for ``missing-field`` to report.
    """
    for document in documents:
        incident = incidents.get(str(document.raw.get("incident")), {})
        for name in ("country", "setting"):
            value = document.raw.get(name)
            if incident and isinstance(value, str) and value != incident.get(name):
                yield document.id, f"{name} {value!r}; its incident has {incident.get(name)!r}"


def iter_shared(documents: Sequence[RawDocument], n_words: int) -> Iterator[tuple[str, str]]:
    """Find documents that share words in a row, whatever their case and punctuation.

    Documents of one contrast family are near to each other on purpose and are not compared.

    :param documents: the documents to compare.
    :param n_words: how many words in a row are too many.
    :yields: the later document's id, and a message; one for each pair of documents at most.
    """
    first: dict[tuple[str, ...], RawDocument] = {}
    reported: set[tuple[str, str]] = set()
    for document in documents:
        words = re.findall(r"\w+", document.text.lower())
        for n in range(len(words) - n_words + 1):
            passage = tuple(words[n : n + n_words])
            other = first.setdefault(passage, document)
            if (
                other.id != document.id
                and (other.id, document.id) not in reported
                and not _are_family(document, other)
            ):
                reported.add((other.id, document.id))
                yield document.id, f"shares {' '.join(passage)!r} with {other.id}"


def _are_family(left: RawDocument, right: RawDocument) -> bool:
    return _family(left) is not None and _family(left) == _family(right)


def _family(document: RawDocument) -> str | None:
    provenance = document.raw.get("provenance")
    brief = provenance.get("brief") if isinstance(provenance, dict) else None
    return brief.get("family") if isinstance(brief, dict) else None


CORPUS_RULES: dict[
    str, tuple[Level, Callable[[Sequence[RawDocument]], Iterator[tuple[str, str]]]]
] = {
    "shared-passage": (Level.ERROR, check_shared_passage),
    "repeated-opening": (Level.WARNING, check_repeated_opening),
    "unused-label": (Level.WARNING, check_unused_label),
}

INCIDENT_RULES: dict[
    str,
    Callable[[Sequence[RawDocument], dict[str, dict[str, Any]]], Iterator[tuple[str, str]]],
] = {
    "unknown-incident": check_unknown_incident,
    "incident-mismatch": check_incident_mismatch,
}
"""Rules that need the table of incidents; each breach is an error."""

ALL_RULES = ("not-json", *DOCUMENT_RULES, *rules.RULES, *CORPUS_RULES, *INCIDENT_RULES)


def check_corpus(corpus: Path) -> list[Finding]:
    """Check every source document of a corpus, and all of them together.

    :param corpus: the corpus folder.
    :return: all findings, by document.
    :raises ValueError: if the folder holds no source documents.
    """
    documents, findings = read_raw_documents(corpus)
    for document in documents:
        findings += check_document(document)
    for rule, (level, check) in CORPUS_RULES.items():
        findings += [Finding(rule, level, place, text) for place, text in check(documents)]
    incidents = read_incidents(corpus)
    for rule, compare in INCIDENT_RULES.items():
        findings += [
            Finding(rule, Level.ERROR, place, text) for place, text in compare(documents, incidents)
        ]
    return findings


def read_raw_documents(corpus: Path) -> tuple[list[RawDocument], list[Finding]]:
    """Decode all source files.

    :param corpus: the corpus folder.
    :return: the documents that are JSON, and a finding for each file that is not.
    :raises ValueError: if the folder holds no source documents.
    """
    paths = sorted((corpus / "source").glob("*.json"))
    if not paths:
        raise ValueError(f"{corpus / 'source'}: no source documents here")
    findings: list[Finding] = []
    documents: list[RawDocument] = []
    for path in paths:
        try:
            raw = read_json(path)
        except ValueError as error:
            findings.append(Finding("not-json", Level.ERROR, path.name, str(error)))
            continue
        documents.append(RawDocument(path, raw if isinstance(raw, dict) else {}))
    return documents, findings


def check_document(document: RawDocument) -> list[Finding]:
    """Check one document: its fields, and every layer of its annotation.

    :param document: the document.
    :return: all findings.
    """
    findings = [
        Finding(rule, level, document.path.name, message)
        for rule, (level, check) in DOCUMENT_RULES.items()
        for message in check(document)
    ]
    for layer, spans, relations in iter_layers(document):
        findings += [
            Finding(p.rule, Level.ERROR, f"{document.path.name}, {layer}", p.message)
            for p in rules.iter_problems(document.text, spans, relations)
        ]
    return findings


def iter_layers(
    document: RawDocument, *, only_gold: bool = False
) -> Iterator[tuple[str, list[Span], list[Relation]]]:
    """Read the layers of a document as far as they can be read.

    :param document: the document.
    :param only_gold: leave out the annotators' layers.
    :yields: the layer's name, its spans and its relations.
    """
    for name, raw in _raw_layers(document, only_gold=only_gold):
        decoded = _decoded(raw)
        if decoded is not None:
            yield name, *decoded


def _annotations(document: RawDocument) -> list[Any]:
    annotations = document.raw.get("annotations")
    return annotations if isinstance(annotations, list) else []


def _is_signed(raw: Any) -> bool:
    return isinstance(raw, dict) and isinstance(raw.get("annotator"), str)


def _raw_layers(document: RawDocument, *, only_gold: bool = False) -> list[tuple[str, Any]]:
    layers = [
        (raw["annotator"] if _is_signed(raw) else f"annotation {n}", raw)
        for n, raw in enumerate(_annotations(document), 1)
    ]
    gold = [("gold", raw)] if (raw := document.raw.get("gold")) is not None else []
    return gold if only_gold else [*layers, *gold]


def _decoded(raw: Any) -> tuple[list[Span], list[Relation]] | None:
    if not isinstance(raw, dict) or not all(
        isinstance(raw.get(name), list) for name in ("spans", "relations")
    ):
        return None
    try:
        spans = [Span(**span) for span in raw["spans"]]
        relations = [Relation(**relation) for relation in raw["relations"]]
    except TypeError:
        return None
    well_typed = all(map(_is_typed_span, spans)) and all(map(_is_typed_relation, relations))
    return (spans, relations) if well_typed else None


def _is_typed_span(span: Span) -> bool:
    return (
        all(isinstance(value, str) for value in (span.id, span.label, span.text))
        and all(type(offset) is int for offset in (span.start_char, span.end_char))
        and all(value is None or isinstance(value, str) for value in (span.voice, span.form))
    )


def _is_typed_relation(relation: Relation) -> bool:
    return all(isinstance(value, str) for value in (relation.type, relation.head, relation.tail))
