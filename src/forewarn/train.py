"""Train a model from the corpus and save it with all that is known of it."""

import hashlib
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer

import forewarn
from forewarn import labels
from forewarn.corpus.load import GoldDocument, read_split
from forewarn.evaluate import evaluate
from forewarn.jsonl import write_json
from forewarn.model import files
from forewarn.model.calibration import Logistic
from forewarn.model.decode import DecodeSettings
from forewarn.model.encoder import Encoder
from forewarn.model.gate import save_gate
from forewarn.model.heads import Heads
from forewarn.model.predictor import Predictor, Settings
from forewarn.pipeline import blank_pipeline
from forewarn.training.config import TrainingConfig, encoder_folder
from forewarn.training.export import export_encoder
from forewarn.training.fit import fit_settings, identity_settings
from forewarn.training.gate import fit_gate
from forewarn.training.loop import Progress, train_tagger
from forewarn.training.tagger import Tagger, TorchEncoder, read_pretrained


def train(
    config: TrainingConfig, corpus: Path, output: Path, *, progress: Progress = lambda *_: None
) -> dict[str, Any]:
    """Train, export, calibrate and save a model as a spaCy pipeline.

    :param config: the training configuration.
    :param corpus: the corpus folder, built.
    :param output: folder under which the model's own folder is made.
    :param progress: is told of every step.
    :return: the model's manifest, with the figures on validation data.
    """
    started = time.monotonic()
    _seed(config.seed)
    source = encoder_folder(config.encoder)
    tokenizer = Tokenizer.from_file(str(source / files.TOKENIZER))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    training, validation = (read_split(corpus, split) for split in ("train", "validation"))
    tagger = Tagger(read_pretrained(source), config)
    settings = start_settings(tokenizer, config)
    special = (settings.cls_id, settings.sep_id)

    def score(settings: Settings = settings) -> float:
        encoder, parameters = TorchEncoder(tagger, *special), Heads(tagger.heads_state())
        twin = Predictor(encoder, parameters, tokenizer, settings, {"name": config.name})
        return span_f1(twin, validation)

    history = train_tagger(tagger, tokenizer, training, score, special=special, progress=progress)
    name = f"{config.name}-{config.version}"
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=f".{name}.") as temporary:
        folder = Path(temporary) / name
        component = folder / files.COMPONENT
        predictor = _save_weights(tagger, tokenizer, settings, component)
        predictor.settings = fit_settings(predictor, validation)
        write_json(component / files.SETTINGS, predictor.settings.to_dict())
        manifest = {
            "name": name,
            "taxonomy": labels.TAXONOMY,
            "code": forewarn.__version__,
            "corpus": corpus_state(corpus),
            "encoder": {
                "name": Path(config.encoder).name,
                "sha256": files.sha256(source / "model.safetensors"),
            },
            "config": {**config.to_dict(), "encoder": Path(config.encoder).name},
            "history": history,
            "seconds": round(time.monotonic() - started),
            "validation_f1_float32": score(predictor.settings),
            "validation": evaluate(validation, list(predictor.predict(d.text for d in validation))),
        }
        gate, manifest["gate"] = fit_gate(predictor, training, validation)
        save_gate(gate, component / files.GATE)
        files.write_manifest(component, manifest)
        _save_pipeline(folder, config)
        shutil.rmtree(output / name, ignore_errors=True)
        folder.rename(output / name)
    return manifest


def start_settings(tokenizer: Any, config: TrainingConfig) -> Settings:
    """Make the settings of a model that is not calibrated yet.

    :param tokenizer: its tokeniser.
    :param config: the training configuration.
    :return: the settings.
    :raises ValueError: if the tokeniser has not BERT's special pieces.
    """
    special = [tokenizer.token_to_id(piece) for piece in ("[CLS]", "[SEP]", "[MASK]")]
    if None in special:
        raise ValueError("the encoder's tokeniser needs the pieces [CLS], [SEP] and [MASK]")
    flat = Logistic((1.0,), 0.0)
    return identity_settings(
        Settings(
            window=config.window,
            overlap=config.overlap,
            cls_id=special[0],
            sep_id=special[1],
            decode=DecodeSettings(),
            span_curves={},
            mention_curve=flat,
            use_curve=flat,
        )
    )


def span_f1(predictor: Predictor, documents: Sequence[GoldDocument]) -> float:
    """Compute the micro F1 of overlapping spans.

    :param predictor: a model.
    :param documents: gold documents.
    :return: the figure, 0..1.
    """
    predictions = list(predictor.predict(document.text for document in documents))
    figures = evaluate(documents, predictions, n_bootstrap=0, n_chance=0)
    return float(figures["spans"]["micro"]["f1_overlap"] or 0.0)


def _save_weights(tagger: Tagger, tokenizer: Any, settings: Settings, folder: Path) -> Predictor:
    folder.mkdir(parents=True, exist_ok=True)
    export_encoder(tagger, folder / files.ENCODER)
    state = tagger.heads_state()
    save_file(state, folder / files.HEADS)
    tokenizer.save(str(folder / files.TOKENIZER))
    encoder = Encoder(
        (folder / files.ENCODER).read_bytes(), cls_id=settings.cls_id, sep_id=settings.sep_id
    )
    return Predictor(encoder, Heads(state), tokenizer, settings, {"name": ""}, folder)


def _save_pipeline(folder: Path, config: TrainingConfig) -> None:
    nlp = blank_pipeline()
    nlp.meta.update(
        name=config.name.removeprefix("en_"),
        version=config.version,
        description="Finds the rhetoric that goes before lethal violence",
        license="Apache-2.0",
    )
    nlp.get_pipe(files.COMPONENT).from_disk(folder / files.COMPONENT)
    nlp.to_disk(folder)


def corpus_state(corpus: Path) -> dict[str, str | None]:
    """Identify what a model was made from.

    :param corpus: the corpus folder.
    :return: ``version``, the corpus' own, None if it has none, and ``sha256``, over the checksums
        of the two splits that training reads.
    """
    version = corpus / "VERSION"
    checksums = "".join(
        files.sha256(corpus / "data" / f"{split}.jsonl") for split in ("train", "validation")
    )
    return {
        "version": version.read_text().strip() if version.is_file() else None,
        "sha256": hashlib.sha256(checksums.encode()).hexdigest(),
    }


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
