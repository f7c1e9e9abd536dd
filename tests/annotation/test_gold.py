"""Differences by weight, gold by rule, agreement by pair, and the commands."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from forewarn.annotation.differences import weigh_differences
from forewarn.annotation.gold import RULES, adjudicate_by_rule, adjudicated, order_documents
from forewarn.annotation.layers import (
    AnnotatedDocument,
    Layer,
    Remarks,
    pair_documents,
    read_documents,
    write_document,
)
from forewarn.cli import app
from forewarn.records import Annotation, Relation, Span

TEXT = "Marshal Quorrel called the weavers lice. Shoot them! The guild called it murderous."


def layer(name, *marks, links=(), **remarks):
    spans = tuple(
        Span(id_, label, TEXT.index(words), TEXT.index(words) + len(words), words, *rest)
        for id_, label, words, *rest in marks
    )
    annotation = Annotation(name, "1.2", spans, tuple(Relation(*link) for link in links))
    return Layer(annotation, Remarks(**remarks))


SPEAKER = ("S1", "SPEAKER", "Marshal Quorrel")
LICE = ("R1", "DEHUMANISING_LABEL", "lice", "quoted", "animal")
USED = ("R1", "DEHUMANISING_LABEL", "lice", "asserted", "animal")
SHOOT = ("R2", "LETHAL_FORCE_ORDER", "Shoot them", "quoted")
SHORT = ("R2", "LETHAL_FORCE_ORDER", "Shoot", "quoted")
MURDEROUS = ("C1", "CONDEMNATION", "murderous")


def document(a, b, id_="x"):
    return AnnotatedDocument(id_, TEXT, {}, (a, b))


def weighed(a, b):
    return weigh_differences(pair_documents([document(a, b)]))


def test_what_changes_the_document_weighs_most():
    nothing = layer("ben")
    (missed,) = weighed(layer("ana", LICE), nothing)
    (used,) = weighed(layer("ana", LICE), layer("ben", USED))
    (voice,) = weighed(layer("ana", LICE), layer("ben", (*LICE[:3], "condemned", "animal")))
    (form,) = weighed(layer("ana", LICE), layer("ben", (*LICE[:4], "filth")))
    (edge,) = weighed(layer("ana", SHOOT), layer("ben", SHORT))
    (counter,) = weighed(layer("ana", MURDEROUS), nothing)
    weights = [w.weight for w in (missed, used, voice, form)]
    assert weights == [7.0, 5.0, 1.0, 0.5]
    assert edge.weight == pytest.approx(0.5) and edge.reasons == ("another boundary",)
    assert counter.weight == 1.0


def test_links_are_differences_too():
    links = (("spoken_by", "R1", "S1"),)
    (found,) = weighed(layer("ana", SPEAKER, LICE, links=links), layer("ben", LICE))
    assert found.reasons == ("another speaker",)


def test_documents_and_differences_come_heaviest_first():
    light = document(layer("ana", SHOOT), layer("ben", SHORT), "light")
    heavy = document(layer("ana", LICE), layer("ben"), "heavy")
    alike = document(layer("ana", LICE), layer("ben", LICE), "alike")
    assert [d.id for d in order_documents([light, alike, heavy])] == ["heavy", "light"]
    found = weigh_differences(pair_documents([light, alike, heavy]))
    assert [w.document for w in found] == ["heavy", "light"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("agreed", {"lice"}),
        ("first", {"lice", "Shoot them"}),
        ("either", {"lice", "Shoot them", "murderous"}),
        ("confident", {"lice", "Shoot"}),
    ],
)
def test_rules(rule, words):
    a = layer("ana", LICE, SHOOT, confidences={"R2": "unsure"})
    b = layer("ben", LICE, SHORT, MURDEROUS, confidences={"C1": "probable"})
    if rule == "either":  # without a word on how sure it was, the first reading stands
        a = replace(a, remarks=Remarks())
    done, problems = adjudicate_by_rule(document(a, b), rule)
    assert not problems
    assert {span.text for span in done.gold.spans} == words
    assert done.gold.adjudicator == f"rule {rule}" and len(done.gold.decisions) == 2
    assert set(RULES) == {"agreed", "first", "either", "confident"}


def test_what_the_adjudicator_kept_is_recorded():
    a, b = layer("ana", LICE, SHOOT), layer("ben", USED, SHORT, MURDEROUS)
    carla = layer("carla", LICE, SHORT)
    gold = adjudicated(document(a, b), carla).gold
    assert gold.spans == carla.annotation.spans and gold.adjudicator == "carla"
    assert [d.outcome for d in gold.decisions] == ["A", "B", "none"]


def test_gold_from_label_studio(studio, server, tmp_path):
    ana, ben = layer("ana", SPEAKER, LICE, links=(("spoken_by", "R1", "S1"),)), layer("ben", USED)
    write_document(tmp_path / "pulled", document(ana, ben))
    write_document(tmp_path / "pulled", document(layer("ana", LICE), layer("ben", LICE), "alike"))

    def call(*words):
        environment = {
            "LABEL_STUDIO_URL": server.url,
            "LABEL_STUDIO_API_KEY": server.login.token,
            "XDG_DATA_HOME": str(tmp_path),
        }
        words = ["annotate", "adjudicate", str(tmp_path / "pulled"), *words]
        return CliRunner(env=environment).invoke(app, words)

    pushed = call()
    assert pushed.exit_code == 0 and "1 documents added" in pushed.stdout, pushed.output
    project = studio.project("Forewarn: adjudication")
    (task,) = studio.tasks(project)
    by_name = {p["model_version"]: p["result"] for p in task.predictions}
    assert set(by_name) == {"ana", "ben"}
    early = call("--fetch")
    assert early.exit_code == 1 and "nothing submitted yet" in early.stderr
    studio.add_annotation(task.id, {"result": by_name["ana"]})
    done = call("--fetch", "--names", str(write_names(tmp_path, server.login.email)))
    assert done.exit_code == 0, done.output
    by_id = {d.id: d for d in read_documents(tmp_path / "pulled")}
    assert by_id["x"].gold.spans == ana.annotation.spans
    assert by_id["x"].gold.relations == ana.annotation.relations
    assert by_id["x"].gold.adjudicator == "carla"
    assert [d.outcome for d in by_id["x"].gold.decisions] == ["A"]
    assert [s.text for s in by_id["alike"].gold.spans] == ["lice"]
    assert server.login.token not in pushed.output + early.output + done.output


def write_names(folder, email):
    path = folder / "names.json"
    path.write_text(f'{{"{email}": "carla"}}')
    return path


def test_commands_on_a_folder(tmp_path):
    write_document(tmp_path, document(layer("ana", LICE), layer("ben", LICE, SHOOT)))
    third = AnnotatedDocument("y", TEXT, {}, (layer("ana", LICE), layer("carla", USED)))
    write_document(tmp_path, third)
    listed = CliRunner().invoke(app, ["annotate", "differences", str(tmp_path)])
    assert listed.exit_code == 0 and listed.stdout.startswith("5.00  y, difference 1: only one")
    words = ["annotate", "agreement", "--documents", str(tmp_path), "--pairs", "--no-gamma"]
    report = CliRunner().invoke(app, words)
    assert "| ana | ben | 1 |" in report.stdout and "| ana | carla | 1 |" in report.stdout
    words = ["annotate", "adjudicate", str(tmp_path), "--rule", "agreed"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert [[s.text for s in d.gold.spans] for d in read_documents(tmp_path)] == [["lice"], []]
    unknown = CliRunner().invoke(app, [*words[:-1], "dice"])
    assert unknown.exit_code == 2 and "known are agreed" in unknown.stderr
