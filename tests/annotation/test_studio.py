"""Push and pull against the real server, with the real SDK."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from forewarn.annotation.client import Studio, StudioError
from forewarn.annotation.layers import (
    AnnotatedDocument,
    Layer,
    Remarks,
    document_path,
    read_documents,
    write_document,
)
from forewarn.annotation.pull import pull
from forewarn.annotation.push import Suggestion, push
from forewarn.annotation.tasks import layer_to_results
from forewarn.records import Annotation, Relation, Span

ANA, BEN = "ana@example.com", "ben@example.com"
TEXTS = {
    "plain": "Marshal Quorrel called the weavers lice. He told them to shoot the lice.",
    "emoji": "\ufeffMarshal 👩\u200d👧 Quorrel 🐀 hit  the weavers lice.\r\n\tShoot the lice!",
    "marks": "Quorre\u0301l e\u0301 called\u00a0the weavers \u202blice\u202c; shoot the lice",
    "right": "قال المارشال Quorrel إن weavers هم lice שלום shoot the lice",
    "spaces": "  Quorrel   called\n\n\n the   weavers \\n lice <b>&amp;</b> shoot the lice  ",
}


def find(text, words, id_, label, last=False, **rest):
    start = text.rindex(words) if last else text.index(words)
    return Span(id_, label, start, start + len(words), words, **rest)


def layer(text, annotator):
    spans = (
        find(text, "Quorre", "S1", "SPEAKER"),
        find(text, "weavers", "T1", "TARGET"),
        find(text, "lice", "R1", "DEHUMANISING_LABEL", voice="quoted", form="animal"),
        find(text.lower(), "shoot the lice", "R2", "LETHAL_FORCE_ORDER", voice="asserted"),
        find(text, "lice", "R3", "DEHUMANISING_LABEL", True, voice="asserted", form="animal"),
    )
    spans = tuple(replace(s, text=text[s.start_char : s.end_char]) for s in spans)
    spans = tuple(sorted(spans, key=lambda s: (s.start_char, s.end_char, s.label)))
    relations = (
        Relation("spoken_by", "R1", "S1"),
        Relation("targets", "R1", "T1"),
        Relation("spoken_by", "R2", "S1"),
    )
    remarks = Remarks({"R1": "with an accent: é\n🐀"}, {"R2": "unsure"}, False, "odd  text")
    return Layer(Annotation(annotator, "1.2", spans, relations), remarks)


def document(id_, text, *annotators):
    layers = tuple(layer(text, who) for who in annotators)
    return AnnotatedDocument(id_, text, {"genre": "speech", "provenance": {"writer": "w"}}, layers)


def suggestion(text, name="model-1"):
    return Suggestion(name, 0.5, layer_to_results(layer(text, "")))


def suggest(document):
    return [suggestion(document.text)]


@pytest.fixture
def project(studio):
    return studio.make_project("Round", instructions="<p>Read this.</p>")


def test_nothing_is_lost_between_push_pull_and_push(studio, project, tmp_path):
    people = {who: studio.add_user(who, "a-long-secret") for who in (ANA, BEN)}
    documents = [document(id_, text, ANA, BEN) for id_, text in TEXTS.items()]
    options = {"guidelines": "1.2", "suggestions": suggest, "annotators": people}
    first = push(studio, project, documents, **options)
    assert (first.added, first.annotations, first.problems) == (5, 10, [])

    report = pull(studio, project, tmp_path / "pulled")
    assert (report.documents, report.annotations, report.written) == (5, 10, 5)
    assert not report.aside + report.gone + report.problems
    pulled = {d.id: d for d in read_documents(tmp_path / "pulled")}
    for wanted in documents:
        got = pulled[wanted.id]
        assert (got.text, got.meta) == (wanted.text, wanted.meta)
        assert tuple(replace(x, origin={}) for x in got.layers) == wanted.layers

    again = push(studio, project, pulled.values(), **options)
    assert (again.added, again.changed, again.unchanged, again.annotations) == (0, 0, 5, 0)
    assert pull(studio, project, tmp_path / "pulled").written == 0
    other = studio.make_project("Other", instructions="")
    push(studio, other, pulled.values(), **options)
    pull(studio, other, tmp_path / "other")
    for got in read_documents(tmp_path / "other"):
        assert [x.annotation for x in got.layers] == [x.annotation for x in pulled[got.id].layers]


def test_second_push_adds_and_updates_but_spares_work(studio, project):
    texts = {"a": TEXTS["plain"], "b": TEXTS["emoji"], "c": TEXTS["marks"]}
    documents = [document(id_, text) for id_, text in texts.items()]
    push(studio, project, documents[:2], guidelines="1.2", suggestions=suggest)
    (task,) = [t for t in studio.tasks(project) if t.data["doc_id"] == "a"]
    studio.add_annotation(task.id, {"result": layer_to_results(layer(texts["a"], ANA))})

    documents[0] = replace(documents[0], text=texts["a"] + " More.")
    documents[1] = replace(documents[1], text=texts["b"] + " More.")
    report = push(
        studio,
        project,
        documents,
        guidelines="1.2",
        suggestions=lambda d: [replace(suggestion(d.text), score=0.75)],
    )
    assert (report.added, report.changed, report.unchanged) == (1, 1, 0)
    (problem,) = report.problems
    assert "'a'" in problem and "1 annotations" in problem and "new id" in problem
    tasks = {t.data["doc_id"]: t for t in studio.tasks(project)}
    assert tasks["a"].data["text"] == texts["a"]
    assert tasks["b"].data["text"] == texts["b"] + " More."
    assert [p["score"] for p in tasks["b"].predictions] == [0.75]
    assert [p["score"] for p in tasks["a"].predictions] == [0.5]


def test_pull_keeps_what_was_deleted_and_leaves_out_what_was_skipped(studio, project, tmp_path):
    documents = [document("a", TEXTS["plain"]), document("b", TEXTS["emoji"])]
    push(studio, project, documents, guidelines="1.2")
    a, b = (t.id for t in studio.tasks(project))
    results = layer_to_results(layer(TEXTS["plain"], ""))
    made = studio.add_annotation(a, {"result": results})
    studio.add_annotation(b, {"result": [], "was_cancelled": True})
    assert pull(studio, project, tmp_path).skipped == 1
    before = read_documents(tmp_path)
    assert [d.id for d in before] == ["a"]

    studio._client.annotations.delete(id=made)
    report = pull(studio, project, tmp_path)
    assert "deleted on the server; kept" in report.gone[0]
    (after,) = read_documents(tmp_path)
    assert after.layers[0].annotation == before[0].layers[0].annotation
    assert after.layers[0].origin["deleted"] is True

    studio._client.tasks.delete(id=str(a))
    report = pull(studio, project, tmp_path)
    assert "no task of it any more" in report.gone[0]
    assert read_documents(tmp_path) == [after]


def test_what_cannot_be_proved_is_listed_and_survives_the_way_back(studio, project, tmp_path):
    text = TEXTS["plain"]
    good = layer_to_results(layer(text, ""))
    value = {"start": 5, "end": 900, "text": "x", "labels": ["TARGET"]}
    region = {"id": "zzz", "from_name": "label", "to_name": "text", "type": "labels"}
    bad = [
        {**region, "value": value},
        {**region, "id": "yyy", "value": {**value, "end": 9, "labels": ["NO_SUCH_LABEL"]}},
        {
            "type": "relation",
            "from_id": "R1",
            "to_id": "gone",
            "direction": "right",
            "labels": ["targets"],
        },
        {
            "type": "relation",
            "from_id": "S1",
            "to_id": "R1",
            "direction": "right",
            "labels": ["targets"],
        },
    ]
    people = {who: studio.add_user(who, "a-long-secret") for who in (ANA,)}
    push(studio, project, [document("a", text)], guidelines="1.2")
    (task,) = studio.tasks(project)
    studio.add_annotation(task.id, {"result": good + bad, "completed_by": people[ANA]})
    report = pull(studio, project, tmp_path)
    assert len(report.aside) == 4
    for part in ("do not lie in a text", "NO_SUCH_LABEL", "'gone'", "may not go from S1"):
        assert sum(part in line for line in report.aside) == 1
    (pulled,) = read_documents(tmp_path)
    assert pulled.layers[0].annotation == layer(text, ANA).annotation
    assert [aside.item for aside in pulled.layers[0].aside] == bad
    other = studio.make_project("Other", instructions="")
    push(studio, other, [pulled], guidelines="1.2", annotators=people)
    (task,) = studio.tasks(other)
    assert sorted(map(json.dumps, task.annotations[0]["result"])) == sorted(
        map(json.dumps, good + bad)
    )


def test_two_thousand_tasks(studio, project, tmp_path):
    documents = [document(f"d{n}", f"{TEXTS['plain']} {n}") for n in range(2000)]
    steps = []
    report = push(
        studio,
        project,
        documents,
        guidelines="1.2",
        suggestions=suggest,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert (report.added, report.problems, steps[-1]) == (2000, [], (2000, 2000))
    tasks = studio.tasks(project)
    assert {t.data["doc_id"] for t in tasks} == {d.id for d in documents}
    assert all(len(t.predictions) == 1 for t in tasks)
    again = push(studio, project, documents, guidelines="1.2", suggestions=suggest)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2000)


def test_two_annotators_at_once(studio, project, tmp_path):
    people = {who: studio.add_user(who, "a-long-secret") for who in (ANA, BEN)}
    push(studio, project, [document(f"d{n}", TEXTS["emoji"]) for n in range(5)], guidelines="1.2")
    tasks = studio.tasks(project)

    def work(who):
        result = layer_to_results(layer(TEXTS["emoji"], who))
        for task in tasks:
            studio.add_annotation(task.id, {"result": result, "completed_by": people[who]})

    with ThreadPoolExecutor(2) as both:
        list(both.map(work, people))
    assert pull(studio, project, tmp_path).annotations == 10
    for got in read_documents(tmp_path):
        assert {x.annotation.annotator for x in got.layers} == {ANA, BEN}
        assert all(
            replace(x, origin={}) == layer(TEXTS["emoji"], x.annotation.annotator)
            for x in got.layers
        )


def test_a_file_with_another_text_is_left_alone(studio, project, tmp_path):
    push(studio, project, [document("a", TEXTS["plain"])], guidelines="1.2")
    write_document(tmp_path, document("a", TEXTS["emoji"], ANA))
    before = document_path(tmp_path, "a").read_bytes()
    (problem,) = pull(studio, project, tmp_path).problems
    assert "holds another text" in problem
    assert document_path(tmp_path, "a").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [("  ", "empty"), ("a \ud83d b", "lone surrogate"), ("a \0 b", "NUL")],
)
def test_texts_that_the_server_cannot_hold_are_refused(text, said):
    class Nothing:
        def tasks(self, project):
            return []

    report = push(Nothing(), 1, [AnnotatedDocument("x", text, {}, ())], guidelines="1.2")
    assert said in report.problems[0] and "'x'" in report.problems[0]


def test_wrong_token_and_no_server_say_what_to_do(server):
    with pytest.raises(StudioError, match="token was refused") as caught:
        Studio(server.url, "f" * 40)
    assert "f" * 40 not in str(caught.value)
    server.stop()
    with pytest.raises(StudioError, match="is the server running"):
        Studio(server.url, server.login.token)
