import json
import shutil
from pathlib import Path

import pytest

from forewarn.corpus.checks import ALL_RULES, Level, check_corpus

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


def test_no_source_documents(tmp_path):
    with pytest.raises(ValueError, match="no source documents"):
        check_corpus(tmp_path)
