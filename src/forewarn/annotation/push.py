"""Bring documents, predictions and annotations to Label Studio, each document once.

A document is known by its id: a second push adds what is new and replaces predictions that have
changed. The text under somebody's work is never exchanged.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from forewarn.annotation import interface as ui
from forewarn.annotation.client import Studio, StudioError, Task
from forewarn.annotation.exports import results_to_layer
from forewarn.annotation.layers import AnnotatedDocument, Layer
from forewarn.annotation.tasks import (
    DOC_ID,
    GUIDELINES,
    document_to_data,
    layer_to_results,
    prediction_to_results,
)
from forewarn.predictions import Prediction

BATCH = 100
Predict = Callable[[str], Prediction]
Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One prediction to be shown beside a document, under the name that it carries."""

    name: str
    score: float | None
    items: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Write it as the server takes it.

        :return: model version, score and result.
        """
        plain = {"model_version": self.name, "score": self.score, "result": self.items}
        return {k: v for k, v in plain.items() if v is not None}


@dataclass(slots=True)
class PushReport:
    """What a push has done; ``problems`` are the documents that it refused, with the reason."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    annotations: int = 0
    problems: list[str] = field(default_factory=list)


def suggest(name: str, predict: Predict, text: str) -> Suggestion:
    """Let a model suggest spans.

    :param name: the model's name and version.
    :param predict: the model.
    :param text: the text.
    :return: the suggestion; its score is the probability that the text holds rhetoric.
    """
    prediction = predict(text)
    return Suggestion(name, prediction.mention, prediction_to_results(text, prediction))


def push(
    studio: Studio,
    project: int,
    documents: Iterable[AnnotatedDocument],
    *,
    guidelines: str,
    suggestions: Callable[[AnnotatedDocument], Sequence[Suggestion]] = lambda _: (),
    annotators: dict[str, int] | None = None,
    progress: Progress = lambda *_: None,
) -> PushReport:
    """Push documents.

    :param studio: the server.
    :param project: the project's id.
    :param documents: the documents.
    :param guidelines: the version of the guidelines.
    :param suggestions: gives the predictions of a document.
    :param annotators: ids of the server's people by the annotators' names; the documents' layers
        are pushed as their annotations. None pushes no annotations.
    :param progress: is told how many documents are done, and of how many.
    :return: what was done.
    :raises StudioError: if the server fails, or an annotator is not one of its people.
    """
    wanted = list(documents)
    _check_people(wanted, annotators)
    report = PushReport()
    there = _index(studio.tasks(project))
    batch: list[dict[str, Any]] = []
    seen: set[str] = set()
    for n, document in enumerate(wanted, 1):
        try:
            data = _data(document, guidelines, seen)
            offered = [suggestion.to_dict() for suggestion in suggestions(document)]
            results = _results(document, annotators)
            task = there.get(document.id)
            if task is None:
                batch.append({"data": data, "predictions": offered, "annotations": results})
            else:
                _update(studio, task, data, offered, results, report)
        except ValueError as error:
            report.problems.append(str(error))
        if len(batch) == BATCH:
            _flush(studio, project, batch, report)
        progress(n, len(wanted))
    _flush(studio, project, batch, report)
    return report


def _check_people(
    documents: Sequence[AnnotatedDocument], annotators: dict[str, int] | None
) -> None:
    if annotators is None:
        return
    names = {layer.annotation.annotator for document in documents for layer in document.layers}
    if missing := sorted(names - annotators.keys()):
        raise StudioError(
            f"no such people on the server: {', '.join(missing)}; add them there (Organization, "
            "Add People), or name them by --names"
        )


def _index(tasks: Sequence[Task]) -> dict[str, Task]:
    by_id: dict[str, Task] = {}
    for task in tasks:
        id_ = task.data.get(DOC_ID)
        if id_ in by_id:
            raise StudioError(
                f"tasks {by_id[id_].id} and {task.id} are both document {id_!r}; delete one of "
                "them in Label Studio"
            )
        if id_ is not None:
            by_id[id_] = task
    return by_id


def _data(document: AnnotatedDocument, guidelines: str, seen: set[str]) -> dict[str, Any]:
    if document.id in seen:
        raise ValueError(f"document {document.id!r}: the id was used before; give each its own")
    seen.add(document.id)
    return document_to_data(document.id, document.text, document.meta, guidelines)


def _results(
    document: AnnotatedDocument, annotators: dict[str, int] | None
) -> list[dict[str, Any]]:
    if annotators is None:
        return []
    return [
        {
            "result": layer_to_results(layer),
            "completed_by": annotators[layer.annotation.annotator],
            "ground_truth": False,
        }
        for layer in document.layers
    ]


def _flush(studio: Studio, project: int, batch: list[dict[str, Any]], report: PushReport) -> None:
    if batch:
        studio.import_tasks(project, batch)
        report.added += len(batch)
        report.annotations += sum(len(task["annotations"]) for task in batch)
        batch.clear()


def _update(
    studio: Studio,
    task: Task,
    data: dict[str, Any],
    offered: Sequence[dict[str, Any]],
    results: Sequence[dict[str, Any]],
    report: PushReport,
) -> None:
    changed = False
    if data[ui.TEXT] != task.data.get(ui.TEXT) and task.has_work:
        raise ValueError(
            f"document {data[DOC_ID]!r}: the text differs from the one that task {task.id} shows, "
            f"which has {len(task.annotations)} annotations and {task.n_drafts} drafts; their "
            "offsets would point elsewhere. Push the new text under a new id"
        )
    if task.has_work:  # it was done by the guidelines of then
        data = {**data, GUIDELINES: task.data.get(GUIDELINES) or data[GUIDELINES]}
    if data != task.data:
        studio.update_data(task.id, data)
        changed = True
    old = {prediction.get("model_version"): prediction for prediction in task.predictions}
    for prediction in offered:
        known = old.get(prediction["model_version"])
        if known is None or any(known.get(k) != prediction.get(k) for k in ("score", "result")):
            studio.put_prediction(task.id, prediction, known["id"] if known else None)
            changed = True
    there = {_who(a): [] for a in task.annotations}  # type: dict[Any, list[Layer]]
    for annotation in task.annotations:
        there[_who(annotation)].append(_plain(data[ui.TEXT], annotation["result"]))
    for result in results:
        if _plain(data[ui.TEXT], result["result"]) not in there.get(result["completed_by"], []):
            studio.add_annotation(task.id, result)
            report.annotations += 1
            changed = True
    report.changed += changed
    report.unchanged += not changed


def _who(annotation: dict[str, Any]) -> Any:
    by = annotation.get("completed_by")
    return by.get("id") if isinstance(by, dict) else by


def _plain(text: str, results: Any) -> Layer:
    layer = results_to_layer(text, results or [], annotator="", guidelines="")
    return replace(layer, origin={})
