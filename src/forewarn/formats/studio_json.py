"""Label Studio's own JSON, for a server that only its buttons reach."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from forewarn.annotation.exports import results_to_layer
from forewarn.annotation.layers import AnnotatedDocument, Layer
from forewarn.annotation.tasks import DOC_ID, GUIDELINES, META, document_to_data, layer_to_results
from forewarn.formats.loss import Loss
from forewarn.jsonl import read_json, write_json


def write_studio_json(path: Path, documents: Iterable[AnnotatedDocument]) -> None:
    """Write documents as tasks, each annotator's layer as an annotation.

    :param path: the ``.json`` file.
    :param documents: the documents.
    """
    tasks = []
    for document in documents:
        layers = [layer.annotation for layer in document.layers]
        guidelines = next((layer.guidelines for layer in layers), "")
        annotations = [
            {"result": layer_to_results(layer), "completed_by": {"email": name.annotator}}
            for layer, name in zip(document.layers, layers, strict=True)
        ]
        data = document_to_data(document.id, document.text, document.meta, guidelines)
        tasks.append({"data": data, "annotations": annotations})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, tasks)


def read_studio_json(
    path: Path, loss: Loss, *, annotator: str = "label-studio"
) -> Iterator[AnnotatedDocument]:
    """Read an export.

    :param path: the ``.json`` file.
    :param loss: where to list what could not be read.
    :param annotator: what to call annotators of whom the export has only a number: this and it.
    :yields: documents; what cannot be proved is kept aside in their layers.
    :raises ValueError: if the file is no export of tasks.
    """
    tasks = read_json(path)
    if not isinstance(tasks, list) or not all(isinstance(t, dict) and "data" in t for t in tasks):
        raise ValueError(f"{path}: not an export of Label Studio; choose JSON, not JSON-MIN")
    for n, task in enumerate(tasks, 1):
        data = task["data"]
        if not isinstance(data.get("text"), str):
            loss.problems.append(f"{path}, task {n}: its data has no 'text'")
            loss.add("tasks without a text")
            continue
        layers = tuple(_layers(data, task.get("annotations") or (), annotator, loss))
        id_ = str(data.get(DOC_ID) or f"{path.stem}-{task.get('id', n)}")
        yield AnnotatedDocument(id_, data["text"], data.get(META) or {}, layers)


def _layers(
    data: dict[str, Any], annotations: Iterable[dict[str, Any]], annotator: str, loss: Loss
) -> Iterator[Layer]:
    for annotation in annotations:
        if annotation.get("was_cancelled"):
            loss.add("skipped annotations")
            continue
        by = annotation.get("completed_by")
        name = by.get("email") if isinstance(by, dict) else None
        yield results_to_layer(
            data["text"],
            annotation.get("result") or [],
            annotator=name or f"{annotator}-{by if not isinstance(by, dict) else by.get('id')}",
            guidelines=data.get(GUIDELINES) or "",
        )
