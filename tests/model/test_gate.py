"""The gate: scores of sentences, stretches, saving, and what the predictor does with it."""

import numpy as np
import pytest

from forewarn.model.files import GATE
from forewarn.model.gate import (
    LEAST_SENTENCES,
    MARGIN,
    N_BUCKETS,
    REACH,
    Gate,
    best_around,
    load_gate,
    read_sentences,
    save_gate,
    sentence_buckets,
    word_buckets,
)
from forewarn.model.predictor import Predictor

PLAIN = "The harbour office said that the ferry leaves at nine. "
LOUD = "Marshal Quorrel called the weavers lice. "


def gate_of(*words, around=0.0, threshold=0.5):
    weights = np.zeros(N_BUCKETS, dtype=np.float32)
    for word in words:
        weights[word_buckets(word)[0]] = 1.0
    return Gate.of(weights, 0.0, around, threshold)


def test_scores_are_sums_over_the_buckets_that_training_sees():
    weights = np.random.default_rng(1).normal(size=N_BUCKETS).astype(np.float32)
    gate = Gate.of(weights, 0.25, 1.0, 0.0)
    sentences = read_sentences(PLAIN + LOUD + "?! — … \n" + PLAIN)
    first = 0
    for score, n in zip(gate.scores(sentences), sentences.n_words, strict=True):
        words = sentences.words[first : first + n]
        expected = weights[sentence_buckets(words)].sum(dtype=np.float64) + 0.25
        assert score == pytest.approx(expected, abs=1e-4)
        first += n


def test_scores_do_not_depend_on_what_came_before():
    weights = np.random.default_rng(1).normal(size=N_BUCKETS).astype(np.float32)
    fresh, used = (Gate.of(weights, 0.0, 1.0, 0.0) for _ in range(2))
    for n in range(2000):
        used.scores(read_sentences(f"Words w{n} x{n} never met."))
    assert np.array_equal(*(g.scores(read_sentences(PLAIN + LOUD)) for g in (fresh, used)))


def test_stretches_hold_the_passing_sentences_and_a_margin():
    text = PLAIN * 20 + LOUD + PLAIN * 20
    start = text.index("Marshal")
    end = start + len(LOUD.strip())
    assert gate_of("lice").stretches(text) == [(start - MARGIN, end + MARGIN)]
    assert gate_of("vermin").stretches(text) == []
    assert gate_of("lice").stretches("") == []


def test_short_text_passes_whole():
    text = PLAIN * (LEAST_SENTENCES - 1)
    assert gate_of("vermin").stretches(text)[0][0] == 0
    assert gate_of("vermin").stretches(text)[-1][1] == len(text)
    assert gate_of("vermin").stretches(PLAIN * LEAST_SENTENCES) == []


def test_sentences_around_help_up_to_a_reach():
    scores = np.zeros(4 * REACH, dtype=np.float32)
    scores[0] = 3.0
    best = best_around(scores)
    assert best[0] == best[REACH] == 1.0 and best[REACH + 1] == 0.0
    assert np.array_equal(best_around(scores[:2]), [1.5, 1.5])


def test_gate_is_saved_and_read_back(tmp_path):
    gate = gate_of("lice", around=2.0, threshold=-1.5)
    save_gate(gate, tmp_path / GATE)
    again = load_gate(tmp_path / GATE)
    assert np.array_equal(again.weights, gate.weights)
    assert (again.bias, again.around, again.threshold) == (0.0, 2.0, -1.5)


def test_broken_gate_says_what_to_do(tmp_path):
    (tmp_path / GATE).write_bytes(b"no gate")
    with pytest.raises(ValueError, match="fit it again with 'forewarn gate'"):
        load_gate(tmp_path / GATE)


def with_gate(tiny_model, gate):
    predictor = Predictor.load(tiny_model)
    predictor.gate = gate
    return predictor


def test_open_gate_changes_nothing(tiny_model, predictor):
    text = (PLAIN * 30 + LOUD) * 3
    assert with_gate(tiny_model, gate_of(threshold=-1)).predict_one(text) == (
        predictor.predict_one(text)
    )


def test_closed_gate_lets_nothing_through_and_encodes_nothing(tiny_model):
    predictor = with_gate(tiny_model, gate_of("nothing"))
    predictor.encoder = None
    assert predictor.predict_one(LOUD * 20).spans == ()


def test_far_from_what_passes_nothing_is_encoded(tiny_model, predictor):
    class Counting:
        n = 0

        def encode(self, window):
            Counting.n += 1
            return predictor.encoder.encode(window)

    gated = with_gate(tiny_model, gate_of("lice"))
    gated.encoder = Counting()
    text = PLAIN * 100 + LOUD + PLAIN * 100
    full = predictor.predict_one(text)
    near = {s.start_char for s in full.spans if abs(s.start_char - text.index("Marshal")) < 100}
    assert near <= {span.start_char for span in gated.predict_one(text).spans}
    assert 1 <= Counting.n <= 3


def test_trained_model_carries_its_gate(tiny_model):
    assert Predictor.load(tiny_model, gate=True).gate is not None
    assert Predictor.load(tiny_model).gate is None
    manifest = Predictor.load(tiny_model).manifest
    assert manifest["gate"]["kept_rate"] >= 0.995 and GATE in manifest["files"]


def test_model_without_a_gate_scores_everything(tiny_model, tmp_path, predictor):
    import json
    import shutil

    model = shutil.copytree(tiny_model, tmp_path / "model")
    (model / "forewarn" / GATE).unlink()
    path = model / "forewarn" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["files"][GATE]
    path.write_text(json.dumps(manifest))
    bare = Predictor.load(model, gate=True)
    assert bare.gate is None and bare.predict_one(LOUD) == predictor.predict_one(LOUD)


@pytest.mark.parametrize("damage", ["changed", "missing", "not listed"])
def test_gate_that_is_not_the_one_in_the_manifest(tiny_model, tmp_path, damage):
    import json
    import shutil

    from forewarn.model.files import ModelError

    model = shutil.copytree(tiny_model, tmp_path / "model")
    path = model / "forewarn" / GATE
    if damage == "changed":
        path.write_bytes(path.read_bytes() + b" ")
    elif damage == "missing":
        path.unlink()
    else:
        manifest = json.loads((path.parent / "manifest.json").read_text())
        del manifest["files"][GATE]
        (path.parent / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=GATE):
        Predictor.load(model)
