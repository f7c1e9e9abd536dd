"""Whole folders of annotated documents to another tool's format, and back."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from forewarn import rules
from forewarn.annotation.exports import results_to_layer
from forewarn.annotation.layers import (
    DELETED,
    AnnotatedDocument,
    Layer,
    document_path,
    write_document,
)
from forewarn.annotation.tasks import layer_to_results
from forewarn.formats import brat, conll, docbin, studio_json, webanno
from forewarn.formats.loss import Loss
from forewarn.records import Annotation

GOLD: Final = "gold"
FORMATS: Final = ("label-studio", "brat", "webanno", "docbin", "conll")

Read = Callable[[Path, Loss, str], Iterator[tuple[str, str, Layer]]]


def export_documents(
    documents: Iterable[AnnotatedDocument], folder: Path, format_: str
) -> tuple[int, Loss]:
    """Write documents, a folder or a file for each annotator and one for the gold.

    :param documents: the documents.
    :param folder: where to write.
    :param format_: one of ``FORMATS``.
    :return: how many layers were written, and what was lost.
    :raises ValueError: if there is no such format.
    """
    loss, documents = Loss(), list(documents)
    if format_ not in FORMATS:
        raise ValueError(f"no format {format_!r}; known are {', '.join(FORMATS)}")
    if format_ == "label-studio":
        loss.add(
            "gold layers (a task holds annotations only)", sum(bool(d.gold) for d in documents)
        )
        studio_json.write_studio_json(folder / "tasks.json", documents)
        return sum(len(d.layers) for d in documents), loss
    by_name: dict[str, list[tuple[str, str, Layer]]] = {}
    for document in documents:
        loss.add("documents' metadata", bool(document.meta))
        for name, layer in _named_layers(document, loss):
            by_name.setdefault(name, []).append((document.id, document.text, layer))
    for name, layers in by_name.items():
        _write(folder, re.sub(r"[^\w.@-]", "_", name), layers, format_, loss)
    return sum(map(len, by_name.values())), loss


def _named_layers(document: AnnotatedDocument, loss: Loss) -> Iterator[tuple[str, Layer]]:
    for layer in document.layers:
        if not layer.origin.get(DELETED):
            loss.add("items kept aside", len(layer.aside))
            yield layer.annotation.annotator, layer
    if document.gold is not None:
        gold = document.gold
        loss.add("decisions of the adjudication", len(gold.decisions))
        yield GOLD, Layer(Annotation(GOLD, gold.guidelines, gold.spans, gold.relations))


def _write(
    folder: Path, name: str, layers: list[tuple[str, str, Layer]], format_: str, loss: Loss
) -> None:
    if format_ == "docbin":
        docbin.write_docbin(folder / f"{name}.spacy", layers, loss)
    elif format_ == "conll":
        conll.write_conll(folder / f"{name}.conll", layers, loss)
    for id_, text, layer in layers:
        stem = document_path(folder, id_).stem
        if format_ == "brat":
            brat.write_brat(folder / name, stem, text, layer, loss)
        elif format_ == "webanno":
            webanno.write_webanno(folder / name / f"{stem}.tsv", text, layer, loss)
    if format_ == "brat":
        configuration = folder / "annotation.conf"
        configuration.write_text(brat.format_configuration(), encoding="utf-8")


def import_documents(
    paths: Iterable[Path], folder: Path, format_: str, annotator: str
) -> tuple[int, Loss]:
    """Read files of another tool into files of the source format.

    Documents with the same id become one, with a layer of each file; so the annotators of a round
    can be read one after the other into one folder.

    :param paths: files, or folders that are searched for them.
    :param folder: where to write.
    :param format_: one of ``FORMATS``.
    :param annotator: the annotator's name, where the format has none.
    :return: how many layers were read, and what was lost.
    :raises ValueError: if there is no such format, no file of it, a file is broken, or a document
        is there already with another text.
    """
    loss, n_layers = Loss(), 0
    for document in _read(paths, format_, annotator, loss):
        merged = _merge(folder, document)
        write_document(folder, merged)
        n_layers += len(document.layers)
        for layer in document.layers:
            who = layer.annotation.annotator
            loss.problems += [f"{document.id}, {who}: {aside.reason}" for aside in layer.aside]
    return n_layers, loss


def _read(
    paths: Iterable[Path], format_: str, annotator: str, loss: Loss
) -> Iterator[AnnotatedDocument]:
    suffixes = dict(zip(FORMATS, (".json", ".ann", ".tsv", ".spacy", ".conll"), strict=True))
    if format_ not in suffixes:
        raise ValueError(f"no format {format_!r}; known are {', '.join(FORMATS)}")
    for path in paths:
        found = sorted(path.rglob(f"*{suffixes[format_]}")) if path.is_dir() else [path]
        if not found:
            raise ValueError(f"{path}: no {suffixes[format_]} files in it")
        for file in found:
            if format_ == "label-studio":
                yield from studio_json.read_studio_json(file, loss, annotator=annotator)
                continue
            for id_, text, layer in _read_file(file, format_, annotator, loss):
                yield AnnotatedDocument(id_, text, {}, (_prove(text, layer),))


def _read_file(
    path: Path, format_: str, annotator: str, loss: Loss
) -> Iterator[tuple[str, str, Layer]]:
    if format_ == "brat":
        yield path.stem, *brat.read_brat(path, loss, annotator=annotator)
    elif format_ == "webanno":
        yield path.stem, *webanno.read_webanno(path, loss, annotator=annotator)
    elif format_ == "docbin":
        yield from docbin.read_docbin(path, loss, annotator=annotator)
    else:
        yield from conll.read_conll(path, loss, annotator=annotator)


def _prove(text: str, layer: Layer) -> Layer:
    """Keep aside what breaks a rule, as when pulling."""
    annotation = layer.annotation
    if not list(rules.iter_problems(text, annotation.spans, annotation.relations)):
        return layer
    return results_to_layer(
        text,
        layer_to_results(layer),
        annotator=annotation.annotator,
        guidelines=annotation.guidelines,
    )


def _merge(folder: Path, document: AnnotatedDocument) -> AnnotatedDocument:
    from forewarn.annotation.layers import document_from_dict
    from forewarn.jsonl import read_json

    path = document_path(folder, document.id)
    if not path.is_file():
        return document
    known = document_from_dict(read_json(path))
    if known.text != document.text:
        raise ValueError(f"{path}: is there already with another text; import into another folder")
    new = {layer.annotation.annotator for layer in document.layers}
    kept = tuple(x for x in known.layers if x.annotation.annotator not in new)
    return replace(known, layers=(*kept, *document.layers))
