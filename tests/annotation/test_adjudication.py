import json

import pytest

from forewarn import rules
from forewarn.annotation import adjudication, notation
from forewarn.annotation.rounds import merge_round, write_sheet
from forewarn.records import Annotation, Decision

TEXT = (
    "Marshal Quorrel told the Lancers to fire into the crowd at once. The marshal called the "
    "weavers lice. The guild called it murderous. Weavers and carters stayed away."
)
A = [
    "S1 | SPEAKER | - | ⟦Marshal Quorrel⟧ told",
    "T1 | TARGET | - | the ⟦weavers⟧ lice",
    "R1 | LETHAL_FORCE_ORDER | quoted | ⟦fire into the crowd⟧ at | by S1",
    "R2 | DEHUMANISING_LABEL/animal | quoted | ⟦lice⟧ | by S1 | at T1",
    "C1 | CONDEMNATION | - | ⟦murderous⟧ | re R1",
]
B = [
    "S1 | SPEAKER | - | ⟦Marshal Quorrel⟧ told",
    "S2 | SPEAKER | - | The ⟦guild⟧ called",
    "T1 | TARGET | - | the ⟦weavers⟧ lice",
    "X1 | LETHAL_FORCE_ORDER | quoted | ⟦fire into the crowd at once⟧ | by S1",
    "X2 | DEHUMANISING_LABEL/animal | quoted | ⟦lice⟧ | by S1 | at T1",
    "X3 | CONDEMNATION | - | ⟦murderous⟧ | by S2 | re X1",
    "X4 | ENEMY_FRAMING | asserted | ⟦Weavers and carters⟧",
]


GUILD = "+ S9 | SPEAKER | - | The ⟦guild⟧ called"
ORDER = "+ R9 | LETHAL_FORCE_ORDER | quoted | ⟦fire into the crowd at⟧ once"
MURDEROUS = "+ C9 | CONDEMNATION | - | ⟦called it murderous⟧"
RUDE = "+ C9 | RUDENESS | - | ⟦called it murderous⟧"


def layer(name, lines):
    parsed = notation.parse(TEXT, lines)
    assert parsed.problems == ()
    return Annotation(name, "1.0", parsed.spans, parsed.relations)


@pytest.fixture
def comparison():
    return adjudication.compare(layer("a", A), layer("b", B))


def decide(comparison, *lines):
    return adjudication.merge(TEXT, comparison, lines, adjudicator="j", guidelines="1.0")


def test_alike_is_agreed_and_the_rest_differs(comparison):
    assert [reading.span.text for reading in comparison.agreed] == ["lice"]
    about = [(d.a and d.a.span.text, d.b and d.b.span.text) for d in comparison.differences]
    assert about == [
        ("fire into the crowd", "fire into the crowd at once"),
        ("murderous", "murderous"),
        (None, "Weavers and carters"),
    ]


def test_merge_takes_what_was_decided(comparison):
    gold, problems = decide(comparison, "1 B | keeps what limits it", "2 B | x", "3 none | fact")
    assert problems == []
    assert list(rules.iter_problems(TEXT, gold.spans, gold.relations)) == []
    texts = {span.id: span.text for span in gold.spans}
    assert set(texts.values()) == {
        *("Marshal Quorrel", "fire into the crowd at once", "weavers", "lice"),
        *("guild", "murderous"),
    }
    links = {(r.type, texts[r.head], texts[r.tail]) for r in gold.relations}
    assert ("responds_to", "murderous", "fire into the crowd at once") in links
    assert ("spoken_by", "murderous", "guild") in links
    assert [d.outcome for d in gold.decisions] == ["B", "B", "none"]
    assert gold.decisions[0].rule == "keeps what limits it"


def test_own_reading(comparison):
    gold, problems = decide(
        comparison,
        "1 A | smallest stretch",
        "2 own | both",
        "+ S9 | SPEAKER | - | The ⟦guild⟧ called",
        "+ C9 | CONDEMNATION | - | ⟦called it murderous⟧ | by S9 | re aR1",
        "3 none | fact",
    )
    assert problems == []
    [condemnation] = [span for span in gold.spans if span.label == "CONDEMNATION"]
    assert condemnation.text == "called it murderous"
    assert {r.type for r in gold.relations if r.head == condemnation.id} == {
        "spoken_by",
        "responds_to",
    }


