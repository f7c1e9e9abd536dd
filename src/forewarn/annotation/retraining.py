"""Train again in the background, and take the new model only if it is not worse.

The corpus is copied, pulled annotations are added to its training split, ``forewarn train`` runs in
a process of its own, and old and new model are compared on the same validation data.
"""

import logging
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from forewarn.annotation.backend import COUNTED_ACTIONS, TRAIN_ACTIONS, CountsAnnotations
from forewarn.annotation.layers import DELETED, AnnotatedDocument
from forewarn.corpus.load import read_split
from forewarn.evaluate import evaluate
from forewarn.jsonl import read_jsonl, write_jsonl
from forewarn.model.predictor import Predictor

log = logging.getLogger("forewarn.backend")

FIGURES = ("f1_overlap", "voice_accuracy", "mention_average_precision")
"""What is compared; a new model may fall behind in none of them by more than the tolerance."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training came to: which model answers now, and why."""

    switched: bool
    model: str
    said: str


def training_rows(documents: list[AnnotatedDocument]) -> list[dict[str, Any]]:
    """Make training rows of annotated documents: the gold, else the only or the last annotation.

    :param documents: pulled documents.
    :return: rows as in a built split.
    """
    rows = []
    for document in documents:
        layers = [x for x in document.layers if not x.origin.get(DELETED) and not x.aside]
        layers.sort(key=lambda x: str(x.origin.get("updated_at", "")))
        layer: Any = document.gold or (layers[-1].annotation if layers else None)
        if layer is not None:
            rows.append(
                {
                    "id": document.id,
                    "text": document.text,
                    "spans": [asdict(span) for span in layer.spans],
                    "relations": [asdict(relation) for relation in layer.relations],
                }
            )
    return rows


def extend_corpus(corpus: Path, rows: list[dict[str, Any]], folder: Path) -> int:
    """Copy a built corpus and add rows to its training split.

    :param corpus: the corpus folder, built.
    :param rows: the rows.
    :param folder: where the copy goes.
    :return: how many rows were added; documents of the other splits never are, and one that is in
        the training split already is replaced.
    """
    shutil.copytree(corpus / "data", folder / "data")
    held_out = {
        row[key]
        for split in ("validation", "test", "test_ood")
        if (path := folder / "data" / f"{split}.jsonl").is_file()
        for row in read_jsonl(path)
        for key in ("id", "text")
    }
    new = {r["id"]: r for r in rows if not {r["id"], r["text"]} & held_out}
    path = folder / "data" / "train.jsonl"
    old = [row for row in read_jsonl(path) if row["id"] not in new]
    write_jsonl(path, [*old, *new.values()])
    return len(new)


def headline(predictor: Predictor, corpus: Path) -> dict[str, float]:
    """Measure a model on the validation split.

    :param predictor: the model.
    :param corpus: the corpus folder, built.
    :return: the figures that are compared, 0..1.
    """
    documents = read_split(corpus, "validation")
    figures = evaluate(
        documents, list(predictor.predict(d.text for d in documents)), n_bootstrap=0, n_chance=0
    )
    found = (
        figures["spans"]["micro"]["f1_overlap"],
        figures["voice_accuracy"],
        figures["documents"]["mention_average_precision"],
    )
    return {name: float(value or 0.0) for name, value in zip(FIGURES, found, strict=True)}


def is_no_worse(old: dict[str, float], new: dict[str, float], tolerance: float) -> bool:
    """Decide whether a new model may take the old one's place.

    :param old: the old model's figures.
    :param new: the new one's.
    :param tolerance: by how much a figure may fall.
    :return: True if none falls by more.
    """
    return all(new[name] >= old[name] - tolerance for name in FIGURES)


@dataclass(slots=True)
class Trainer(CountsAnnotations):
    """Counts annotations and trains in a thread, one training at a time.

    :param predictor: the model that answers now.
    :param switch: is called with a model that is no worse.
    :param fetch: gives the annotated documents.
    :param corpus: the corpus folder, built.
    :param config: the training configuration.
    :param models: folder under which new models are saved.
    :param every: how many new annotations start a training; 0 for none.
    :param tolerance: by how much a figure may fall.
    :param options: more arguments of ``forewarn train``.
    """

    predictor: Predictor
    switch: Callable[[Predictor], object]
    fetch: Callable[[], list[AnnotatedDocument]]
    corpus: Path
    config: Path
    models: Path
    every: int = 0
    tolerance: float = 0.0
    options: tuple[str, ...] = ()
    outcomes: list[Outcome] = field(default_factory=list)
    _counted: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def notice(self, action: str) -> str:
        """Hear of an event of the server, and train if it is time.

        :param action: the event's name.
        :return: what is done about it.
        """
        with self._lock:
            self._counted += action in COUNTED_ACTIONS
            due = self.every > 0 and self._counted >= self.every
            if action not in TRAIN_ACTIONS and not due:
                return f"{self._counted} annotations since the last training"
            if self._thread is not None and self._thread.is_alive():
                return "a training is going on already"
            self._counted = 0
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        return "training has started"

    def status(self) -> dict[str, Any]:
        """Say what was trained.

        :return: whether a training goes on, and the outcomes so far.
        """
        running = self._thread is not None and self._thread.is_alive()
        return {
            "training": "running" if running else "waiting",
            "annotations": self._counted,
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
        }

    def wait(self) -> None:
        """Wait until the training that goes on has ended."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            outcome = self.train()
        except Exception as error:  # the backend goes on answering with the old model
            outcome = Outcome(False, self.predictor.name, f"training failed: {error}")
        log.info("%s", outcome.said)
        self.outcomes.append(outcome)

    def train(self) -> Outcome:
        """Train, compare and switch.

        :return: what came of it.
        :raises RuntimeError: if the training fails.
        """
        rows = training_rows(self.fetch())
        with tempfile.TemporaryDirectory(prefix="forewarn-train-") as temporary:
            corpus = Path(temporary) / "corpus"
            n_new = extend_corpus(self.corpus, rows, corpus)
            if not n_new:
                return Outcome(False, self.predictor.name, "nothing new to learn from; not trained")
            config, name = self._write_config(Path(temporary))
            command = [
                *(sys.executable, "-m", "forewarn", "train", str(config)),
                *("--corpus", str(corpus), "--output", str(self.models), *self.options),
            ]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip()[-300:] or "forewarn train failed")
        new = Predictor.load(self.models / name)
        old_figures, new_figures = (headline(p, self.corpus) for p in (self.predictor, new))
        better = is_no_worse(old_figures, new_figures, self.tolerance)
        compared = ", ".join(
            f"{figure} {old_figures[figure]:.3f} -> {new_figures[figure]:.3f}" for figure in FIGURES
        )
        if better:
            old, self.predictor = self.predictor.name, new
            self.switch(new)
            said = f"{n_new} documents added; {new.name} takes the place of {old}: {compared}"
        else:
            said = f"{n_new} documents added; {self.predictor.name} stays, {name} is worse: "
            said += compared
        return Outcome(better, self.predictor.name, said)

    def _write_config(self, folder: Path) -> tuple[Path, str]:
        from confection import Config

        raw = Config().from_disk(self.config)
        name, version = raw["training"]["name"], str(raw["training"]["version"])
        n = 1
        while (self.models / f"{name}-{version}.post{n}").exists():
            n += 1
        raw["training"]["version"] = f"{re.sub(r'[.]post[0-9]+$', '', version)}.post{n}"
        path = folder / "training.cfg"
        raw.to_disk(path)
        return path, f"{name}-{raw['training']['version']}"
