import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from forewarn import labels
from forewarn.model import files
from forewarn.model.calibration import (
    Logistic,
    document_features,
    document_score,
    fit_logistic,
    logit,
)
from forewarn.model.predictor import Predictor, Settings, find_model

ROOT = Path(__file__).parents[2]
SOUND = "Marshal Quorrel called the weavers lice."


def test_finds_form_voice_speaker_and_target(predictor):
    [span] = predictor.predict_one(SOUND).spans
    assert (span.label, span.text) == (labels.DEHUMANISING_LABEL, "lice")
    assert (span.form, span.voice) == ("animal", "quoted")
    assert span.speaker is not None and span.speaker.text == "Marshal Quorrel"
    assert span.target is not None and span.target.text == "weavers"


def test_same_result_whatever_stands_beside_it(predictor):
    alone = predictor.predict_one(SOUND)
    assert list(predictor.predict(["x", SOUND, "y " * 900, SOUND]))[1::2] == [alone, alone]


def test_passage_far_behind_is_found_at_its_place(predictor):
    text = "The harbour office said that the ferry leaves at nine.\n" * 4000 + SOUND
    span = predictor.predict_one(text).spans[-1]
    assert text[span.start_char : span.end_char] == span.text == "lice"
    assert span.start_char > 200_000
    for role in (span.speaker, span.target):
        assert role is None or text[role.start_char : role.end_char] == role.text


def test_saved_model_has_no_pickle(tiny_model):
    for path in tiny_model.rglob("*"):
        assert path.suffix not in {".pkl", ".pickle", ".pt", ".joblib"}
        if path.is_file():
            assert not path.read_bytes().startswith((b"\x80\x03", b"\x80\x04", b"\x80\x05"))


def test_manifest_says_what_the_model_is_made_from(predictor):
    manifest = predictor.manifest
    assert {"code", "config", "corpus", "files", "history", "validation"} <= set(manifest)
    assert len(manifest["corpus"]["sha256"]) == 64
    assert set(manifest["files"]) == {*files.FILES, files.GATE}


def test_settings_round_trip(predictor):
    raw = json.loads(json.dumps(predictor.settings.to_dict()))
    assert Settings.from_dict(raw) == predictor.settings


def test_broken_manifest(tiny_model, tmp_path):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    (model / "forewarn" / files.MANIFEST).write_text("{")
    with pytest.raises(files.ModelError, match=r"manifest\.json: not valid JSON.*install"):
        Predictor.load(model)


def test_other_format(tiny_model, tmp_path):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    path = model / "forewarn" / files.MANIFEST
    path.write_text(path.read_text().replace('"format": 1', '"format": 99', 1))
    with pytest.raises(files.ModelError, match="format 99, this version of forewarn reads"):
        Predictor.load(model)


def test_model_of_another_scheme_is_refused(tiny_model, tmp_path):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    path = model / "forewarn" / files.MANIFEST
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "taxonomy": "0"}))
    with pytest.raises(files.ModelError, match="made for version '0' of the scheme"):
        Predictor.load(model)


@pytest.mark.parametrize("content", ["[]", "{}"])
def test_manifest_that_is_none(tiny_model, tmp_path, content):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    (model / "forewarn" / files.MANIFEST).write_text(content)
    with pytest.raises(files.ModelError, match="not a model's manifest"):
        Predictor.load(model)


def test_newest_model_is_the_default(tiny_model, tmp_path, monkeypatch):
    for name in ("en_tiny-0.9.0", "en_tiny-0.10.0"):
        shutil.copytree(tiny_model, tmp_path / name)
    (tmp_path / "en_tiny-0.11.0").mkdir()
    monkeypatch.setattr("forewarn.model.predictor._MODEL_ROOTS", (tmp_path,))
    assert find_model().name == "en_tiny-0.10.0"


def test_shipped_model_was_trained_on_the_corpus_as_built():
    from forewarn.train import corpus_state

    assert Predictor.load().manifest["corpus"] == corpus_state(ROOT / "corpus")


def test_threshold_must_be_a_probability(tiny_model):
    with pytest.raises(ValueError, match=r"threshold 1\.5 is not within 0\.\.1"):
        Predictor.load(tiny_model, threshold=1.5)


def test_shipped_model_is_the_default():
    assert find_model().name.startswith("en_forewarn-")


def test_numpy_heads_compute_what_torch_trained(tiny_encoder):
    import torch

    from forewarn.model.heads import LINK_NAMES, Heads, distance_buckets, pool
    from forewarn.training.config import TrainingConfig
    from forewarn.training.tagger import Tagger, read_pretrained
    from forewarn.training.tagger import pool as torch_pool

    torch.manual_seed(0)
    tagger = Tagger(read_pretrained(tiny_encoder), TrainingConfig("t", "0")).eval()
    twin = Heads(tagger.heads_state())
    hidden = torch.randn(40, 32)
    pooled = torch.stack([torch_pool(hidden, 3, 7), torch_pool(hidden, 20, 22)])
    np.testing.assert_allclose(pool(hidden.numpy(), 3, 7), pooled[0].numpy(), rtol=1e-5)
    with torch.inference_mode():
        tags = tagger.tag(hidden).view(40, -1, 3).softmax(-1)
        voices = tagger.voice["out"](tagger.voice["in"](pooled).relu()).softmax(-1)
    np.testing.assert_allclose(twin.tag_probabilities(hidden.numpy()), tags, atol=1e-5)
    np.testing.assert_allclose(twin.voice_probabilities(pooled.numpy()), voices, atol=1e-5)
    buckets = distance_buckets(3, 7, 0, 40)
    for name in LINK_NAMES:
        link = getattr(tagger, f"link_{name}")
        with torch.inference_mode():
            expected = link(pooled[:1], hidden, torch.from_numpy(buckets[None])).softmax(-1)[0]
        keys = twin.link_keys(name, hidden.numpy())
        found = twin.link_probabilities(name, pooled[0].numpy(), keys, buckets)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_distances_are_counted_from_the_edges_of_the_span():
    from forewarn.model.heads import N_BUCKETS, distance_buckets

    buckets = distance_buckets(10, 12, 5, 20)
    assert buckets[10 - 5] == buckets[12 - 5] - 1 == N_BUCKETS // 2
    assert list(buckets[:5]) == sorted(buckets[:5], reverse=True)
    assert max(buckets[:5]) < N_BUCKETS // 2


def test_calibration_curve_recovers_the_rates():
    rng = np.random.default_rng(0)
    raw = rng.uniform(0.02, 0.98, 4000)
    outcomes = rng.random(4000) < raw**2
    curve = fit_logistic(np.array([[logit(p)] for p in raw]), list(outcomes))
    for p in (0.2, 0.5, 0.8):
        assert curve.probability([logit(p)]) == pytest.approx(p**2, abs=0.06)


def test_calibration_without_both_outcomes_is_constant():
    curve = fit_logistic(np.array([[0.0], [1.0]]), [True, True])
    assert curve.probability([-5.0]) == curve.probability([5.0]) == pytest.approx(0.75)


def test_document_features_of_no_evidence():
    assert document_features([]) == [logit(0.0)]
    assert document_features([0.5]) == pytest.approx([0.0])
    assert document_features([0.5, 0.5]) == pytest.approx([logit(0.75)])


def test_document_is_no_less_certain_than_its_strongest_span(predictor):
    doubtful = Logistic((1.0,), -9.0)
    assert document_score(doubtful, [0.2, 0.83]) == 0.83
    assert document_score(doubtful, []) < 0.001
    prediction = predictor.predict_one(SOUND)
    assert prediction.mention >= max(span.score for span in prediction.spans)
