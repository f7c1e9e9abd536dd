"""Results that no browser should make, and how each is told; without a server."""

import pytest

from forewarn.annotation.exports import results_to_layer
from forewarn.annotation.tasks import prediction_to_results
from forewarn.predictions import Mention, Prediction, ScoredSpan

TEXT = "Marshal Quorrel called the weavers lice. The guild was quiet."


def region(id_, words, label, **rest):
    start = TEXT.index(words)
    value = {"start": start, "end": start + len(words), "text": "?", "labels": [label]}
    return {**item(id_, "label", "labels", value), **rest}


def item(id_, name, type_, value):
    return {"id": id_, "from_name": name, "to_name": "text", "type": type_, "value": value}


def choice(id_, name, *values):
    return item(id_, name, "choices", {"choices": list(values)})


def link(head, tail, *types, direction="right"):
    ends = {"from_id": head, "to_id": tail}
    return {"type": "relation", **ends, "direction": direction, "labels": list(types)}


LICE = (region("a", "lice", "DEHUMANISING_LABEL"), choice("a", "voice", "quoted"))
LICE = (*LICE, choice("a", "form", "animal"))
SPEAKER = region("b", "Marshal Quorrel", "SPEAKER")


def read(*items):
    return results_to_layer(TEXT, items, annotator="ana", guidelines="1.2")


def test_spans_get_ids_in_text_order_and_their_text_by_offsets():
    layer = read(*LICE, SPEAKER, link("a", "b", "spoken_by"))
    assert [(s.id, s.text) for s in layer.annotation.spans] == [
        ("S1", "Marshal Quorrel"),
        ("R1", "lice"),
    ]
    assert layer.origin["ids"] == {"R1": "a", "S1": "b"} and not layer.aside
    (relation,) = layer.annotation.relations
    assert (relation.head, relation.tail) == ("R1", "S1")


def test_a_link_drawn_backwards_is_read_in_its_direction():
    layer = read(*LICE, SPEAKER, link("b", "a", "spoken_by", direction="left"))
    (relation,) = layer.annotation.relations
    assert (relation.head, relation.tail) == ("R1", "S1")


@pytest.mark.parametrize(
    ("items", "said", "n_spans"),
    [
        ((LICE[0], LICE[2]), "voice None", 0),
        (LICE[:2], "form None", 0),
        ((*LICE, choice("a", "voice", "denied")), "second voice", 1),
        ((*LICE, SPEAKER, choice("b", "voice", "quoted")), "takes no voice", 2),
        ((SPEAKER, choice("x", "voice", "quoted")), "not there", 1),
        ((SPEAKER, choice("b", "confidence", "very")), "'very' is not of the scheme", 1),
        ((SPEAKER, choice("b", "confidence", "certain", "unsure")), "one confidence expected", 1),
        ((SPEAKER, region("b", "guild", "SPEAKER")), "second region", 1),
        ((SPEAKER, region("c", "Quorrel", "SPEAKER")), "overlap", 1),
        ((region("c", " weavers", "TARGET"),), "white space at the edge", 0),
        ((*LICE, SPEAKER, link("a", "b")), "without a type", 2),
        ((*LICE, SPEAKER, link("a", "b", "spoken_by", direction="bi")), "direction 'bi'", 2),
        ((*LICE, SPEAKER, link("a", "b", "loves")), "unknown relation 'loves'", 2),
        ((*LICE, SPEAKER, *[link("a", "b", "spoken_by")] * 2), "stands twice", 2),
        ((SPEAKER, choice("d", "document", "nothing to flag")), "on a document with 1 spans", 1),
        ((item("e", "stars", "rating", {"rating": 3}),), "the interface has not", 0),
        (("not an item",), "not a result", 0),
        (
            (item("f", "label", "labels", {"start": 0.5, "end": 3, "labels": ["TARGET"]}),),
            "whole",
            0,
        ),
        ((item("f", "label", "labels", None),), "not a result", 0),
    ],
)
def test_what_cannot_be_proved_is_kept_aside(items, said, n_spans):
    layer = read(*items)
    assert sum(said in aside.reason for aside in layer.aside) == 1, layer.aside
    assert len(layer.annotation.spans) == n_spans


def test_notes_of_the_interface_and_of_label_studio_itself_are_both_kept():
    note = item("b", "note", "textarea", {"text": ["mine"]})
    layer = read({**SPEAKER, "meta": {"text": ["its own"]}}, note)
    assert layer.remarks.notes == {"S1": "its own\nmine"}


def test_a_document_without_anything_to_flag():
    comment = item("c", "comment", "textarea", {"text": ["a dull one"]})
    layer = read(choice("d", "document", "nothing to flag"), comment)
    assert layer.remarks.nothing_to_flag and layer.remarks.comment == "a dull one"


def test_a_prediction_becomes_spans_and_links_that_keep_the_rules():
    long, short = Mention(0, 15, "Marshal Quorrel"), Mention(8, 15, "Quorrel")
    lice = ScoredSpan(
        35,
        39,
        "lice",
        "DEHUMANISING_LABEL",
        "animal",
        0.8,
        "quoted",
        0.9,
        long,
        Mention(27, 34, "weavers"),
        None,
    )
    calm = ScoredSpan(51, 60, "was quiet", "CONDEMNATION", None, 0.4, None, None, short, None, 0)
    items = prediction_to_results(TEXT, Prediction(0.9, 0.2, (lice, calm)))
    layer = read(*items)
    assert not layer.aside
    assert [s.id for s in layer.annotation.spans] == ["S1", "T1", "R1", "C1"]
    assert {(r.type, r.head, r.tail) for r in layer.annotation.relations} == {
        ("spoken_by", "R1", "S1"),
        ("spoken_by", "C1", "S1"),
        ("targets", "R1", "T1"),
        ("responds_to", "C1", "R1"),
    }
    scores = {i["id"]: i["score"] for i in items if "score" in i}
    assert scores == {"R1": 0.8, "C1": 0.4}
