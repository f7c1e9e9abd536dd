"""Small files made in the form of the public corpora; the real ones are not ours to keep."""

import json

import pytest
from typer.testing import CliRunner

from forewarn.cli import app


def call(kind, path, output):
    return CliRunner().invoke(app, ["corpus", "import", kind, str(path), "-o", str(output)])


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_ptc(tmp_path):
    corpus = tmp_path / "ptc"
    (corpus / "train").mkdir(parents=True)
    (corpus / "train" / "article7.txt").write_text("Title 🐀\n\nThey are vermin, all.\n")
    (corpus / "train" / "article8.txt").write_text("Nothing.\n")
    (corpus / "labels").mkdir()
    (corpus / "labels" / "article7.labels.tsv").write_text("7\tName_Calling,Labeling\t18\t24\n")
    (corpus / "labels" / "article7.task1.labels").write_text("7\t18\t24\n")
    assert call("ptc", corpus, tmp_path / "o.jsonl").exit_code == 0
    first, second = records(tmp_path / "o.jsonl")
    technique = {"technique": "Name_Calling,Labeling", "start_char": 18, "end_char": 24}
    assert first["techniques"] == [{**technique, "text": "vermin"}]
    assert (second["id"], second["techniques"]) == ("ptc-8", [])


def test_hatecheck(tmp_path):
    (tmp_path / "test_suite_cases.csv").write_text(
        ",functionality,case_id,test_case,label_gold,target_ident,direction\n"
        '0,derog_neg_emote_h,1,"I hate, them.",hateful,women,general\n'
        "1,ident_neutral_nh,2,We are here.,non-hateful,,\n"
    )
    assert call("hatecheck", tmp_path, tmp_path / "o.jsonl").exit_code == 0
    first, second = records(tmp_path / "o.jsonl")
    assert (first["text"], first["hateful"], first["target"]) == ("I hate, them.", True, "women")
    assert (second["hateful"], second["target"]) == (False, None)


def test_hatexplain(tmp_path):
    said = [{"label": "hatespeech"}, {"label": "hatespeech"}, {"label": "offensive"}]
    marks = [[0, 1, 1, 0], [0, 1, 1, 0], [1, 1, 0, 0]]
    post = {"post_tokens": ["all", "the", "rats", "left"], "annotators": said, "rationales": marks}
    split = {**post, "annotators": [{"label": x} for x in ("normal", "offensive", "hatespeech")]}
    split = {**split, "rationales": []}
    (tmp_path / "dataset.json").write_text(json.dumps({"1": post, "2": split}))
    assert call("hatexplain", tmp_path, tmp_path / "o.jsonl").exit_code == 0
    first, second = records(tmp_path / "o.jsonl")
    assert first["label"] == "hatespeech"
    assert first["rationales"] == [{"start_char": 4, "end_char": 12, "text": "the rats"}]
    assert (second["label"], second["rationales"]) == (None, [])


@pytest.mark.parametrize(
    ("kind", "name", "content", "said"),
    [
        ("ptc", "other.txt", "x", "no article*.txt"),
        ("hatecheck", "test_suite_cases.csv", "a,b\n1,2\n", "no columns"),
        ("hatexplain", "dataset.json", "[]", "not HateXplain"),
        ("hatexplain", "dataset.json", '{"1": {}}', "post 1"),
        ("unknown", "x", "", "known are ptc"),
    ],
)
def test_other_files_are_refused(kind, name, content, said, tmp_path):
    (tmp_path / name).write_text(content)
    result = call(kind, tmp_path, tmp_path / "o.jsonl")
    assert result.exit_code == 2 and said in result.stderr
    assert not (tmp_path / "o.jsonl").exists()


def test_a_label_outside_its_article_is_named(tmp_path):
    (tmp_path / "article7.txt").write_text("short")
    (tmp_path / "article7.labels").write_text("7\tDoubt\t3\t99\n")
    result = call("ptc", tmp_path, tmp_path / "o.jsonl")
    assert result.exit_code == 2 and "Doubt at 3..99" in result.stderr
