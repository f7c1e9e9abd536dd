"""What two annotators read differently, ordered by how much it matters.

It matters most whether a document holds rhetoric at all, then whether it uses it, then what it is;
a boundary that is off by a word matters little.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from forewarn import labels
from forewarn.annotation.adjudication import Difference, Reading, compare
from forewarn.matching import iou
from forewarn.records import Annotation, SourceDocument

WEIGHTS: Final = {
    "only one of them sees rhetoric in the document": 4.0,
    "only one of them sees rhetoric used in the document": 3.0,
    "rhetoric that only one marked": 3.0,
    "another label": 2.5,
    "used or only mentioned": 2.0,
    "another voice": 1.0,
    "counter span that only one marked": 1.0,
    "another speaker": 0.75,
    "another target": 0.75,
    "another form": 0.5,
    "answers something else": 0.5,
    "another boundary": 1.0,
}
"""What a difference may consist in, and what each adds to its weight; a boundary adds 1 less the
intersection over union."""


@dataclass(frozen=True, slots=True)
class WeighedDifference:
    """A difference with its number on the document's sheet, its weight and what it consists in."""

    document: str
    number: int
    weight: float
    reasons: tuple[str, ...]
    a: Reading | None
    b: Reading | None


def weigh_differences(documents: Iterable[SourceDocument]) -> list[WeighedDifference]:
    """List the differences of all documents, those that matter most first.

    :param documents: documents with two annotations each.
    :return: the differences.
    """
    found = [w for document in documents for w in iter_weighed(document)]
    return sorted(found, key=lambda w: (-w.weight, w.document, w.number))


def iter_weighed(document: SourceDocument) -> Iterator[WeighedDifference]:
    """Weigh the differences of one document.

    :param document: a document with two annotations.
    :yields: its differences, in text order.
    """
    a, b = document.annotations
    whole = tuple(_about_document(a, b))
    for number, difference in enumerate(compare(a, b).differences, 1):
        reasons = tuple(_reasons(difference))
        if any(_is_rhetoric(reading) for reading in (difference.a, difference.b)):
            reasons = (*whole, *reasons)
        weight = sum(WEIGHTS[reason] for reason in reasons)
        if difference.a is not None and difference.b is not None:
            agreed = iou(difference.a.span, difference.b.span)
            if agreed < 1:
                weight += WEIGHTS["another boundary"] * (1 - agreed)
                reasons = (*reasons, "another boundary")
        yield WeighedDifference(
            document.id, number, round(weight, 3), reasons, difference.a, difference.b
        )


def format_differences(differences: Iterable[WeighedDifference], names: tuple[str, str]) -> str:
    """Write the differences, one paragraph each.

    :param differences: weighed differences, in the order in which they are written.
    :param names: what to call the two annotators.
    :return: the text.
    """
    parts = []
    for w in differences:
        lines = [f"{w.weight:.2f}  {w.document}, difference {w.number}: {'; '.join(w.reasons)}"]
        lines += [f"    {name}: {_say(r)}" for name, r in zip(names, (w.a, w.b), strict=True)]
        parts.append("\n".join(lines) + "\n")
    return "".join(parts)


def _about_document(a: Annotation, b: Annotation) -> Iterator[str]:
    mention = [any(s.label in labels.RHETORIC for s in layer.spans) for layer in (a, b)]
    use = [any(labels.is_use(s.voice) for s in layer.spans) for layer in (a, b)]
    if mention[0] != mention[1]:
        yield "only one of them sees rhetoric in the document"
    if use[0] != use[1]:
        yield "only one of them sees rhetoric used in the document"


def _reasons(difference: Difference) -> Iterator[str]:
    a, b = difference.a, difference.b
    if a is None or b is None:
        rhetoric = _is_rhetoric(a) or _is_rhetoric(b)
        yield ("rhetoric" if rhetoric else "counter span") + " that only one marked"
        return
    if a.span.label != b.span.label:
        yield "another label"
    if labels.is_use(a.span.voice) != labels.is_use(b.span.voice):
        yield "used or only mentioned"
    elif a.span.voice != b.span.voice:
        yield "another voice"
    if a.span.form != b.span.form:
        yield "another form"
    if a.speakers != b.speakers:
        yield "another speaker"
    if a.targets != b.targets:
        yield "another target"
    if a.answers != b.answers:
        yield "answers something else"


def _is_rhetoric(reading: Reading | None) -> bool:
    return reading is not None and reading.span.label in labels.RHETORIC


def _say(reading: Reading | None) -> str:
    if reading is None:
        return "not marked"
    span = reading.span
    said = [span.label, span.form, span.voice]
    return f"{' '.join(x for x in said if x)} {span.text!r} at {span.start_char}"
