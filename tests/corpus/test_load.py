import json
import shutil
from pathlib import Path

import datasets
import pytest

from corpus.test_checks import INVALID, VALID, make_corpus
from forewarn.corpus.build import BuildError, build_corpus
from forewarn.corpus.load import SPLITS, read_gold, read_split

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "corpus"


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def load(folder, name, tmp_path):
    return datasets.load_dataset(str(folder), name, cache_dir=str(tmp_path / "cache"))


def test_build_is_byte_for_byte_the_same(tmp_path):
    corpus = make_corpus(tmp_path, VALID)
    build_corpus(corpus)
    first = {path.name: path.read_bytes() for path in (corpus / "data").iterdir()}
    build_corpus(corpus)
    assert {path.name: path.read_bytes() for path in (corpus / "data").iterdir()} == first
    assert first["train.jsonl"].count(b"\n") == len(VALID)
    assert first["annotations-train.jsonl"].count(b"\n") == 2 * len(VALID)


def test_build_refuses_an_error_and_writes_nothing(tmp_path):
    corpus = make_corpus(tmp_path, [*VALID, INVALID["bad-voice"]])
    with pytest.raises(BuildError, match="1 errors") as error:
        build_corpus(corpus)
    assert [finding.rule for finding in error.value.findings] == ["bad-voice"]
    assert not (corpus / "data").exists()


def test_built_data_is_up_to_date(tmp_path):
    shutil.copytree(CORPUS, tmp_path / "corpus")
    build_corpus(tmp_path / "corpus")
    for path in sorted((CORPUS / "data").glob("*.jsonl")):
        assert (tmp_path / "corpus" / "data" / path.name).read_bytes() == path.read_bytes(), path


def test_datasets_loads_the_corpus_offline(tmp_path):
    loaded = load(CORPUS, "documents", tmp_path)
    assert tuple(loaded) == SPLITS
    for split in SPLITS:
        gold = read_split(CORPUS, split)
        assert loaded[split]["id"] == [document.id for document in gold]
        for row, document in zip(loaded[split], gold, strict=True):
            for span, expected in zip(row["spans"], document.spans, strict=True):
                assert row["text"][span["start_char"] : span["end_char"]] == expected.text
                assert span["label"] == expected.label
                assert span["voice"] == expected.voice
            assert len(row["relations"]) == len(document.relations)


def test_datasets_loads_every_annotation(tmp_path):
    loaded = load(CORPUS, "annotations", tmp_path)
    for split in SPLITS:
        annotators: dict[str, set[str]] = {}
        for row in loaded[split]:
            annotators.setdefault(row["id"], set()).add(row["annotator"])
        assert set(annotators) == {document.id for document in read_split(CORPUS, split)}
        assert {len(names) for names in annotators.values()} == {2}


def test_datasets_loads_sentences(tmp_path):
    loaded = load(CORPUS, "sentences", tmp_path)
    for split in SPLITS:
        gold = {document.id: document for document in read_split(CORPUS, split)}
        assert {row["document"] for row in loaded[split]} == set(gold)
        mentions = {row["document"] for row in loaded[split] if row["mention"]}
        uses = {row["document"] for row in loaded[split] if row["use"]}
        assert mentions == {id_ for id_, document in gold.items() if document.has_mention}
        assert uses == {id_ for id_, document in gold.items() if document.has_use}
        for row in loaded[split]:
            text = gold[row["document"]].text
            assert row["text"] == text[row["start_char"] : row["end_char"]]
            assert bool(row["labels"]) == bool(row["voices"]) == row["mention"]


def test_datasets_loads_the_challenge_suite(tmp_path):
    cases = load(CORPUS, "challenge", tmp_path)["test"]
    assert len(cases) >= 1500
    flagged = [case for case in cases if case["label"] is not None]
    for case in flagged:
        assert case["text"][case["start_char"] : case["end_char"]].strip()


def test_split_that_begins_without_spans_keeps_its_types(tmp_path):
    corpus = make_corpus(tmp_path, VALID)
    build_corpus(corpus)
    train = corpus / "data" / "train.jsonl"
    rows = sorted(map(json.loads, train.read_text().splitlines()), key=lambda r: len(r["spans"]))
    assert rows[0]["spans"] == []
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    for split in SPLITS:
        (corpus / "data" / f"{split}.jsonl").write_text(lines)
    shutil.copy(CORPUS / "README.md", corpus / "README.md")
    loaded = load(corpus, "documents", tmp_path)["train"]
    assert [len(spans) for spans in loaded["spans"]] == [len(row["spans"]) for row in rows]
    assert loaded.features["spans"].feature["start_char"].dtype == "int64"


def test_broken_gold_names_file_and_record(tmp_path):
    path = tmp_path / "gold.jsonl"
    path.write_text('{"id": "a", "text": "x", "spans": [], "relations": []}\n{"id": "b"}\n')
    with pytest.raises(ValueError, match=r"gold\.jsonl, record 2: not a gold document"):
        read_gold(path)
    path.write_text('{"id": "a",\n')
    with pytest.raises(ValueError, match=r"gold\.jsonl, line 1: not valid JSON"):
        read_gold(path)


def test_unbuilt_split_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="forewarn corpus build"):
        read_split(tmp_path, "train")
