"""The scheme, and that guidelines and corpus card say the same."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from forewarn import labels
from forewarn.challenge import Case
from forewarn.rules import Relation, Span

ROOT = Path(__file__).parents[1]
GUIDELINES = (ROOT / "annotation" / "guidelines.md").read_text()
CARD = (ROOT / "corpus" / "README.md").read_text()


def flat(text):
    return " ".join(re.sub(r"[*`|]", " ", text).lower().split())


def test_scheme_has_its_parts():
    assert (len(labels.RHETORIC), len(labels.COUNTER), len(labels.ROLES)) == (8, 2, 2)
    assert (len(labels.FORMS), len(labels.VOICES), len(labels.RELATIONS)) == (6, 5, 3)
    assert set(labels.VOICES) >= labels.USE_VOICES == {"asserted", "endorsed"}


@pytest.mark.parametrize("label", labels.LABELS, ids=lambda label: label.name)
def test_guidelines_and_card_give_the_definition(label):
    assert f"`{label.name}`" in GUIDELINES
    if label.kind is not labels.Kind.ROLE:
        assert flat(label.definition) in flat(GUIDELINES)
    assert flat(f"{label.name} | {label.definition}") in flat(CARD)


def test_dataset_features_are_those_of_the_records():
    card = yaml.safe_load(CARD.split("---")[1])
    info = {entry["config_name"]: entry["features"] for entry in card["dataset_info"]}
    for config in ("documents", "annotations"):
        features = {feature["name"]: feature for feature in info[config]}
        for name, record in (("spans", Span), ("relations", Relation)):
            listed = [feature["name"] for feature in features[name]["list"]]
            assert listed == [field.name for field in fields(record)]
    assert [feature["name"] for feature in info["challenge"]] == [f.name for f in fields(Case)]


@pytest.mark.parametrize("name", [*labels.FORMS, *labels.VOICES, *labels.RELATION_BY_NAME])
def test_guidelines_and_card_name_every_value(name):
    assert f"`{name}`" in GUIDELINES
    assert f"`{name}`" in CARD


def test_guidelines_name_no_label_that_the_scheme_has_not():
    known = {*labels.BY_NAME}
    assert set(re.findall(r"`([A-Z]+_[A-Z_]+)`", GUIDELINES)) <= known


def test_only_labels_module_spells_a_label():
    spelled = re.compile(rf"[\"']({'|'.join(labels.BY_NAME)})[\"']")
    for path in (ROOT / "src").rglob("*.py"):
        if path.name != "labels.py":
            assert not spelled.search(path.read_text()), path


def test_unknown_label_is_refused():
    with pytest.raises(ValueError, match="unknown label 'RUDENESS'; expected one of"):
        labels.kind_of("RUDENESS")
