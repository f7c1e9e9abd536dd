import json
from pathlib import Path

import pytest

from forewarn.corpus.checks import (
    RawDocument,
    check_document,
    check_repeated_opening,
    iter_shared,
)
from forewarn.corpus.review import COMMON_INCIDENTS, CONFIRMED, REVIEW_RULES, review_corpus
from forewarn.jsonl import read_json

DATA = Path(__file__).parents[1] / "data" / "corpus" / "review"
FOLDERS = sorted(path.name for path in DATA.iterdir() if path.is_dir())
MESSAGES = {
    "shared-phrase": ["second: shares 'the ferry was late again that day because' with first"],
    "name-across-splits": ["corpus: name 'Quorrel' in alpha, beta"],
    "unlike-elsewhere": [
        "second: 'sweep the hill clean' is unmarked, but KILLING_EUPHEMISM in first"
    ],
    "other-label-elsewhere": [
        "corpus: 'thinned' is LETHAL_FORCE_ORDER in second; KILLING_EUPHEMISM in first"
    ],
    "untypical-length": ["first: has 2 words"],
    "lonely-genre": [
        "corpus: genre 'letter' has one document",
        "corpus: genre 'sermon' has one document",
    ],
}


def read_pair(rule):
    return [RawDocument(path, read_json(path)) for path in sorted((DATA / rule).glob("*.json"))]


def make(id_, text, incident="alpha", marked=()):
    spans = [
        {
            **{"id": f"R{n}", "label": label, "voice": "quoted", "text": piece},
            "start_char": text.index(piece),
            "end_char": text.index(piece) + len(piece),
        }
        for n, (piece, label) in enumerate(marked)
    ]
    raw = {"id": id_, "text": text, "incident": incident, "genre": "letter"}
    return RawDocument(Path(f"{id_}.json"), {**raw, "gold": {"spans": spans, "relations": []}})


@pytest.fixture
def review(tmp_path):
    """Review texts; incidents that begin with "t" are of the test split, others of the training."""

    def call(*texts):
        documents = [make(f"d{n}", *arguments) for n, arguments in enumerate(texts)]
        incidents = {
            d.raw["incident"]: {"split": "test" if d.raw["incident"][0] == "t" else "train"}
            for d in documents
        }
        (tmp_path / "incidents.json").write_text(json.dumps(incidents))
        skipped = ("lonely-genre", "untypical-length", "shared-phrase")
        found = review_corpus(tmp_path, documents)
        return [f"{f.place}: {f.message}" for f in found if f.rule not in skipped]

    return call


def test_every_rule_has_a_folder_and_every_folder_a_rule():
    assert set(FOLDERS) == set(REVIEW_RULES) == set(MESSAGES)


@pytest.mark.parametrize("rule", FOLDERS)
def test_pair_breaks_just_its_rule(rule):
    found = review_corpus(DATA, read_pair(rule))
    assert [(f.rule, f"{f.place}: {f.message}") for f in found] == [
        (rule, message) for message in MESSAGES[rule]
    ]


@pytest.mark.parametrize("rule", FOLDERS)
def test_pair_is_valid(rule):
    assert [finding for d in read_pair(rule) for finding in check_document(d)] == []


def test_quiet_corpus():
    documents = [read_pair("shared-phrase")[0], read_pair("lonely-genre")[0]]
    assert review_corpus(DATA, documents) == []


def test_names_within_a_split_may_repeat(review):
    assert review(("We saw Varnik again",), ("They took Varnik along", "gamma")) == []


def test_word_that_also_stands_in_lower_case_is_no_name(review):
    assert review(("There old Miller came",), ("They gave Miller a mill; a miller", "t")) == []


def test_plural_of_a_lower_case_word_is_no_name(review):
    assert review(("There the Rangers came",), ("They met the Rangers; a ranger", "t")) == []


@pytest.mark.parametrize(("beyond", "n"), [(0, 2), (1, 0)])
def test_name_in_many_incidents_is_common_and_so_is_its_plural(review, beyond, n):
    many = [("They came on Varday", f"i{k}") for k in range(COMMON_INCIDENTS - 1 + beyond)]
    texts = [*many, ("They came on Varday, some on Vardays", "t"), ("We rest on Vardays",)]
    assert len(review(*texts)) == n


def test_label_elsewhere_is_compared_whatever_case_and_line_ends(review):
    found = review(
        ("You will\nBURN here", "a", [("will\nBURN", "VIOLENT_THREAT")]),
        ("They will burn", "a", [("will burn", "CONDEMNATION")]),
    )
    assert found == ["corpus: 'will burn' is VIOLENT_THREAT in d0; CONDEMNATION in d1"]


@pytest.mark.parametrize(
    "pieces",
    [
        ("they are weeded", [("weeded", "INCITEMENT"), ("are weeded", "KILLING_EUPHEMISM")]),
        ("weeded like thistles in May", [("weeded like thistles", "INCITEMENT")]),
    ],
)
def test_label_elsewhere_is_not_listed(review, pieces):
    """Where the first label stands too, or the string is a small part of a longer span."""
    text, marked = pieces
    assert review(("weeded", "a", [("weeded", "KILLING_EUPHEMISM")]), (text, "a", marked)) == []


def test_confirmed_findings_are_not_shown(tmp_path):
    (tmp_path / "incidents.json").write_text("{}")
    documents = [make("a", "Too short.")]
    assert len(review_corpus(tmp_path, documents)) == 2
    confirmed = {"untypical-length": ["a: has 2 words"]}
    (tmp_path / CONFIRMED).write_text(json.dumps(confirmed))
    assert [f.rule for f in review_corpus(tmp_path, documents)] == ["lonely-genre"]


@pytest.mark.parametrize(("families", "n"), [(("f1", "f1"), 0), (("f1", "f2"), 2)])
def test_members_of_a_contrast_family_may_share_words(families, n):
    text = "the ferry was late again that day because of fog"
    documents = [make(f"d{k}", text) for k in range(2)]
    for document, family in zip(documents, families, strict=True):
        document.raw["provenance"] = {"brief": {"family": family}}
    found = [*check_repeated_opening(documents), *iter_shared(documents, 8)]
    assert len(found) == n + bool(n)
