import json
from pathlib import Path

import pytest

from forewarn.records import RuleError, source_from_dict, source_to_dict
from forewarn.rules import RULES

DATA = Path(__file__).parent / "data" / "corpus"


@pytest.mark.parametrize("path", sorted((DATA / "valid").glob("*.json")), ids=lambda p: p.stem)
def test_source_document_round_trip(path):
    raw = json.loads(path.read_text())
    assert json.loads(json.dumps(source_to_dict(source_from_dict(raw)))) == raw


@pytest.mark.parametrize("rule", RULES)
def test_record_refuses_what_breaks_a_rule(rule):
    raw = json.loads((DATA / "invalid" / f"{rule}.json").read_text())
    with pytest.raises(RuleError) as error:
        source_from_dict(raw)
    assert error.value.problem.rule == rule
    assert rule in str(error.value)


def test_records_are_frozen():
    document = source_from_dict(json.loads((DATA / "valid" / "full.json").read_text()))
    with pytest.raises(AttributeError):
        document.text = "another"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        document.gold.spans[0].end_char = 3  # type: ignore[misc]
