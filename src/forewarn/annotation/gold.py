"""Gold without a sheet: by a rule, or from what an adjudicator did in Label Studio.

Both keep, beside the gold, how every difference between the two annotators was settled.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from forewarn import labels, rules
from forewarn.annotation import adjudication
from forewarn.annotation.adjudication import Difference, Reading
from forewarn.annotation.differences import iter_weighed
from forewarn.annotation.interface import CONFIDENCES
from forewarn.annotation.layers import (
    DELETED,
    AnnotatedDocument,
    Layer,
    pair_documents,
    with_gold,
)
from forewarn.annotation.push import Suggestion
from forewarn.annotation.tasks import layer_to_results
from forewarn.records import Annotation, Decision, Gold

Choose = Callable[[Difference, Sequence[Layer]], str]


def _agreed(difference: Difference, layers: Sequence[Layer]) -> str:
    return "none"


def _first(difference: Difference, layers: Sequence[Layer]) -> str:
    return "A" if difference.a else "none"


def _either(difference: Difference, layers: Sequence[Layer]) -> str:
    return _surer(difference, layers) if difference.a and difference.b else _present(difference)


def _confident(difference: Difference, layers: Sequence[Layer]) -> str:
    if difference.a and difference.b:
        return _surer(difference, layers)
    sure = _certainty(difference.a or difference.b, layers[0 if difference.a else 1])
    return _present(difference) if sure == 0 else "none"


RULES: Final[dict[str, tuple[Choose, str]]] = {
    "agreed": (_agreed, "only what both marked alike"),
    "either": (_either, "what either marked; of two readings the surer one, else the first"),
    "confident": (_confident, "what one marked only if certain; of two readings the surer one"),
    "first": (_first, "the first annotator's reading"),
}
"""The rules by which gold can be made; each says what is taken of a difference."""


def adjudicate_by_rule(
    document: AnnotatedDocument, rule: str, *, pair: Sequence[str] | None = None
) -> tuple[AnnotatedDocument, list[str]]:
    """Make gold of two annotations by a rule.

    :param document: the document.
    :param rule: a key of ``RULES``.
    :param pair: the two annotators; the first two if None.
    :return: the document with its gold, and why it has none if there are problems.
    """
    layers = pair_layers(document, pair)
    if len(layers) < 2:
        return document, [f"document {document.id!r}: has {len(layers)} annotations, needs two"]
    choose, said = RULES[rule]
    a, b = (layer.annotation for layer in layers)
    comparison = adjudication.compare(a, b)
    lines = [
        f"{n} {choose(difference, layers)} | {said}"
        for n, difference in enumerate(comparison.differences, 1)
    ]
    gold, problems = adjudication.merge(
        document.text, comparison, lines, adjudicator=f"rule {rule}", guidelines=a.guidelines
    )
    problems += [p.message for p in rules.iter_problems(document.text, gold.spans, gold.relations)]
    if problems:
        return document, [f"document {document.id!r}: {problem}" for problem in problems]
    return with_gold(document, gold), []


def adjudicated(
    document: AnnotatedDocument, layer: Layer, *, pair: Sequence[str] | None = None
) -> AnnotatedDocument:
    """Take an adjudicator's annotation as the gold of a document.

    :param document: the document with the annotators' layers.
    :param layer: the adjudicator's.
    :param pair: the two annotators; the first two if None.
    :return: the document with its gold, whose decisions say which reading of each difference the
        adjudicator kept.
    """
    annotation = layer.annotation
    decisions: list[Decision] = []
    layers = pair_layers(document, pair)
    if len(layers) == 2:
        a, b = (x.annotation for x in layers)
        for difference in adjudication.compare(a, b).differences:
            decisions.append(_decision(difference, annotation, layer))
    gold = Gold(
        annotation.annotator,
        annotation.guidelines,
        annotation.spans,
        annotation.relations,
        tuple(decisions),
    )
    return with_gold(document, gold)


def pair_layers(document: AnnotatedDocument, pair: Sequence[str] | None = None) -> list[Layer]:
    """Choose two layers of a document.

    :param document: the document.
    :param pair: the names of two annotators; the first two if None.
    :return: the layers, fewer than two if there are no more.
    """
    layers = [layer for layer in document.layers if not layer.origin.get(DELETED)]
    if pair is not None:
        by_name = {layer.annotation.annotator: layer for layer in layers}
        layers = [by_name[name] for name in pair if name in by_name]
    return layers[:2]


def order_documents(
    documents: Iterable[AnnotatedDocument], pair: Sequence[str] | None = None
) -> list[AnnotatedDocument]:
    """Choose the documents on which annotators differ, those where it matters most first.

    :param documents: the documents.
    :param pair: the two annotators; the first two of each document if None.
    :return: the documents, without the layers of others.
    """
    weights: dict[str, float] = {}
    by_id = {document.id: document for document in documents}
    for source in pair_documents(by_id.values(), pair):
        if found := [w.weight for w in iter_weighed(source)]:
            weights[source.id] = sum(found)
    return [
        replace(by_id[id_], layers=tuple(pair_layers(by_id[id_], pair)))
        for id_ in sorted(weights, key=lambda id_: (-weights[id_], id_))
    ]


def suggest_layers(document: AnnotatedDocument) -> list[Suggestion]:
    """Show the annotators' versions side by side, as predictions that carry their names.

    :param document: the document.
    :return: a suggestion for each layer.
    """
    return [
        Suggestion(layer.annotation.annotator, None, layer_to_results(layer))
        for layer in document.layers
    ]


def _decision(difference: Difference, gold: Annotation, layer: Layer) -> Decision:
    def kept(reading: Reading | None) -> bool:
        return reading is not None and any(
            replace(span, id="") == replace(reading.span, id="") for span in gold.spans
        )

    a, b = kept(difference.a), kept(difference.b)
    same = difference.a and difference.b and _alike(difference.a, difference.b)
    outcome = "both" if a and b else "A" if a else "B" if b else "own"
    if not a and not b and not _overlapping(difference, gold):
        outcome = "none"
    elif same and a:
        outcome = "own"  # the spans are alike, the links were settled
    return Decision(_about(difference), outcome, layer.remarks.comment or "in Label Studio")


def _alike(a: Reading, b: Reading) -> bool:
    return replace(a.span, id="") == replace(b.span, id="")


def _overlapping(difference: Difference, gold: Annotation) -> bool:
    marked = [r.span for r in (difference.a, difference.b) if r is not None]
    return any(
        span.start_char < other.end_char and other.start_char < span.end_char
        for span in marked
        for other in gold.spans
        if other.label not in labels.ROLES
    )


def _about(difference: Difference) -> str:
    said = [
        "nothing" if r is None else f"{r.span.label} {r.span.voice or ''} {r.span.text!r}"
        for r in (difference.a, difference.b)
    ]
    return f"A: {said[0]}; B: {said[1]}"


def _present(difference: Difference) -> str:
    return "A" if difference.a else "B"


def _surer(difference: Difference, layers: Sequence[Layer]) -> str:
    a, b = _certainty(difference.a, layers[0]), _certainty(difference.b, layers[1])
    return "B" if b < a else "A"


def _certainty(reading: Reading | None, layer: Layer) -> int:
    """Place a reading's confidence: 0 for the surest; a span without one counts as the surest."""
    if reading is None:
        return len(CONFIDENCES)
    said = layer.remarks.confidences.get(reading.span.id)
    return 0 if said is None else list(CONFIDENCES).index(said)
