"""Fetch every annotator's work from Label Studio into files of the source format.

What was pulled before is kept: an annotation that the server has no more stays in the file, marked
``deleted``. Skipped tasks and drafts are no annotations.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from forewarn.annotation import interface as ui
from forewarn.annotation.client import Studio, Task
from forewarn.annotation.exports import results_to_layer
from forewarn.annotation.layers import (
    DELETED,
    AnnotatedDocument,
    Layer,
    document_from_dict,
    document_path,
    document_to_dict,
    write_document,
)
from forewarn.annotation.tasks import DOC_ID, GUIDELINES, META
from forewarn.jsonl import read_json


@dataclass(slots=True)
class PullReport:
    """What a pull has brought.

    ``aside`` lists what could not be proved, ``gone`` what the server has no more, ``problems``
    the tasks that could not be written.
    """

    documents: int = 0
    annotations: int = 0
    written: int = 0
    skipped: int = 0
    drafts: int = 0
    aside: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def pull(
    studio: Studio, project: int, folder: Path, *, names: dict[str, str] | None = None
) -> PullReport:
    """Pull a project.

    :param studio: the server.
    :param project: the project's id.
    :param folder: the folder of pulled documents; files that are there are brought up to date.
    :param names: the annotators' names in the files, by e-mail address; the address if missing.
    :return: what was brought.
    """
    report = PullReport()
    people = {id_: (names or {}).get(email, email) for id_, email in studio.users().items()}
    seen: set[Path] = set()
    for task in studio.tasks(project):
        report.drafts += task.n_drafts
        report.skipped += sum(bool(a.get("was_cancelled")) for a in task.annotations)
        id_, text = task.data.get(DOC_ID), task.data.get(ui.TEXT)
        if not isinstance(id_, str) or not isinstance(text, str):
            report.problems.append(
                f"task {task.id}: has no {DOC_ID} and {ui.TEXT}; it was not pushed by forewarn"
            )
            continue
        path = document_path(folder, id_)
        if path in seen:
            report.problems.append(f"task {task.id}: second task of document {id_!r}; not pulled")
            continue
        seen.add(path)
        _pull_task(task, folder, people, report)
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        if path not in seen:
            report.gone.append(f"{path}: the server has no task of it any more; the file is kept")
    return report


def _pull_task(task: Task, folder: Path, people: dict[int, str], report: PullReport) -> None:
    id_, text = task.data[DOC_ID], task.data[ui.TEXT]
    path = document_path(folder, id_)
    known = None
    if path.is_file():
        try:
            known = document_from_dict(read_json(path))
        except (ValueError, KeyError, TypeError) as error:
            report.problems.append(f"{path}: cannot be read ({error}); mend it or move it away")
            return
        if known.text != text:
            report.problems.append(
                f"{path}: holds another text than task {task.id}; move the file away, then pull"
            )
            return
    layers = _layers(task, people)
    for layer in layers:
        who = layer.annotation.annotator
        report.aside += [f"{id_}, {who}: {aside.reason}" for aside in layer.aside]
    report.annotations += len(layers)
    layers += _kept(known, layers, report)
    if not layers:
        return
    report.documents += 1
    meta = {**(known.meta if known else {}), **(task.data.get(META) or {})}
    gold = None if known is None else known.gold
    document = AnnotatedDocument(id_, text, meta, tuple(layers), gold)
    if known is None or document_to_dict(known) != document_to_dict(document):
        write_document(folder, document)
        report.written += 1


def _layers(task: Task, people: dict[int, str]) -> list[Layer]:
    layers: list[Layer] = []
    used: dict[str, int] = {}
    for annotation in sorted(task.annotations, key=lambda a: a["id"]):
        if annotation.get("was_cancelled"):
            continue
        by = annotation.get("completed_by")
        by = by.get("id") if isinstance(by, dict) else by
        name = people.get(by, f"user {by}") if isinstance(by, int) else "unknown"
        used[name] = used.get(name, 0) + 1
        layer = results_to_layer(
            task.data[ui.TEXT],
            annotation.get("result") or [],
            annotator=name if used[name] == 1 else f"{name}#{used[name]}",
            guidelines=task.data.get(GUIDELINES) or "",
        )
        origin: dict[str, Any] = {
            "task": task.id,
            "annotation": annotation["id"],
            "updated_at": str(annotation.get("updated_at") or ""),
        }
        layers.append(replace(layer, origin={**origin, **layer.origin}))
    return layers


def _kept(known: AnnotatedDocument | None, layers: list[Layer], report: PullReport) -> list[Layer]:
    """Give what was pulled before and is not on the server any more."""
    if known is None:
        return []
    there = {layer.origin["annotation"] for layer in layers}
    names = {layer.annotation.annotator for layer in layers}
    kept = []
    for layer in known.layers:
        annotation, who = layer.origin.get("annotation"), layer.annotation.annotator
        if annotation is None:
            if who not in names:
                kept.append(layer)
        elif annotation not in there:
            if not layer.origin.get(DELETED):
                report.gone.append(
                    f"{known.id}, {who}: annotation {annotation} was deleted on the server; kept"
                )
            kept.append(replace(layer, origin={**layer.origin, DELETED: True}))
    return kept
