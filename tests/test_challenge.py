import json
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from forewarn.challenge import Case, challenge, is_right, read_cases
from forewarn.predictions import Prediction, ScoredSpan

SUITE = Path(__file__).parents[1] / "corpus" / "challenge" / "cases.jsonl"
TEXT = "Marshal Quorrel called the weavers lice."
CASE = Case("A1-1", "label-quoted", "A1", TEXT, "DEHUMANISING_LABEL", "animal", "quoted", 35, 39)
PLAIN = Case("A1-2", "real-animal", "A1", "The sheep had lice.", *[None] * 5)
LICE = ScoredSpan(
    35, 39, "lice", "DEHUMANISING_LABEL", "animal", 0.9, "condemned", 0.9, None, None, None
)


def answer(*spans):
    return Prediction(0.5, 0.5, spans)


def test_mention_is_right_in_any_voice_of_mention():
    assert is_right(CASE, answer(LICE))
    assert not is_right(CASE, answer(replace(LICE, voice="asserted")))
    assert is_right(replace(CASE, voice="endorsed"), answer(replace(LICE, voice="asserted")))


def test_label_and_place_must_fit():
    assert not is_right(CASE, answer())
    assert not is_right(CASE, answer(replace(LICE, label="INCITEMENT")))
    assert not is_right(CASE, answer(replace(LICE, start_char=0, end_char=7)))
    assert is_right(CASE, answer(replace(LICE, start_char=27)))


def test_nothing_may_be_flagged_in_a_plain_case():
    assert is_right(PLAIN, answer())
    assert is_right(PLAIN, answer(replace(LICE, label="LEGAL_STANDARD", voice=None)))
    assert not is_right(PLAIN, answer(LICE))


def test_figures():
    other = replace(CASE, id="B1", group="B", voice="asserted")
    figures = challenge([CASE, PLAIN, other], [answer(LICE), answer(), answer(LICE)])
    assert figures["functions"]["label-quoted"] == {
        "n_cases": 2,
        "accuracy": 0.5,
        "found_rate": 1.0,
    }
    assert figures["accuracy"] == 0.75
    assert figures["groups"] == 0.5


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"voice": "shouted"}, "voice 'shouted' is not of the scheme"),
        ({"form": None}, "form None does not fit"),
        ({"end_char": 900}, r"passage 35\.\.900 is not in the text"),
        ({"label": None}, "a case without a label has no form"),
        ({"extra": 1}, "case 1: wrong fields"),
    ],
)
def test_broken_case(tmp_path, change, problem):
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps({**asdict(CASE), **change}) + "\n")
    with pytest.raises(ValueError, match=problem):
        read_cases(path)


def test_suite_is_made_of_minimal_groups():
    cases = read_cases(SUITE)
    assert len(cases) >= 1500
    assert len({case.function for case in cases}) >= 40
    assert len({case.id for case in cases}) == len({case.text for case in cases}) == len(cases)
    assert min(Counter(case.group for case in cases).values()) >= 2


def test_command(run, tmp_path, tiny_model):
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(json.dumps(asdict(case)) + "\n" for case in (CASE, PLAIN)))
    result = run("challenge", path, "--model", tiny_model)
    assert result.exit_code == 0, result.stderr
    assert "label-quoted" in result.stdout
    assert "2 cases" in result.stdout
