"""A round of annotation as a folder: texts, two annotators' notation, a sheet, decisions.

``documents.jsonl`` holds the texts and what is known of them; ``a.ann`` and ``b.ann`` the notation;
``round.json`` the names of annotators and adjudicator and the version of the guidelines, for all
of them or for each (``a_guidelines``, ``b_guidelines``, ``adjudication_guidelines``).
``sheet.txt`` is written for the adjudicator, who answers in ``decisions.txt``.
"""

from pathlib import Path
from typing import Any

from forewarn import rules
from forewarn.annotation import adjudication, notation
from forewarn.jsonl import read_json, read_jsonl, write_json
from forewarn.records import Annotation, SourceDocument, source_to_dict

DOCUMENTS, SHEET, DECISIONS, ROUND = "documents.jsonl", "sheet.txt", "decisions.txt", "round.json"


def write_sheet(folder: Path) -> tuple[int, int]:
    """Compare the round's two annotations and write the sheet of differences.

    :param folder: the round's folder.
    :return: how many spans agree, how many differences there are.
    :raises ValueError: if a line of notation cannot be resolved; the message lists all of them.
    """
    about = read_json(folder / ROUND)
    layers = [read_layer(folder, who, about) for who in ("a", "b")]
    sheets, agreed, differences = [], 0, 0
    for document in read_jsonl(folder / DOCUMENTS):
        comparison = adjudication.compare(*(layer[document["id"]] for layer in layers))
        agreed += len(comparison.agreed)
        differences += len(comparison.differences)
        if comparison.differences:
            sheets.append(adjudication.format_sheet(document["id"], document["text"], comparison))
    (folder / SHEET).write_text("".join(sheets), encoding="utf-8")
    return agreed, differences


def read_layer(folder: Path, who: str, about: dict[str, Any]) -> dict[str, Annotation]:
    """Read one annotator's notation of a whole round.

    :param folder: the round's folder.
    :param who: ``a`` or ``b``.
    :param about: the content of ``round.json``.
    :return: the annotation of every document, by its id.
    :raises ValueError: if a document has no block or several, or a line cannot be resolved or
        stands before the first block.
    """
    path = folder / f"{who}.ann"
    blocks, problems = notation.read_blocks(path)
    guidelines = _guidelines(about, who)
    layer: dict[str, Annotation] = {}
    for document in read_jsonl(folder / DOCUMENTS):
        id_ = document["id"]
        parsed = notation.parse(document["text"], blocks.pop(id_, []))
        problems += [f"{path}, {id_}: {problem}" for problem in parsed.problems]
        layer[id_] = Annotation(about[who], guidelines, parsed.spans, parsed.relations)
    problems += [f"{path}, {id_}: not a document of this round" for id_ in blocks]
    if problems:
        raise ValueError("\n".join(problems))
    return layer


def merge_round(folder: Path, source: Path) -> int:
    """Write the source file of every document of a round.

    :param folder: the round's folder, with the decisions.
    :param source: the folder of source files.
    :return: how many documents were written.
    :raises ValueError: if a difference is undecided, a decision breaks a rule, or a document has
        several blocks of decisions; the message lists all of them and nothing is written.
    """
    about = read_json(folder / ROUND)
    a, b = (read_layer(folder, who, about) for who in ("a", "b"))
    decisions, problems = notation.read_blocks(folder / DECISIONS)
    merged: list[SourceDocument] = []
    for raw in read_jsonl(folder / DOCUMENTS):
        id_, text = raw["id"], raw["text"]
        gold, wrong = adjudication.merge(
            text,
            adjudication.compare(a[id_], b[id_]),
            decisions.pop(id_, []),
            adjudicator=about["adjudicator"],
            guidelines=_guidelines(about, "adjudication"),
        )
        wrong += [p.message for p in rules.iter_problems(text, gold.spans, gold.relations)]
        problems += [f"{folder / DECISIONS}, {id_}: {problem}" for problem in wrong]
        if not wrong:
            merged.append(SourceDocument(**raw, annotations=(a[id_], b[id_]), gold=gold))
    problems += [f"{folder / DECISIONS}, {id_}: not a document of this round" for id_ in decisions]
    if problems:
        raise ValueError("\n".join(problems))
    for document in merged:
        write_json(source / f"{document.id}.json", source_to_dict(document))
    return len(merged)


def _guidelines(about: dict[str, Any], step: str) -> str:
    version: str = about.get(f"{step}_guidelines", about["guidelines"])
    return version
