"""Spans and relations, and the rules of the scheme that a layer of them must keep.

Each rule is one function that yields a message per breach; ``RULES`` maps its id to it. The records
refuse a layer that breaks any; the corpus checker lists all breaches.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from forewarn import labels


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of text.

    ``start_char`` and ``end_char`` are half-open code point offsets; ``text`` repeats the stretch
    as a check. ``voice`` is set on rhetoric spans, ``form`` on dehumanising labels, else None.
    """

    id: str
    label: str
    start_char: int
    end_char: int
    text: str
    voice: str | None = None
    form: str | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A directed link between two spans of one layer, by their ids."""

    type: str
    head: str
    tail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One breach of one rule."""

    rule: str
    message: str


class RuleError(ValueError):
    """A document holds a span or a relation that breaks a rule of the scheme."""

    def __init__(self, document: str, problem: Problem) -> None:
        super().__init__(f"document {document!r}: {problem.message} [{problem.rule}]")
        self.problem = problem


Spans = Sequence[Span]
Relations = Sequence[Relation]


def check_unknown_label(text: str, spans: Spans, relations: Relations) -> Iterator[str]:
    """Every label is one of the scheme."""
    for span in spans:
        if span.label not in labels.BY_NAME:
            yield f"span {span.id}: unknown label {span.label!r}"


def check_span_out_of_bounds(text: str, spans: Spans, relations: Relations) -> Iterator[str]:
    """Offsets lie inside the text and are not empty."""
    for span in spans:
        if not 0 <= span.start_char < span.end_char <= len(text):
            yield (
                f"span {span.id}: offsets {span.start_char}..{span.end_char} do not lie in a text "
                f"of {len(text)} characters"
            )


def check_span_text_mismatch(text: str, spans: Spans, relations: Relations) -> Iterator[str]:
    """The stored text of a span is the slice of the document."""
    for span in spans:
        found = text[span.start_char : span.end_char]
        if span.text != found:
            yield (
                f"span {span.id}: stored text {span.text!r}, the document has {found!r} at "
                f"{span.start_char}..{span.end_char}"
            )


def check_span_edge_space(text: str, spans: Spans, relations: Relations) -> Iterator[str]:
    """A span neither begins nor ends with white space."""
    for span in spans:
        if span.text != span.text.strip():
            yield f"span {span.id}: white space at the edge of {span.text!r}"


def check_duplicate_span_id(text: str, spans: Spans, relations: Relations) -> Iterator[str]:
    """Ids of spans are unique within a layer."""
    for id_, n in Counter(span.id for span in spans).items():
        if n > 1:
            yield f"span id {id_!r} is used {n} times"


def check_same_label_overlap(text: str, spans: Spans, relations: Relations) -> Iterator[str]:
    """Two spans of one label do not overlap."""
    ordered = sorted(spans, key=lambda span: (span.label, span.start_char, span.end_char))
    for left, right in pairwise(ordered):
        if left.label == right.label and right.start_char < left.end_char:
            yield f"spans {left.id} and {right.id} of label {left.label} overlap"


def check_bad_voice(text: str, spans: Spans, relations: Relations) -> Iterator[str]:
    """Rhetoric spans have a voice of the scheme; other spans have none."""
    for span in spans:
        if span.label in labels.RHETORIC and span.voice not in labels.VOICES:
            yield f"span {span.id} ({span.label}): voice {span.voice!r} is not of the scheme"
        elif span.label not in labels.RHETORIC and span.voice is not None:
            yield f"span {span.id} ({span.label}): takes no voice, has {span.voice!r}"


def check_bad_form(text: str, spans: Spans, relations: Relations) -> Iterator[str]:
    """Dehumanising labels have a form of the scheme; other spans have none."""
    for span in spans:
        if span.label == labels.DEHUMANISING_LABEL and span.form not in labels.FORMS:
            yield f"span {span.id} ({span.label}): form {span.form!r} is not of the scheme"
        elif span.label != labels.DEHUMANISING_LABEL and span.form is not None:
            yield f"span {span.id} ({span.label}): takes no form, has {span.form!r}"


def check_unknown_relation(text: str, spans: Spans, relations: Relations) -> Iterator[str]:
    """Every relation type is one of the scheme."""
    for relation in relations:
        if relation.type not in labels.RELATION_BY_NAME:
            yield f"unknown relation {relation.type!r} from {relation.head} to {relation.tail}"


def check_dangling_relation(text: str, spans: Spans, relations: Relations) -> Iterator[str]:
    """Both ends of a relation are spans of the layer."""
    ids = {span.id for span in spans}
    for relation in relations:
        for end in (relation.head, relation.tail):
            if end not in ids:
                yield f"relation {relation.type}: no span {end!r}"


def check_wrong_relation_kinds(text: str, spans: Spans, relations: Relations) -> Iterator[str]:
    """A relation joins the kinds of span that the scheme allows."""
    by_id = {span.id: span for span in spans}
    for relation in relations:
        type_ = labels.RELATION_BY_NAME.get(relation.type)
        head, tail = by_id.get(relation.head), by_id.get(relation.tail)
        if type_ is None or head is None or tail is None:
            continue
        if not {head.label, tail.label} <= labels.BY_NAME.keys():
            continue
        if labels.kind_of(head.label) not in type_.head_kinds or tail.label not in type_.tail:
            yield (
                f"relation {relation.type} may not go from {head.id} ({head.label}) to "
                f"{tail.id} ({tail.label})"
            )


def check_duplicate_relation(text: str, spans: Spans, relations: Relations) -> Iterator[str]:
    """No relation stands twice."""
    for relation, n in Counter(relations).items():
        if n > 1:
            yield f"relation {relation.type} from {relation.head} to {relation.tail} stands twice"


Rule = Callable[[str, Spans, Relations], Iterator[str]]

RULES: dict[str, Rule] = {
    function.__name__.removeprefix("check_").replace("_", "-"): function
    for function in (
        check_unknown_label,
        check_span_out_of_bounds,
        check_span_text_mismatch,
        check_span_edge_space,
        check_duplicate_span_id,
        check_same_label_overlap,
        check_bad_voice,
        check_bad_form,
        check_unknown_relation,
        check_dangling_relation,
        check_wrong_relation_kinds,
        check_duplicate_relation,
    )
}


def iter_problems(text: str, spans: Spans, relations: Relations) -> Iterator[Problem]:
    """List every breach of every rule in one layer.

    :param text: the document's text.
    :param spans: the layer's spans.
    :param relations: the layer's relations.
    :yields: one problem per breach, in the order of ``RULES``.
    """
    for rule, check in RULES.items():
        for message in check(text, spans, relations):
            yield Problem(rule, message)
