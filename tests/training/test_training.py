import json
import random
from pathlib import Path

import numpy as np
import pytest

from forewarn.corpus.load import read_split
from forewarn.labels import SPEAKER
from forewarn.model.heads import TAG_LABELS
from forewarn.training.config import PACKAGED_ENCODER, encoder_folder, read_config
from forewarn.training.examples import BEGIN, INSIDE, OUTSIDE, iter_examples, swap_quotes

ROOT = Path(__file__).parents[2]


def examples(predictor, tiny_corpus, id_, window=200, overlap=60):
    [document] = [d for d in read_split(tiny_corpus, "train") if d.id == id_]
    found = list(iter_examples(predictor.tokenizer, document, window=window, overlap=overlap))
    return document, found


def test_tags_of_an_example(predictor, tiny_corpus):
    document, [example] = examples(predictor, tiny_corpus, "full")
    column = example.tags[:, TAG_LABELS.index("LETHAL_FORCE_ORDER")]
    assert (column == BEGIN).sum() == 1
    start = int(np.flatnonzero(column == BEGIN)[0])
    assert list(column[start : start + 5]) == [BEGIN, INSIDE, INSIDE, INSIDE, OUTSIDE]
    assert len(example.spans) == len(document.spans)


def test_links_of_an_example(predictor, tiny_corpus):
    _, [example] = examples(predictor, tiny_corpus, "full")
    ids = [span.id for span in example.spans]
    by_head = {(link.name, ids[link.head]): link for link in example.links}
    label = by_head["spoken_by", "R1"]
    assert [ids[c] for c in label.right] == ["S1"]
    assert by_head["spoken_by", "R2"].right == ()
    assert [ids[c] for c in by_head["responds_to", "C1"].right] == ["R2"]


def test_span_beyond_a_window_is_left_out_of_it(predictor, tiny_corpus):
    document, parts = examples(predictor, tiny_corpus, "full", window=40, overlap=10)
    assert len(parts) > 2
    seen = {span.id for part in parts for span in part.spans}
    assert seen == {span.id for span in document.spans}
    for part in parts:
        assert all(0 <= span.start < span.end <= len(part.ids) for span in part.spans)


def test_swapped_quotes_keep_every_offset():
    text = '“A” and "B", it’s «C».'
    for seed in range(20):
        swapped = swap_quotes(text, random.Random(seed))
        assert len(swapped) == len(text)
        changed = {a for a, b in zip(text, swapped, strict=True) if a != b}
        assert changed <= set('“”"’‘')


def test_shipped_configurations_are_valid():
    paths = sorted((ROOT / "models" / "configs").glob("*.cfg"))
    assert paths
    for path in paths:
        assert read_config(path).name.startswith("en_")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[training]\nname = 'x'\n", "needs 'version'"),
        ('[training]\nname = "x"\nversion = "1"\nepoch = 3\n', "unknown setting 'epoch'"),
        ('[training]\nname = "x"\nversion = "1"\nepochs = 0\n', "epochs must be greater than 0"),
        ("[trainig]\na = 1\n", r"unknown section \[trainig\]"),
    ],
)
def test_wrong_configuration(tmp_path, content, problem):
    (tmp_path / "x.cfg").write_text(content.replace("'", '"'))
    with pytest.raises(ValueError, match=problem):
        read_config(tmp_path / "x.cfg")


def test_encoder_must_be_a_local_folder(tmp_path):
    assert (encoder_folder(PACKAGED_ENCODER) / "tokenizer.json").is_file()
    with pytest.raises(ValueError, match="no local folder of a Hugging Face encoder"):
        encoder_folder(str(tmp_path))


def test_training_is_recorded(predictor):
    history = predictor.manifest["history"]
    *epochs, averaged = history
    assert len(epochs) == predictor.manifest["config"]["epochs"]
    assert epochs[-1]["tag"] < epochs[0]["tag"] / 10
    assert averaged["averaged"] == predictor.manifest["config"]["average_epochs"]
    assert predictor.manifest["validation"]["spans"]["micro"]["f1_overlap"] > 0.6


def test_command_without_a_built_corpus(run, tmp_path):
    config = tmp_path / "x.cfg"
    config.write_text('[training]\nname = "x"\nversion = "1"\n')
    result = run("train", config, "--corpus", tmp_path)
    assert result.exit_code == 2
    assert "train.jsonl is missing; run 'forewarn corpus build'" in result.stderr


def test_speakers_are_found_in_the_fixture(predictor, tiny_corpus):
    document = next(d for d in read_split(tiny_corpus, "train") if d.id == "emoji")
    [span] = predictor.predict_one(document.text).spans
    gold = next(s for s in document.spans if s.label == SPEAKER)
    assert span.speaker is not None
    assert json.dumps(span.speaker.text) == json.dumps(gold.text)
