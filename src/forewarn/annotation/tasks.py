"""Documents, annotations and predictions as Label Studio's tasks and results.

Label Studio counts code points, as we do; only here and in ``exports`` do its ``start`` and ``end``
occur. An attribute of a span is an item of its own, with the span's id and offsets.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from forewarn import labels
from forewarn.annotation import interface as ui
from forewarn.annotation.layers import Layer, Remarks
from forewarn.model.predictor import check_text
from forewarn.predictions import Mention, Prediction
from forewarn.rules import Relation, Span

Item = dict[str, Any]

DOC_ID, META, GUIDELINES = "doc_id", "meta", "guidelines"


def document_to_data(id_: str, text: str, meta: dict[str, Any], guidelines: str) -> dict[str, Any]:
    """Make the data of a task.

    :param id_: the document's id, by which a second push knows it.
    :param text: the text.
    :param meta: what else is known of it.
    :param guidelines: the version of the guidelines that the annotators read.
    :return: the data.
    :raises ValueError: if Label Studio cannot hold the text.
    """
    if not id_.strip():
        raise ValueError("a document without an id; give each its own")
    if not text.strip():
        raise ValueError(f"document {id_!r}: the text is empty; leave it out")
    if "\0" in text:
        raise ValueError(f"document {id_!r}: the text holds a NUL character; remove it")
    try:
        check_text(text)
    except ValueError as error:
        raise ValueError(f"document {id_!r}: {error}") from error
    return {DOC_ID: id_, ui.TEXT: text, GUIDELINES: guidelines, META: meta}


def layer_to_results(layer: Layer) -> list[Item]:
    """Write an annotator's layer as results, with its remarks and with what was kept aside.

    :param layer: the layer.
    :return: the items.
    """
    annotation = layer.annotation
    items = list(_items(annotation.spans, annotation.relations, layer.remarks, {}))
    ids = layer.origin.get("ids", {})
    for item in items:
        for key in ("id", "from_id", "to_id"):
            if key in item:
                item[key] = ids.get(item[key], item[key])
    return items + [aside.item for aside in layer.aside]


def prediction_to_results(text: str, prediction: Prediction) -> list[Item]:
    """Write a prediction as results, every region with the model's score.

    Speakers and targets become spans. Where two mentions of one role overlap, the longer stands for
    both, as the scheme wants it.

    :param text: the document's text.
    :param prediction: what the model found in it.
    :return: the items.
    """
    spans: list[Span] = []
    relations: list[Relation] = []
    scores: dict[str, float] = {}
    numbers = {"R": 0, "C": 0}
    for found in prediction.spans:
        kind = "R" if found.label in labels.RHETORIC else "C"
        numbers[kind] += 1
        span = Span(
            f"{kind}{numbers[kind]}",
            found.label,
            found.start_char,
            found.end_char,
            text[found.start_char : found.end_char],
            found.voice,
            found.form,
        )
        spans.append(span)
        scores[span.id] = found.score
    for role, letter, type_, field in (
        (labels.SPEAKER, "S", labels.SPOKEN_BY, "speaker"),
        (labels.TARGET, "T", labels.TARGETS, "target"),
    ):
        ends = [getattr(found, field) for found in prediction.spans]
        mentions = _merge_mentions([end for end in ends if end is not None])
        ids = {m: f"{letter}{n}" for n, m in enumerate(sorted(set(mentions.values())), 1)}
        spans += [Span(id_, role, *m, text[m[0] : m[1]]) for m, id_ in ids.items()]
        heads = spans[: len(prediction.spans)]
        relations += [
            Relation(type_, head.id, ids[mentions[end.start_char, end.end_char]])
            for head, end in zip(heads, ends, strict=True)
            if end is not None
        ]
    for n, found in enumerate(prediction.spans):
        if found.responds_to is not None:
            relations.append(Relation(labels.RESPONDS_TO, spans[n].id, spans[found.responds_to].id))
    return list(_items(spans, relations, Remarks(), scores))


def _merge_mentions(mentions: Sequence[Mention]) -> dict[tuple[int, int], tuple[int, int]]:
    """Map every mention to the longest of those that it overlaps with."""
    stretches = {(m.start_char, m.end_char) for m in mentions}
    kept: list[tuple[int, int]] = []
    merged = {}
    for start, end in sorted(stretches, key=lambda s: (s[0] - s[1], s)):
        over = [k for k in kept if start < k[1] and k[0] < end]
        if not over:
            kept.append((start, end))
        merged[start, end] = over[0] if over else (start, end)
    return merged


def _items(
    spans: Sequence[Span],
    relations: Sequence[Relation],
    remarks: Remarks,
    scores: dict[str, float],
) -> Iterator[Item]:
    for span in spans:
        place = {"start": span.start_char, "end": span.end_char, "text": span.text}
        yield from _region(span, place, remarks, scores.get(span.id))
    for relation in relations:
        yield {
            "type": "relation",
            "from_id": relation.head,
            "to_id": relation.tail,
            "direction": "right",
            "labels": [relation.type],
        }
    if remarks.nothing_to_flag:
        yield _item("document", ui.VERDICT, "choices", {"choices": [ui.NOTHING_TO_FLAG]})
    if remarks.comment:
        yield _item("comment", ui.COMMENT, "textarea", {"text": [remarks.comment]})


def _region(span: Span, place: Item, remarks: Remarks, score: float | None) -> Iterator[Item]:
    region = _item(span.id, ui.LABEL, "labels", {**place, "labels": [span.label]})
    yield region if score is None else {**region, "score": score}
    choices = {
        ui.VOICE: span.voice,
        ui.FORM: span.form,
        ui.CONFIDENCE: remarks.confidences.get(span.id),
    }
    for name, choice in choices.items():
        if choice is not None:
            yield _item(span.id, name, "choices", {**place, "choices": [choice]})
    if note := remarks.notes.get(span.id):
        yield _item(span.id, ui.NOTE, "textarea", {**place, "text": [note]})


def _item(id_: str, name: str, type_: str, value: Item) -> Item:
    return {"id": id_, "from_name": name, "to_name": ui.TEXT, "type": type_, "value": value}
