"""Label Studio's results back to spans, relations and remarks; nothing is repaired or dropped.

What cannot be proved (offsets outside the text, unknown labels, a voice that is missing, dangling
relations, relations between the wrong kinds) goes aside with its reason, and so does whatever hangs
on it. The text of a span is taken by its offsets: what the browser stores beside them is not exact.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from forewarn import labels, rules
from forewarn.annotation import interface as ui
from forewarn.annotation.layers import Aside, Layer, Remarks
from forewarn.annotation.tasks import Item
from forewarn.records import Annotation
from forewarn.rules import Relation, Span

_OWN_ID = re.compile(r"[RCST]\d+")
_CHOICES = {
    ui.VOICE: labels.VOICES,
    ui.FORM: labels.FORMS,
    ui.CONFIDENCE: ui.CONFIDENCES,
}
_LETTERS = {labels.SPEAKER: "S", labels.TARGET: "T"}


def results_to_layer(
    text: str, results: Sequence[Item], *, annotator: str, guidelines: str
) -> Layer:
    """Read the results of one annotation.

    :param text: the document's text.
    :param results: the items of the annotation.
    :param annotator: who made it.
    :param guidelines: the version of the guidelines.
    :return: the layer; spans are in text order and have ids such as ``R1``; ``origin`` maps those
        that were given here to the server's.
    """
    reader = _Reader(text)
    for item in results:
        reader.take(item)
    spans, relations, remarks = reader.finish()
    annotation = Annotation(annotator, guidelines, spans, relations)
    return Layer(annotation, remarks, tuple(reader.aside), reader.origin)


class _Reader:
    """Sorts the items of one annotation into regions, attributes, relations and what is aside."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.regions: dict[str, Item] = {}
        self.attributes: list[tuple[str, str, str, Item]] = []
        self.relations: list[Item] = []
        self.document: dict[str, Any] = {}
        self.aside: list[Aside] = []
        self.origin: dict[str, Any] = {}

    def take(self, item: Any) -> None:
        """Sort one item.

        :param item: the item as the server gave it.
        """
        try:
            self._sort(item)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            kept = item if isinstance(item, dict) else {"value": item}
            self.aside.append(Aside(_reason(error), kept))

    def _sort(self, item: Item) -> None:
        if item["type"] == "relation":
            self.relations.append(item)
            return
        name, value = item["from_name"], item["value"]
        if name == ui.LABEL:
            if item["id"] in self.regions:
                raise ValueError(f"second region with the id {item['id']!r}")
            self.regions[item["id"]] = item
            if own := (item.get("meta") or {}).get("text"):  # Label Studio's own note on a region
                self.attributes.append((item["id"], ui.NOTE, "\n".join(own), item))
        elif name in (ui.VERDICT, ui.COMMENT):
            self._remark(name, value)
        elif name == ui.NOTE:
            self.attributes.append((item["id"], name, "\n".join(value["text"]), item))
        elif name in _CHOICES:
            choice = _only(value["choices"], name)
            if choice not in _CHOICES[name]:
                raise ValueError(f"{name} {choice!r} is not of the scheme")
            self.attributes.append((item["id"], name, choice, item))
        else:
            raise ValueError(f"result of {name!r}, which the interface has not")

    def _remark(self, name: str, value: Item) -> None:
        if name in self.document:
            raise ValueError(f"second {name} on the document")
        if name == ui.VERDICT:
            if _only(value["choices"], name) != ui.NOTHING_TO_FLAG:
                raise ValueError(f"{name} {value['choices']!r} is not of the interface")
            self.document[name] = True
        else:
            self.document[name] = "\n".join(value["text"])

    def finish(self) -> tuple[tuple[Span, ...], tuple[Relation, ...], Remarks]:
        """Build spans, relations and remarks of what can be proved.

        :return: all three.
        """
        said = self._attributes()
        spans = dict(self._spans(said))
        new_ids = _name_spans(spans)
        if renamed := {new: old for old, new in new_ids.items() if new != old}:
            self.origin["ids"] = renamed
        named = {old: replace(span, id=new_ids[old]) for old, span in spans.items()}
        order = sorted(named.values(), key=lambda s: (s.start_char, s.end_char, s.label))
        relations = self._relations(named)
        self._contradiction(spans)
        remarks = Remarks(
            {new_ids[old]: said[old, ui.NOTE] for old in spans if (old, ui.NOTE) in said},
            {
                new_ids[old]: said[old, ui.CONFIDENCE]
                for old in spans
                if (old, ui.CONFIDENCE) in said
            },
            self.document.get(ui.VERDICT, False),
            self.document.get(ui.COMMENT, ""),
        )
        return tuple(order), tuple(relations), remarks

    def _attributes(self) -> dict[tuple[str, str], str]:
        said: dict[tuple[str, str], str] = {}
        for id_, name, value, item in self.attributes:
            region = self.regions.get(id_)
            if region is None:
                self.aside.append(Aside(f"{name} of a span that is not there", item))
            elif name == ui.NOTE and (id_, name) in said:
                said[id_, name] += f"\n{value}"
            elif (id_, name) in said:
                self.aside.append(Aside(f"second {name} of one span", item))
            elif not _applies(name, region):
                self.aside.append(Aside(f"this label takes no {name}", item))
            else:
                said[id_, name] = value
        return said

    def _spans(self, said: dict[tuple[str, str], str]) -> Iterator[tuple[str, Span]]:
        good: list[Span] = []
        for id_, item in self.regions.items():
            try:
                span = self._span(id_, item, said)
                problems = list(rules.iter_problems(self.text, [*good, span], ()))
                reason = problems[0].message if problems else ""
            except (KeyError, TypeError, ValueError) as error:
                span, reason = None, _reason(error)
            if span is None or reason:
                self._set_aside(id_, reason)
            else:
                good.append(span)
                yield id_, span

    def _span(self, id_: str, item: Item, said: dict[tuple[str, str], str]) -> Span:
        value = item["value"]
        start, end = value["start"], value["end"]
        for offset in (start, end):
            if isinstance(offset, bool) or not isinstance(offset, int):
                raise ValueError(f"offset {offset!r} is not a whole number")
        label = _only(value["labels"], "label")
        words = self.text[start:end] if 0 <= start <= end else ""
        voice, form = said.get((id_, ui.VOICE)), said.get((id_, ui.FORM))
        return Span(id_, label, start, end, words, voice, form)

    def _set_aside(self, id_: str, reason: str) -> None:
        self.aside.append(Aside(reason, self.regions[id_]))
        kept = [aside.item for aside in self.aside]
        for other, name, _, item in self.attributes:
            if other == id_ and item not in kept:
                self.aside.append(Aside(f"{name} of a span that was kept aside", item))

    def _relations(self, spans: dict[str, Span]) -> list[Relation]:
        good: list[Relation] = []
        everything = tuple(spans.values())
        for item in self.relations:
            try:
                found = list(_read_relation(item, spans))
                problems = list(rules.iter_problems(self.text, everything, [*good, *found]))
                reason = problems[0].message if problems else ""
            except (KeyError, TypeError, ValueError) as error:
                found, reason = [], _reason(error)
            if reason:
                self.aside.append(Aside(reason, item))
            else:
                good += found
        order = {span.id: n for n, span in enumerate(everything)}
        return sorted(good, key=lambda r: (order[r.head], r.type, order[r.tail]))

    def _contradiction(self, spans: dict[str, Span]) -> None:
        if spans and self.document.get(ui.VERDICT):
            del self.document[ui.VERDICT]
            value = {"choices": [ui.NOTHING_TO_FLAG]}
            item = {"id": "document", "from_name": ui.VERDICT, "to_name": ui.TEXT}
            self.aside.append(
                Aside(
                    f"{ui.NOTHING_TO_FLAG!r} on a document with {len(spans)} spans",
                    {**item, "type": "choices", "value": value},
                )
            )


