"""CoNLL: a token a line, one flat BIO tag, a blank line between sentences.

One tag a token cannot hold spans that overlap, voices, links or remarks. Of overlapping spans the
longest is kept, rhetoric before counter spans before roles; all that is lost is counted.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from forewarn import labels
from forewarn.annotation.layers import Layer
from forewarn.formats.loss import Loss
from forewarn.records import Annotation
from forewarn.rules import Span
from forewarn.sentences import split_sentences

_TOKEN = re.compile(r"\w+|[^\w\s]")
_KINDS = (labels.RHETORIC, labels.COUNTER, labels.ROLES)


def write_conll(path: Path, documents: Iterable[tuple[str, str, Layer]], loss: Loss) -> None:
    """Write documents.

    :param path: the ``.conll`` file.
    :param documents: id, text and layer of each.
    :param loss: where to count what flattening loses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = [_format(id_, text, layer, loss) for id_, text, layer in documents]
    path.write_bytes("".join(parts).encode())


def read_conll(
    path: Path, loss: Loss, *, annotator: str = "conll"
) -> Iterator[tuple[str, str, Layer]]:
    """Read documents: the token in the first column, the tag in the last.

    :param path: the file.
    :param loss: where to count what could not be read.
    :param annotator: the layers' annotator.
    :yields: id, text and layer; without a line ``# text =`` the tokens are joined by spaces.
    :raises ValueError: if a token is not in its text or a tag is not BIO.
    """
    id_, text, tokens = "", "", list[tuple[int, str, str]]()
    lines = path.read_bytes().decode().split("\n")
    n_documents = 0
    for n, line in enumerate([*lines, "# newdoc id = "], 1):
        line = line.rstrip("\r")
        if line.startswith(("# newdoc id = ", "-DOCSTART-")):
            if tokens or id_:
                n_documents += 1
                yield _document(path, id_ or f"{path.stem}-{n_documents}", text, tokens, annotator)
            id_, text, tokens = line.removeprefix("# newdoc id = "), "", []
            id_ = "" if id_.startswith("-DOCSTART-") else id_
        elif line.startswith("# text = "):
            text = json.loads(line.removeprefix("# text = "))
        elif line.strip() and not line.startswith("# "):
            columns = line.split("\t") if "\t" in line else line.split()
            tokens.append((n, columns[0], columns[-1]))


def _format(id_: str, text: str, layer: Layer, loss: Loss) -> str:
    kept = _flatten(text, layer, loss)
    lines = [f"# newdoc id = {id_}", f"# text = {json.dumps(text, ensure_ascii=False)}"]
    for start, end in split_sentences(text):
        for token in _TOKEN.finditer(text, start, end):
            lines.append(f"{token[0]}\t{_tag(kept, token.start(), token.end())}")
        lines.append("")
    return "\n".join(lines) + "\n"


def _flatten(text: str, layer: Layer, loss: Loss) -> list[Span]:
    edges = {e for token in _TOKEN.finditer(text) for e in token.span()}
    kept: list[Span] = []
    for span in sorted(layer.annotation.spans, key=_rank):
        if any(span.start_char < k.end_char and k.start_char < span.end_char for k in kept):
            loss.add("spans that overlap with another")
        else:
            kept.append(span)
            loss.add(
                "spans whose edges fall inside a token",
                not {span.start_char, span.end_char} <= edges,
            )
            loss.add("voices", span.voice is not None)
            loss.add("forms", span.form is not None)
    loss.add("links", len(layer.annotation.relations))
    remarks = layer.remarks
    loss.add("notes and confidences", len(remarks.notes) + len(remarks.confidences))
    loss.add("comments and verdicts", bool(remarks.comment) + remarks.nothing_to_flag)
    return kept


def _rank(span: Span) -> tuple[int, int, int]:
    kind = next(n for n, names in enumerate(_KINDS) if span.label in names)
    return kind, span.start_char - span.end_char, span.start_char


def _tag(kept: list[Span], start: int, end: int) -> str:
    for span in kept:
        if span.start_char < end and start < span.end_char:
            return f"{'B' if start <= span.start_char else 'I'}-{span.label}"
    return "O"


def _document(
    path: Path, id_: str, text: str, tokens: list[tuple[int, str, str]], annotator: str
) -> tuple[str, str, Layer]:
    text = text or " ".join(token for _, token, _ in tokens)
    spans: list[list[object]] = []
    place, previous = 0, "O"
    for n, token, tag in tokens:
        start = text.find(token, place)
        if start < 0:
            raise ValueError(f"{path}, line {n}: token {token!r} is not in the text at {place}")
        place = start + len(token)
        kind, _, label = tag.partition("-")
        if tag != "O" and (kind not in ("B", "I") or not label):
            raise ValueError(f"{path}, line {n}: tag {tag!r}; expected O, B-LABEL or I-LABEL")
        if kind == "B" or (kind == "I" and previous[2:] != label):
            spans.append([label, start, place])
        elif kind == "I":
            spans[-1][2] = place
        previous = tag
    found = tuple(
        Span(f"S{n}", str(label), int(str(a)), int(str(b)), text[int(str(a)) : int(str(b))])
        for n, (label, a, b) in enumerate(spans, 1)
    )
    return id_, text, Layer(Annotation(annotator, "", found, ()))
