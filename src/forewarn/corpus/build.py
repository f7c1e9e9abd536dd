"""Build the corpus that others load from the source files, the same bytes every time."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from forewarn import labels
from forewarn.corpus.checks import Finding, Level, check_corpus
from forewarn.corpus.incidents import read_incidents
from forewarn.corpus.load import SPLITS
from forewarn.jsonl import read_json, write_jsonl
from forewarn.records import Annotation, Gold, SourceDocument, source_from_dict
from forewarn.sentences import split_sentences


class BuildError(ValueError):
    """The corpus has errors; ``findings`` lists them."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(f"{len(findings)} errors; run 'forewarn corpus check' and mend them")
        self.findings = findings


def build_corpus(corpus: Path) -> dict[str, int]:
    """Write the gold, its sentences and every annotator's layer, a file of each for every split.

    :param corpus: the corpus folder.
    :return: how many records each file holds.
    :raises BuildError: if the check finds an error; nothing is written then.
    """
    errors = [f for f in check_corpus(corpus) if f.level is Level.ERROR]
    if errors:
        raise BuildError(errors)
    incidents = read_incidents(corpus)
    documents = [
        source_from_dict(read_json(path)) for path in sorted((corpus / "source").glob("*.json"))
    ]
    data = corpus / "data"
    data.mkdir(exist_ok=True)
    counts = {}
    for split in SPLITS:
        chosen = [d for d in documents if incidents[d.incident]["split"] == split]
        layers = [row for document in chosen for row in _annotation_rows(document)]
        counts[split] = write_jsonl(data / f"{split}.jsonl", map(_gold_row, chosen))
        counts[f"sentences-{split}"] = write_jsonl(
            data / f"sentences-{split}.jsonl", [row for d in chosen for row in _sentence_rows(d)]
        )
        counts[f"annotations-{split}"] = write_jsonl(data / f"annotations-{split}.jsonl", layers)
    return counts


def _gold_row(document: SourceDocument) -> dict[str, Any]:
    return {
        "id": document.id,
        "text": document.text,
        "genre": document.genre,
        "setting": document.setting,
        "incident": document.incident,
        "country": document.country,
        "date": document.date,
        **_layer(document.gold),
    }


def _annotation_rows(document: SourceDocument) -> Iterator[dict[str, Any]]:
    for layer in document.annotations:
        yield {
            "id": document.id,
            "annotator": layer.annotator,
            "guidelines": layer.guidelines,
            "text": document.text,
            **_layer(layer),
        }


def _sentence_rows(document: SourceDocument) -> Iterator[dict[str, Any]]:
    rhetoric = [span for span in document.gold.spans if span.label in labels.RHETORIC]
    for n, (start, end) in enumerate(split_sentences(document.text), 1):
        inside = [s for s in rhetoric if s.start_char < end and start < s.end_char]
        yield {
            "id": f"{document.id}:{n}",
            "document": document.id,
            "start_char": start,
            "end_char": end,
            "text": document.text[start:end],
            "labels": sorted({span.label for span in inside}),
            "voices": sorted({str(span.voice) for span in inside}),
            "mention": bool(inside),
            "use": any(labels.is_use(span.voice) for span in inside),
        }


def _layer(layer: Annotation | Gold) -> dict[str, Any]:
    return {
        "spans": [asdict(span) for span in layer.spans],
        "relations": [asdict(relation) for relation in layer.relations],
    }
