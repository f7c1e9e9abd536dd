"""The nouns of the corpus: documents, spans, relations and the annotations that hold them.

Offsets are half-open and count Unicode code points of the stored text.
"""

from dataclasses import asdict, dataclass
from typing import Any

from forewarn import rules
from forewarn.rules import Relation, RuleError, Span

__all__ = [
    "Annotation",
    "Decision",
    "Document",
    "Gold",
    "Relation",
    "RuleError",
    "SourceDocument",
    "Span",
    "annotation_from_dict",
    "gold_from_dict",
    "source_from_dict",
    "source_to_dict",
]


@dataclass(frozen=True, slots=True)
class Document:
    """A text to be scored, and what is carried through with it."""

    id: str
    text: str
    meta: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one annotator found in one document."""

    annotator: str
    guidelines: str
    spans: tuple[Span, ...]
    relations: tuple[Relation, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """One difference between annotators, how it was settled and by which rule."""

    about: str
    outcome: str
    rule: str


@dataclass(frozen=True, slots=True)
class Gold:
    """The adjudicated annotation of a document."""

    adjudicator: str
    guidelines: str
    spans: tuple[Span, ...]
    relations: tuple[Relation, ...]
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """One file of ``corpus/source``: a text, its provenance, every annotation and the gold.

    :raises RuleError: on construction, if a span or relation breaks a rule of the scheme.
    """

    id: str
    text: str
    genre: str
    setting: str
    incident: str
    country: str
    date: str
    provenance: dict[str, Any]
    annotations: tuple[Annotation, ...]
    gold: Gold

    def __post_init__(self) -> None:
        layers: tuple[Annotation | Gold, ...] = (*self.annotations, self.gold)
        for layer in layers:
            for problem in rules.iter_problems(self.text, layer.spans, layer.relations):
                raise RuleError(self.id, problem)


def annotation_from_dict(raw: dict[str, Any]) -> Annotation:
    """Read one annotator's layer.

    :param raw: the decoded JSON object.
    :return: the annotation, not yet validated against a text.
    """
    return Annotation(raw["annotator"], raw["guidelines"], *_layer(raw))


def gold_from_dict(raw: dict[str, Any]) -> Gold:
    """Read the adjudicated layer.

    :param raw: the decoded JSON object.
    :return: the gold, not yet validated against a text.
    """
    decisions = tuple(Decision(**decision) for decision in raw.get("decisions", ()))
    return Gold(raw["adjudicator"], raw["guidelines"], *_layer(raw), decisions)


def source_from_dict(raw: dict[str, Any]) -> SourceDocument:
    """Read a source document, validating every layer.

    :param raw: the decoded JSON object.
    :return: the document.
    :raises KeyError: if a field is missing.
    """
    return SourceDocument(
        **{name: raw[name] for name in _PLAIN_FIELDS},
        annotations=tuple(annotation_from_dict(layer) for layer in raw["annotations"]),
        gold=gold_from_dict(raw["gold"]),
    )


def source_to_dict(document: SourceDocument) -> dict[str, Any]:
    """Turn a source document into what its JSON file holds.

    :param document: the document.
    :return: plain dicts and lists, in the order in which they are written.
    """
    plain: dict[str, Any] = asdict(document)
    return plain


_PLAIN_FIELDS = (
    "id",
    "text",
    "genre",
    "setting",
    "incident",
    "country",
    "date",
    "provenance",
)


def _layer(raw: dict[str, Any]) -> tuple[tuple[Span, ...], tuple[Relation, ...]]:
    spans = tuple(Span(**span) for span in raw["spans"])
    return spans, tuple(Relation(**relation) for relation in raw["relations"])
