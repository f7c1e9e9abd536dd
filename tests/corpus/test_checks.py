import json
import shutil
from pathlib import Path

import pytest

from forewarn.corpus.checks import ALL_RULES, Level, check_corpus, read_raw_documents
from forewarn.corpus.review import review_corpus

DATA = Path(__file__).parents[1] / "data" / "corpus"
VALID = sorted((DATA / "valid").glob("*.json"))
INVALID = {path.stem: path for path in sorted((DATA / "invalid").glob("*.json"))}
WARNINGS = {"unused-role", "repeated-opening", "unused-label"}
ALONE = {"unused-label"}


def make_corpus(folder: Path, files: list[Path]) -> Path:
    (folder / "source").mkdir(parents=True)
    shutil.copy(DATA / "incidents.json", folder / "incidents.json")
    for file in files:
        shutil.copy(file, folder / "source" / file.name)
    return folder


def test_valid_documents_have_no_findings(tmp_path):
    assert check_corpus(make_corpus(tmp_path, VALID)) == []


def test_every_rule_has_a_fixture_and_every_fixture_a_rule():
    assert set(INVALID) == set(ALL_RULES)


@pytest.mark.parametrize("rule", ALL_RULES)
def test_fixture_breaks_just_its_rule(rule, tmp_path):
    others = [] if rule in ALONE else VALID
    findings = check_corpus(make_corpus(tmp_path, [*others, INVALID[rule]]))
    assert {finding.rule for finding in findings} == {rule}
    assert {f.level for f in findings} == {Level.WARNING if rule in WARNINGS else Level.ERROR}
    if rule not in ALONE:
        assert all(rule in finding.place for finding in findings)


def test_every_problem_of_a_document_is_listed(tmp_path):
    raw = json.loads(INVALID["bad-voice"].read_text())
    raw.update(genre="limerick", date="soon")
    corpus = make_corpus(tmp_path, VALID)
    (corpus / "source" / "bad-voice.json").write_text(json.dumps(raw))
    rules = {finding.rule for finding in check_corpus(corpus)}
    assert rules == {"bad-voice", "unknown-genre", "bad-date"}


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        (("annotations",), None, "missing-field"),
        (("annotations",), {"a": 1}, "missing-field"),
        (("annotations", 0), "a layer", "broken-layer"),
        (("annotations", 0), None, "broken-layer"),
        (("annotations", 1, "annotator"), ["b"], "too-few-annotators"),
        (("annotations", 1, "spans"), None, "broken-layer"),
        (("annotations", 1, "spans"), {}, "broken-layer"),
        (("annotations", 1, "relations"), 7, "broken-layer"),
        (("gold",), None, "missing-field"),
        (("gold",), [], "missing-field"),
        (("gold",), "none", "broken-layer"),
        (("gold", "spans", 0), 3, "broken-layer"),
        (("gold", "spans", 0, "start_char"), "0", "broken-layer"),
        (("gold", "spans", 0, "end_char"), True, "broken-layer"),
        (("gold", "spans", 0, "text"), None, "broken-layer"),
        (("gold", "spans", 0, "id"), [], "broken-layer"),
        (("gold", "spans", 2, "voice"), ["quoted"], "broken-layer"),
        (("gold", "spans", 2, "form"), {}, "broken-layer"),
        (("gold", "spans", 2, "label"), [], "broken-layer"),
        (("gold", "relations", 0, "head"), {}, "broken-layer"),
        (("provenance",), None, "missing-field"),
        (("genre",), ["letter"], "unknown-genre"),
        (("incident",), ["alpha"], "unknown-incident"),
        (("country",), {}, "missing-field"),
        (("date",), [2021], "bad-date"),
        (("text",), 4, "missing-field"),
        ((), [], "missing-field"),
        ((), None, "missing-field"),
    ],
)
def test_odd_json_is_reported(path, value, rule, tmp_path):
    corpus = make_corpus(tmp_path, VALID)
    file = corpus / "source" / "full.json"
    holder = {"raw": json.loads(file.read_text())}
    *way, last = ("raw", *path)
    part = holder
    for key in way:
        part = part[key]
    part[last] = value
    file.write_text(json.dumps(holder["raw"]))
    findings = check_corpus(corpus)
    assert (rule, Level.ERROR) in {(finding.rule, finding.level) for finding in findings}
    review_corpus(corpus, read_raw_documents(corpus)[0])


@pytest.mark.parametrize(("field", "value"), [("country", "Sarvia"), ("setting", "coup")])
def test_incident_mismatch_names_both_values(field, value, tmp_path):
    corpus = make_corpus(tmp_path, VALID)
    raw = json.loads((corpus / "source" / "plain.json").read_text())
    (corpus / "source" / "plain.json").write_text(json.dumps({**raw, field: value}))
    [finding] = check_corpus(corpus)
    assert (finding.rule, finding.place) == ("incident-mismatch", "plain")
    assert finding.message == f"{field} {value!r}; its incident has {raw[field]!r}"


def test_no_source_documents(tmp_path):
    with pytest.raises(ValueError, match="no source documents"):
        check_corpus(tmp_path)
