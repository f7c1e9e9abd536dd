"""A tiny model, trained once for all tests, and helpers to run the command."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forewarn.cli import app
from forewarn.model.predictor import Predictor

ROOT = Path(__file__).parents[1]
FIXTURES = Path(__file__).parent / "data" / "corpus"


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=2, help="Random kills of a batch run.")


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory) -> Path:
    """A folder with a small random BERT and the packaged tokeniser."""
    import torch
    from transformers import BertConfig, BertModel

    from forewarn.training.config import PACKAGED_ENCODER, encoder_folder

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    config = BertConfig(
        vocab_size=30522,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
    )
    BertModel(config).save_pretrained(folder)
    shutil.copy(encoder_folder(PACKAGED_ENCODER) / "tokenizer.json", folder / "tokenizer.json")
    return folder


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory) -> Path:
    """The valid fixture documents, built, as every split."""
    from forewarn.corpus.build import build_corpus
    from forewarn.corpus.load import SPLITS

    corpus = tmp_path_factory.mktemp("corpus")
    shutil.copytree(FIXTURES / "valid", corpus / "source")
    shutil.copy(FIXTURES / "incidents.json", corpus / "incidents.json")
    build_corpus(corpus)
    for split in SPLITS:
        if split != "train":
            shutil.copy(corpus / "data" / "train.jsonl", corpus / "data" / f"{split}.jsonl")
    return corpus


@pytest.fixture(scope="session")
def tiny_model(tiny_encoder, tiny_corpus, tmp_path_factory) -> Path:
    """A tiny model that has learned the fixture documents by heart, as the command trains it."""
    folder = tmp_path_factory.mktemp("models")
    config = folder / "tiny.cfg"
    config.write_text(
        '[training]\nname = "en_tiny"\nversion = "0.0.1"\nepochs = 150\n'
        "window = 200\noverlap = 60\n"
        "batch_pieces = 400\nencoder_rate = 0.003\nhead_rate = 0.003\nlayer_decay = 1.0\n"
        "dropout = 0.0\nquote_augmentation = 0.0\nmask_rate = 0.0\n"
    )
    arguments = ["train", str(config), "--corpus", str(tiny_corpus), "--output", str(folder)]
    result = CliRunner().invoke(app, [*arguments, "--encoder", str(tiny_encoder)])
    assert result.exit_code == 0, result.output
    return folder / "en_tiny-0.0.1"


@pytest.fixture(scope="session")
def predictor(tiny_model) -> Predictor:
    return Predictor.load(tiny_model)


@pytest.fixture
def run(tiny_model):
    """Run ``forewarn`` with the tiny model where the command takes one."""

    def call(*arguments: str | Path, model: Path | None = tiny_model, stdin: bytes | None = None):
        words = [str(argument) for argument in arguments]
        if words[0] == "score" and model is not None and "--model" not in words:
            words += ["--model", str(model)]
        return CliRunner().invoke(app, words, input=stdin)

    return call


@pytest.fixture
def score(run, tmp_path):
    """Score inputs into a .jsonl file; give the exit status, the records and the messages."""

    def call(*inputs: str | Path, stdin: bytes | None = None, options: tuple[str, ...] = ()):
        output = tmp_path / "scored.jsonl"
        result = run("score", *inputs, "--output", output, *options, stdin=stdin)
        records = [json.loads(line) for line in output.read_text().splitlines()]
        return result.exit_code, records, result.stderr

    return call
