"""One annotator's work as it is pulled: spans, relations, remarks, and what could not be read.

A document that was pulled is a file of the source format without gold: beside each annotator's
spans and relations stand the remarks (notes, confidence, verdict and comment on the document) and
``aside``, every item that cannot be proved, with the reason, as the server gave it.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from forewarn import rules
from forewarn.jsonl import read_json, write_json
from forewarn.records import Annotation, Gold, SourceDocument, annotation_from_dict, gold_from_dict

META = ("genre", "setting", "incident", "country", "date", "provenance")
"""What a source file says of a document besides its text."""

DELETED = "deleted"
"""Key of a layer's origin once the server has its annotation no more."""

NOT_ADJUDICATED = Gold("", "", (), ())
"""Stands for the gold of a document that has none yet."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """What an annotator said besides spans; notes and confidences by the span's id."""

    notes: dict[str, str] = field(default_factory=dict)
    confidences: dict[str, str] = field(default_factory=dict)
    nothing_to_flag: bool = False
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Aside:
    """An item of a result that cannot be proved, and why."""

    reason: str
    item: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Layer:
    """One annotator's annotation of one document.

    ``origin`` says where it comes from: the ids of the annotation and its task on the server, when
    it was changed last, and ``deleted`` once the server has it no more.
    """

    annotation: Annotation
    remarks: Remarks = field(default_factory=Remarks)
    aside: tuple[Aside, ...] = ()
    origin: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnnotatedDocument:
    """A text with every annotator's layer; ``gold`` is None until it is adjudicated."""

    id: str
    text: str
    meta: dict[str, Any]
    layers: tuple[Layer, ...]
    gold: Gold | None = None


def document_to_dict(document: AnnotatedDocument) -> dict[str, Any]:
    """Turn a document into what its JSON file holds.

    :param document: the document.
    :return: plain dicts and lists, a source file's fields first.
    """
    return {
        "id": document.id,
        "text": document.text,
        **document.meta,
        "annotations": [_layer_to_dict(layer) for layer in document.layers],
        "gold": None if document.gold is None else asdict(document.gold),
    }


def document_from_dict(raw: dict[str, Any]) -> AnnotatedDocument:
    """Read a pulled document, or a source file.

    :param raw: the decoded JSON object.
    :return: the document; layers and gold keep the rules of the scheme.
    :raises RuleError: if a span or relation breaks a rule of the scheme.
    """
    meta = {k: v for k, v in raw.items() if k not in ("id", "text", "annotations", "gold")}
    layers = tuple(_layer_from_dict(layer) for layer in raw.get("annotations", ()))
    gold = gold_from_dict(raw["gold"]) if raw.get("gold") else None
    marked: list[Annotation | Gold] = [layer.annotation for layer in layers]
    for layer in [*marked, gold] if gold else marked:
        for problem in rules.iter_problems(raw["text"], layer.spans, layer.relations):
            raise rules.RuleError(raw["id"], problem)
    return AnnotatedDocument(raw["id"], raw["text"], meta, layers, gold)


def read_documents(folder: Path) -> list[AnnotatedDocument]:
    """Read every document of a folder of pulled documents or source files.

    :param folder: the folder.
    :return: the documents, in the order of their files' names.
    :raises ValueError: if there are none, or a file is no such document; the message names it.
    """
    documents = []
    for path in sorted(folder.glob("*.json")):
        raw = read_json(path)
        try:
            documents.append(document_from_dict(raw))
        except rules.RuleError as error:
            raise ValueError(f"{path}: {error}") from error
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path}: not an annotated document ({error!r}); expected a file of 'forewarn "
                "annotate pull' or of corpus/source"
            ) from error
    if not documents:
        raise ValueError(f"{folder}: no .json files here; run 'forewarn annotate pull' first")
    return documents


def write_document(folder: Path, document: AnnotatedDocument) -> Path:
    """Write a document under its id.

    :param folder: the folder, made if needed.
    :param document: the document.
    :return: its file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = document_path(folder, document.id)
    write_json(path, document_to_dict(document))
    return path


def document_path(folder: Path, id_: str) -> Path:
    """Name the file of a document.

    :param folder: its folder.
    :param id_: the document's id; what a file name cannot hold is replaced, and a checksum of the
        id then keeps two such names apart.
    :return: the file.
    """
    stem = re.sub(r"[^\w.-]", "_", id_).lstrip(".")
    if stem != id_ or len(stem) > 100:
        stem = f"{stem[:100]}-{hashlib.sha256(id_.encode()).hexdigest()[:8]}"
    return folder / f"{stem}.json"


def pair_documents(
    documents: Iterable[AnnotatedDocument], pair: Sequence[str] | None = None
) -> list[SourceDocument]:
    """Take two annotations of each document, as the comparisons want them.

    :param documents: the documents.
    :param pair: the names of two annotators; the first two of each document if None.
    :return: the documents that both annotated; those without gold have an empty one. Layers that
        were deleted on the server do not count.
    """
    paired = []
    for document in documents:
        layers = [x.annotation for x in document.layers if not x.origin.get(DELETED)]
        if pair is not None:
            by_name = {layer.annotator: layer for layer in layers}
            layers = [by_name[name] for name in pair if name in by_name]
        if len(layers) >= 2:
            paired.append(to_source(document, layers[:2]))
    return paired


def to_source(document: AnnotatedDocument, layers: Sequence[Annotation]) -> SourceDocument:
    """Make a source document of some layers of a document.

    :param document: the document.
    :param layers: the layers.
    :return: the source document; what is not known of it is empty.
    """
    meta: dict[str, Any] = {name: document.meta.get(name, "") for name in META}
    meta["provenance"] = document.meta.get("provenance") or {}
    gold = document.gold or NOT_ADJUDICATED
    return SourceDocument(document.id, document.text, **meta, annotations=tuple(layers), gold=gold)


def with_gold(document: AnnotatedDocument, gold: Gold | None) -> AnnotatedDocument:
    """Put the adjudicated annotation into a document.

    :param document: the document.
    :param gold: the gold.
    :return: the document with it.
    """
    return replace(document, gold=gold)


def _layer_to_dict(layer: Layer) -> dict[str, Any]:
    plain: dict[str, Any] = asdict(layer.annotation)
    for name in ("remarks", "aside", "origin"):
        value = getattr(layer, name)
        if value and value != Remarks():
            plain[name] = asdict(value) if name == "remarks" else value
    if layer.aside:
        plain["aside"] = [asdict(item) for item in layer.aside]
    return plain


def _layer_from_dict(raw: dict[str, Any]) -> Layer:
    return Layer(
        annotation_from_dict(raw),
        Remarks(**raw.get("remarks", {})),
        tuple(Aside(**item) for item in raw.get("aside", ())),
        raw.get("origin", {}),
    )