def _read_relation(item: Item, spans: dict[str, Span]) -> Iterator[Relation]:
    ends = item["from_id"], item["to_id"]
    if item.get("direction") == "left":
        ends = ends[1], ends[0]
    elif item.get("direction") != "right":
        raise ValueError(f"relation in the direction {item.get('direction')!r}; give it one")
    for id_ in ends:
        if id_ not in spans:
            raise ValueError(f"relation to or from {id_!r}, a span that is not there or was aside")
    if not item.get("labels"):
        raise ValueError(f"relation without a type; expected {', '.join(labels.RELATION_BY_NAME)}")
    for type_ in item["labels"]:
        yield Relation(type_, spans[ends[0]].id, spans[ends[1]].id)


def _applies(name: str, region: Item) -> bool:
    marked = region.get("value", {}).get("labels") or [""]
    if name == ui.VOICE:
        return marked[0] in labels.RHETORIC or marked[0] not in labels.BY_NAME
    if name == ui.FORM:
        return marked[0] == labels.DEHUMANISING_LABEL or marked[0] not in labels.BY_NAME
    return True


def _name_spans(spans: dict[str, Span]) -> dict[str, str]:
    """Keep ids of our own making; give the others the next free ones, in text order."""
    names = {old: old for old in spans if _OWN_ID.fullmatch(old)}
    used = set(names.values())
    rest = (old for old in spans if old not in names)
    for old in sorted(rest, key=lambda o: (spans[o].start_char, spans[o].end_char, spans[o].label)):
        label = spans[old].label
        letter = _LETTERS.get(label) or ("R" if label in labels.RHETORIC else "C")
        n = 1
        while f"{letter}{n}" in used:
            n += 1
        names[old] = f"{letter}{n}"
        used.add(names[old])
    return names


def _only(values: Any, name: str) -> str:
    if not isinstance(values, list) or len(values) != 1 or not isinstance(values[0], str):
        raise ValueError(f"one {name} expected, found {values!r}")
    return values[0]


def _reason(error: Exception) -> str:
    if isinstance(error, ValueError):
        return str(error)
    return f"not a result of Label Studio ({error!r})"
