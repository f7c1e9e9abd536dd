import json

import pytest

from forewarn.corpus.checks import RawDocument
from forewarn.corpus.review import CONFIRMED, REVIEW_RULES, review_corpus

SPLITS = {"alpha": "train", "beta": "test", "gamma": "train"}


def document(folder, id_, text, incident="alpha", marked=(), genre="letter"):
    spans = [
        {
            **{"id": f"R{n}", "label": label, "voice": "quoted", "text": piece},
            "start_char": text.index(piece),
            "end_char": text.index(piece) + len(piece),
        }
        for n, (piece, label) in enumerate(marked)
    ]
    raw = {"id": id_, "text": text, "incident": incident, "genre": genre}
    return RawDocument(folder / f"{id_}.json", {**raw, "gold": {"spans": spans, "relations": []}})


@pytest.fixture
def review(tmp_path):
    incidents = {id_: {"split": split} for id_, split in SPLITS.items()}
    (tmp_path / "incidents.json").write_text(json.dumps(incidents))

    def call(*texts):
        documents = [document(tmp_path, f"d{n}", *args) for n, args in enumerate(texts)]
        return [
            (finding.rule, finding.place, finding.message)
            for finding in review_corpus(tmp_path, documents)
            if finding.rule != "lonely-genre"
        ]

    return call


LONG = "the ferry was late again that day because of fog on the lower river"


def test_quiet_corpus(review):
    assert review((LONG,), ("nobody at the mill remembered who had lit the lamp that night",)) == []


def test_shared_phrase(review):
    found = review((LONG,), (f"people said the ferry was late again that day because of ice {'x ' * 3}",))
    assert [(rule, place) for rule, place, _ in found] == [("shared-phrase", "d1")]
    assert "shares 'the ferry was late again that day because' with d0" in found[0][2]


def test_name_across_splits(review):
    found = review(
        ("In the evening old Quorrel came home over the bridge with two geese",),
        ("They gave the lantern to Quorrel before the snow had begun to fall", "beta"),
        ("We saw Varnik and we saw Varnik again at the mill pond on that day", "alpha"),
        ("The miller took Varnik along to the well and he drank a great deal", "gamma"),
    )
    assert found == [("name-across-splits", "corpus", "name 'Quorrel' in alpha, beta")]


def test_word_that_also_stands_in_lower_case_is_no_name(review):
    found = review(
        ("In the evening old Miller came home over the bridge with two geese",),
        ("They gave the lantern to Miller before the snow; a miller is strong", "beta"),
    )
    assert found == []


def test_unlike_elsewhere(review):
    found = review(
        ("The captain said that they would sweep the hill clean before noon",
         "alpha", [("sweep the hill clean", "KILLING_EUPHEMISM")]),
        ("A hundred children came on Sunday to sweep the hill clean of litter",),
    )  # fmt: skip
    assert found == [
        (
            "unlike-elsewhere",
            "d1",
            "'sweep the hill clean' is unmarked, but KILLING_EUPHEMISM in d0",
        )
    ]


def test_untypical_length(review):
    assert review(("Too short.",)) == [("untypical-length", "d0", "has 2 words")]


def test_lonely_genre(tmp_path):
    (tmp_path / "incidents.json").write_text("{}")
    [finding] = review_corpus(tmp_path, [document(tmp_path, "a", LONG, "alpha", (), "sermon")])
    assert (finding.rule, finding.message) == ("lonely-genre", "genre 'sermon' has one document")


def test_confirmed_findings_are_not_shown(tmp_path):
    (tmp_path / "incidents.json").write_text("{}")
    documents = [document(tmp_path, "a", "Too short.")]
    assert len(review_corpus(tmp_path, documents)) == 2
    confirmed = {"untypical-length": ["a: has 2 words"]}
    (tmp_path / CONFIRMED).write_text(json.dumps(confirmed))
    assert [f.rule for f in review_corpus(tmp_path, documents)] == ["lonely-genre"]


def test_every_rule_is_tested_here():
    source = (REVIEW_RULES.keys(), open(__file__).read())
    assert all(f'"{rule}"' in source[1] for rule in source[0])