def test_what_both_read_against_the_guidelines_can_be_mended(comparison):
    lines = ["1 A | x", "2 A | x", "3 none | x"]
    gold, problems = decide(comparison, *lines, "fix aR2 voice=denied | author's own verdict")
    assert problems == []
    [label] = [span for span in gold.spans if span.text == "lice"]
    assert label.voice == "denied"
    assert gold.decisions[-1].outcome == "voice denied"
    gold, problems = decide(comparison, *lines, "fix aR2 drop | real insects")
    assert problems == []
    assert "lice" not in {span.text for span in gold.spans}
    _, problems = decide(comparison, "fix aR1 drop | x", *lines)
    assert problems == ["'fix aR1 drop | x': not the id of a span agreed on or decided before"]


@pytest.mark.parametrize("id_", ["aR1", "bX1"])
def test_what_was_taken_from_a_difference_can_be_mended_by_either_id(comparison, id_):
    lines = ["1 B | x", f"fix {id_} voice=denied | y", "2 none | x", "3 none | x"]
    gold, problems = decide(comparison, *lines)
    assert problems == []
    [order] = [span for span in gold.spans if span.label == "LETHAL_FORCE_ORDER"]
    assert (order.text, order.voice) == ("fire into the crowd at once", "denied")
    assert gold.decisions[1].about == ("B: LETHAL_FORCE_ORDER quoted 'fire into the crowd at once'")


def test_answer_follows_to_the_own_reading_of_what_it_answers(comparison):
    gold, problems = decide(
        comparison,
        "1 own | neither boundary",
        "+ S9 | SPEAKER | - | ⟦Marshal Quorrel⟧ told",
        "+ R9 | LETHAL_FORCE_ORDER | quoted | ⟦fire into the crowd at⟧ once | by S9",
        "2 A | x",
        "3 none | x",
    )
    assert problems == []
    texts = {span.id: span.text for span in gold.spans}
    [answer] = [r for r in gold.relations if r.type == "responds_to"]
    assert (texts[answer.head], texts[answer.tail]) == ("murderous", "fire into the crowd at")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["1 A | x", "2 A | x"], "difference 3 is not decided"),
        (["1 A | x", "2 A | x", "3 A | x"], "marked nothing here"),
        (["1 A", "2 A", "3 none", "4 A"], "not a decision on an open difference"),
        (["1 A", "2 A", "3 none", "one more"], "not a decision on an open difference"),
        (["1 A", "2 A", "3 none", GUILD], "no line 'NUMBER own' before it"),
        (["1 own", ORDER, "2 A", GUILD, "3 none"], "no line 'NUMBER own' before it"),
        (["1 own", f"{ORDER} | by S99", "2 A", "3 none"], "+ R9: spoken_by 'S99': neither"),
        (["1 A", "2 own", f"{MURDEROUS} | re aR99", "3 none"], "responds_to 'aR99': neither"),
        (["1 none", "2 own", f"{MURDEROUS} | re aR1", "3 none"], "'aR1': that span was decided"),
        (["1 A", "2 own", f"{MURDEROUS} | by aR1", "3 none"], "may not go from CONDEMNATION to"),
        (["1 own", f"{ORDER} | re aR2", "2 A", "3 none"], "may not go from LETHAL_FORCE_ORDER"),
        (["1 A", "2 own", f"{RUDE} | re aR1", "3 none"], "unknown-label"),
    ],
)
def test_wrong_decisions_are_listed(comparison, lines, problem):
    assert any(problem in p for p in decide(comparison, *lines)[1])


def test_a_fix_between_lines_of_notation_does_not_part_them_from_their_own(comparison):
    lines = ["1 own", ORDER, "fix aR2 drop | x", MURDEROUS + " | re R9", "2 none", "3 none"]
    assert decide(comparison, *lines)[1] == []


@pytest.mark.parametrize("lines", [["1 none"], ["1 A", "fix aR1 drop | x"]])
def test_link_of_a_whole_reading_to_what_was_decided_away_is_recorded(comparison, lines):
    gold, problems = decide(comparison, *lines, "2 A | x", "3 none | x")
    assert problems == []
    assert "responds_to" not in {r.type for r in gold.relations}
    assert gold.decisions[-1] == Decision(
        "CONDEMNATION  'murderous' responds_to LETHAL_FORCE_ORDER quoted 'fire into the crowd'",
        "link dropped",
        "what it answered was decided away",
    )


def test_link_that_holds_is_not_recorded(comparison):
    gold, _ = decide(comparison, "1 A | x", "2 A | x", "3 none | x")
    assert [d.outcome for d in gold.decisions] == ["A", "A", "none"]


