"""Fitting the gate: the share of spans that it keeps, and the command that fits it again."""

import json
import shutil

from forewarn.corpus.load import read_split
from forewarn.model.files import GATE
from forewarn.model.gate import N_BUCKETS, Gate
from forewarn.model.predictor import Predictor
from forewarn.training.gate import KEPT_RATE, fit_gate, measure_gate


def test_fitted_gate_keeps_almost_all_spans(predictor, tiny_corpus):
    documents = read_split(tiny_corpus, "train")
    gate, figures = fit_gate(predictor, documents, documents)
    assert figures["n_spans"] > 0 and figures["kept_rate"] >= KEPT_RATE
    texts = [document.text for document in documents]
    assert measure_gate(predictor, gate, texts) == figures
    plain = ["The ferry leaves at nine. Trams run on lines 3 and 7. " * 20]
    assert gate.stretches(plain[0]) == []
    assert measure_gate(predictor, gate, plain)["window_rate"] == 0


def test_closed_gate_is_measured_as_losing_everything(predictor, tiny_corpus):
    import numpy as np

    closed = Gate.of(np.zeros(N_BUCKETS, dtype=np.float32), 0.0, 0.0, 1.0)
    texts = "\n".join(document.text for document in read_split(tiny_corpus, "train"))
    figures = measure_gate(predictor, closed, [texts])
    assert figures["kept_rate"] == 0 and figures["window_rate"] == 0 and figures["n_spans"] > 0


def test_command_fits_the_gate_again(run, tiny_model, tiny_corpus, tmp_path):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    path = model / "forewarn" / GATE
    before = path.read_bytes()
    path.unlink()
    manifest = json.loads((path.parent / "manifest.json").read_text())
    del manifest["files"][GATE]
    (path.parent / "manifest.json").write_text(json.dumps(manifest))
    result = run("gate", model, "--corpus", tiny_corpus)
    assert result.exit_code == 0 and "flagged spans kept" in result.stdout
    assert path.read_bytes() == before
    assert Predictor.load(model, gate=True).gate is not None


def test_command_without_a_corpus(run, tiny_model, tmp_path):
    result = run("gate", tiny_model, "--corpus", tmp_path)
    assert result.exit_code == 2 and "run 'forewarn corpus build'" in result.stderr
