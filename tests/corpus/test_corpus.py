"""What the corpus promises: size, variety, balance, and splits that share nothing."""

import json
from collections import Counter
from pathlib import Path

import pytest

from forewarn import labels
from forewarn.corpus.incidents import read_incidents
from forewarn.corpus.load import SPLITS, read_split

CORPUS = Path(__file__).parents[2] / "corpus"
OUT_OF_DOMAIN_GENRES = {"sermon", "police_log"}
OUT_OF_DOMAIN_SETTING = "herder_farmer"


@pytest.fixture(scope="module")
def splits():
    return {split: read_split(CORPUS, split) for split in SPLITS}


@pytest.fixture(scope="module")
def documents(splits):
    return [document for split in splits.values() for document in split]


def test_size_and_variety(documents):
    assert len(documents) >= 600
    assert sum(len(document.text.split()) for document in documents) >= 150_000
    assert len({document.meta["genre"] for document in documents}) >= 18
    assert len({document.meta["setting"] for document in documents}) >= 25
    lengths = [len(document.text.split()) for document in documents]
    assert min(lengths) <= 20 and max(lengths) >= 1500


def test_plain_documents_are_many_and_hard_ones_half_of_them(documents):
    plain = [document for document in documents if not document.has_mention]
    assert len(plain) >= 0.4 * len(documents)
    kinds = Counter()
    for document in plain:
        raw = json.loads((CORPUS / "source" / f"{document.id}.json").read_text())
        kinds[
            "plain" if raw["provenance"]["brief"]["no_rhetoric"].startswith("plain") else "hard"
        ] += 1
    assert kinds["hard"] >= 0.5 * len(plain)


def test_every_label_voice_and_form_occurs_often(documents):
    spans = [span for document in documents for span in document.spans]
    by_label = Counter(span.label for span in spans)
    assert min(by_label[label] for label in (*labels.RHETORIC, *labels.COUNTER)) >= 200
    by_voice = Counter(span.voice for span in spans)
    assert min(by_voice[voice] for voice in ("asserted", "quoted", "condemned")) >= 300
    assert min(by_voice[voice] for voice in ("endorsed", "denied")) >= 150
    by_form = Counter(span.form for span in spans)
    assert min(by_form[form] for form in labels.FORMS) >= 60


def test_splits_share_no_incident_and_no_country(splits):
    for field in ("incident", "country"):
        seen = [{document.meta[field] for document in split} for split in splits.values()]
        assert len(set.union(*seen)) == sum(map(len, seen))
    incidents = read_incidents(CORPUS)
    for split, group in splits.items():
        assert {incidents[document.meta["incident"]]["split"] for document in group} == {split}


def test_shares_of_the_splits(splits):
    total = sum(map(len, splits.values()))
    shares = {split: len(group) / total for split, group in splits.items()}
    assert 0.55 <= shares["train"] <= 0.7
    assert min(shares[split] for split in SPLITS[1:]) >= 0.09


def test_documents_hold_one_phrase_two_or_many(documents):
    counts = Counter(min(3, sum(s.voice is not None for s in d.spans)) for d in documents)
    assert min(counts.values()) >= 0.08 * len(documents)


def test_contrast_families_hold_both_answers(documents):
    families = {}
    for document in documents:
        raw = json.loads((CORPUS / "source" / f"{document.id}.json").read_text())
        if family := raw["provenance"]["brief"].get("family"):
            families.setdefault(family, set()).add(document.has_use)
    assert len(families) >= 150
    assert sum(len(answers) == 2 for answers in families.values()) >= 0.7 * len(families)


def test_out_of_domain_has_genres_and_a_setting_of_its_own(splits):
    inside = [document for split in SPLITS[:3] for document in splits[split]]
    outside = splits["test_ood"]
    assert {document.meta["setting"] for document in outside} == {OUT_OF_DOMAIN_SETTING}
    assert OUT_OF_DOMAIN_SETTING not in {document.meta["setting"] for document in inside}
    assert {document.meta["genre"] for document in outside} >= OUT_OF_DOMAIN_GENRES
    assert not OUT_OF_DOMAIN_GENRES & {document.meta["genre"] for document in inside}


def test_card_and_reports_are_of_this_corpus():
    n = len(list((CORPUS / "source").glob("*.json")))
    statistics = (CORPUS / "STATISTICS.md").read_text()
    assert f"| all | {len(read_incidents(CORPUS))} | {n} |" in statistics
    report = (CORPUS.parent / "annotation" / "agreement" / "README.md").read_text()
    assert f"{n} documents, two annotations each" in report