def write_round(folder, about=(), **files):
    names = {"a": "ann-1", "b": "ann-2", "adjudicator": "adj-1", "guidelines": "1.0"}
    (folder / "round.json").write_text(json.dumps(names | dict(about)))
    document = {
        **{"id": "x-01", "text": TEXT, "genre": "wire_brief", "setting": "strike"},
        **{"incident": "x", "country": "Orvana", "date": "2020-01-01", "provenance": {}},
    }
    (folder / "documents.jsonl").write_text(json.dumps(document) + "\n")
    contents = {
        "a.ann": ["=== x-01", *A],
        "b.ann": ["=== x-01", *B],
        "decisions.txt": ["=== x-01", "1 A | x", "2 B | x", "3 none | fact"],
    }
    for name, lines in contents.items():
        (folder / name).write_text("\n".join(files.get(name.split(".")[0], lines)))


def test_one_version_of_the_guidelines_for_all(tmp_path):
    write_round(tmp_path)
    merge_round(tmp_path, tmp_path)
    raw = json.loads((tmp_path / "x-01.json").read_text())
    assert [layer["guidelines"] for layer in (*raw["annotations"], raw["gold"])] == ["1.0"] * 3


def test_each_step_may_follow_its_own_version_of_the_guidelines(tmp_path):
    write_round(tmp_path, {"b_guidelines": "1.1", "adjudication_guidelines": "1.2"})
    merge_round(tmp_path, tmp_path)
    raw = json.loads((tmp_path / "x-01.json").read_text())
    versions = [layer["guidelines"] for layer in (*raw["annotations"], raw["gold"])]
    assert versions == ["1.0", "1.1", "1.2"]


@pytest.mark.parametrize(
    ("name", "lines", "problem"),
    [
        ("a", ["=== x-01", *A, "=== x-01", *A[:1]], r"a\.ann, x-01: 2 blocks with this id"),
        ("b", [B[0], "=== x-01", *B], r"b\.ann: lines before the first === header"),
        (
            "decisions",
            ["=== x-01", "1 A", "2 B", "3 none", "=== x-01", "3 B"],
            r"decisions\.txt, x-01: 2 blocks with this id",
        ),
        (
            "decisions",
            ["fix aR2 drop", "=== x-01", "1 A", "2 B", "3 none"],
            r"decisions\.txt: lines before the first === header",
        ),
    ],
)
def test_no_line_of_a_round_is_dropped_in_silence(tmp_path, name, lines, problem):
    write_round(tmp_path, **{name: lines})
    with pytest.raises(ValueError, match=problem):
        merge_round(tmp_path, tmp_path)
    assert not (tmp_path / "x-01.json").exists()


def test_round_from_notation_to_source(tmp_path, run):
    folder, source = tmp_path / "round", tmp_path / "corpus" / "source"
    folder.mkdir()
    source.mkdir(parents=True)
    about = {"a": "ann-1", "b": "ann-2", "adjudicator": "adj-1", "guidelines": "1.0"}
    (folder / "round.json").write_text(json.dumps(about))
    document = {
        **{"id": "x-01", "text": TEXT, "genre": "wire_brief", "setting": "strike"},
        **{"incident": "x", "country": "Orvana", "date": "2020-01-01", "provenance": {}},
    }
    (folder / "documents.jsonl").write_text(json.dumps(document) + "\n")
    (folder / "a.ann").write_text("\n".join(["=== x-01", *A]))
    (folder / "b.ann").write_text("\n".join(["=== x-01", *B]))
    result = run("annotate", "sheet", folder)
    assert "1 spans agreed, 3 differences" in result.stdout
    assert "3 A: (not marked)" in (folder / "sheet.txt").read_text()
    (folder / "decisions.txt").write_text("=== x-01\n1 A | x\n2 B | x\n")
    with pytest.raises(ValueError, match="x-01: difference 3 is not decided"):
        merge_round(folder, source)
    assert list(source.iterdir()) == []
    (folder / "decisions.txt").write_text("=== x-01\n1 A | x\n2 B | x\n3 none | fact\n")
    result = run("annotate", "merge", folder, "--corpus", tmp_path / "corpus")
    assert result.exit_code == 0, result.stderr
    raw = json.loads((source / "x-01.json").read_text())
    assert [layer["annotator"] for layer in raw["annotations"]] == ["ann-1", "ann-2"]
    assert raw["gold"]["adjudicator"] == "adj-1"


def test_sheet_lists_every_line_that_cannot_be_resolved(tmp_path):
    (tmp_path / "round.json").write_text('{"a": "1", "b": "2", "guidelines": "1.0"}')
    (tmp_path / "documents.jsonl").write_text('{"id": "x", "text": "A rat."}\n')
    (tmp_path / "a.ann").write_text("=== x\nT1 | TARGET | - | ⟦cat⟧\n=== y\nnone\n")
    (tmp_path / "b.ann").write_text("=== x\nnone\n")
    with pytest.raises(ValueError, match=r"(?s)x: T1.*occurs 0 times.*y: not a document"):
        write_sheet(tmp_path)
