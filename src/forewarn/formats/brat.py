"""brat standoff: ``.txt`` and ``.ann`` beside each other.

Spans are text-bound annotations, voice and form attributes, relations relations, and notes notes of
the annotator. brat counts code points, as we do. A span over a line break is written in pieces, as
brat wants it, and joined again when read.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from forewarn import labels
from forewarn.annotation.layers import Layer, Remarks
from forewarn.formats.loss import Loss
from forewarn.records import Annotation
from forewarn.rules import Relation, Span

VOICE, FORM, CONFIDENCE, NOTE = "Voice", "Form", "Confidence", "AnnotatorNotes"


def write_brat(folder: Path, stem: str, text: str, layer: Layer, loss: Loss) -> None:
    """Write a document.

    :param folder: the folder, made if needed.
    :param stem: the files' name without suffix.
    :param text: the document's text.
    :param layer: what was annotated.
    :param loss: where to count what brat cannot hold.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.txt").write_bytes(text.encode())
    lines = list(_lines(text, layer, loss))
    (folder / f"{stem}.ann").write_bytes("".join(f"{line}\n" for line in lines).encode())


def read_brat(path: Path, loss: Loss, *, annotator: str = "brat") -> tuple[str, Layer]:
    """Read a document.

    :param path: its ``.ann`` file; the ``.txt`` file lies beside it.
    :param loss: where to list lines that are not of the scheme.
    :param annotator: the layer's annotator.
    :return: the text and the layer, not yet validated.
    :raises ValueError: if the text is missing or a line cannot be understood.
    """
    source = path.with_suffix(".txt")
    if not source.is_file():
        raise ValueError(f"{source}: is missing; brat keeps a text beside every .ann")
    text = source.read_bytes().decode()
    spans: dict[str, Span] = {}
    relations: list[Relation] = []
    attributes: dict[tuple[str, str], str] = {}
    for n, line in enumerate(path.read_bytes().decode().split("\n"), 1):
        try:
            _read_line(line.rstrip("\r"), text, spans, relations, attributes, loss, f"{path}:{n}")
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path}, line {n}: not of brat's standoff ({error})") from error
    named = {
        id_: Span(
            id_,
            s.label,
            s.start_char,
            s.end_char,
            s.text,
            attributes.get((id_, VOICE)),
            attributes.get((id_, FORM)),
        )
        for id_, s in spans.items()
    }
    said = {n: {k[0]: v for k, v in attributes.items() if k[1] == n} for n in (NOTE, CONFIDENCE)}
    remarks = Remarks(said[NOTE], said[CONFIDENCE])
    return text, Layer(Annotation(annotator, "", tuple(named.values()), tuple(relations)), remarks)


def format_configuration() -> str:
    """Write the ``annotation.conf`` with which brat shows the scheme.

    :return: the file's content.
    """
    heads = {
        r.name: [x.name for x in labels.LABELS if x.kind in r.head_kinds] for r in labels.RELATIONS
    }
    lines = ["[entities]", *labels.BY_NAME, "", "[relations]"]
    for r in labels.RELATIONS:
        lines.append(f"{r.name}\tArg1:{'|'.join(heads[r.name])}, Arg2:{'|'.join(sorted(r.tail))}")
    lines += ["<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>", "", "[events]", ""]
    lines += ["[attributes]", f"{VOICE}\tArg:{'|'.join(labels.RHETORIC)}, Value:"]
    lines[-1] += "|".join(labels.VOICES)
    lines.append(f"{FORM}\tArg:{labels.DEHUMANISING_LABEL}, Value:{'|'.join(labels.FORMS)}")
    return "\n".join(lines) + "\n"


def _lines(text: str, layer: Layer, loss: Loss) -> Iterator[str]:
    ids = {span.id: f"T{n}" for n, span in enumerate(layer.annotation.spans, 1)}
    remarks, n_attributes, n_notes = layer.remarks, 0, 0
    for span in layer.annotation.spans:
        pieces = " ".join(";".join(f"{s} {e}" for s, e in _pieces(text, span)).split("\n"))
        words = re.sub(r"[\r\n\t]+", " ", span.text)
        yield f"{ids[span.id]}\t{span.label} {pieces}\t{words}"
        confidence = remarks.confidences.get(span.id)
        for name, value in ((VOICE, span.voice), (FORM, span.form), (CONFIDENCE, confidence)):
            if value is not None:
                n_attributes += 1
                yield f"A{n_attributes}\t{name} {ids[span.id]} {value}"
        if note := remarks.notes.get(span.id):
            n_notes += 1
            loss.add("line breaks in notes", note.count("\n"))
            yield f"#{n_notes}\t{NOTE} {ids[span.id]}\t{' '.join(note.split())}"
    for n, relation in enumerate(layer.annotation.relations, 1):
        ends = f"Arg1:{ids[relation.head]} Arg2:{ids[relation.tail]}"
        yield f"R{n}\t{relation.type} {ends}"
    loss.add("comments on documents", bool(remarks.comment))
    loss.add("verdicts on documents", remarks.nothing_to_flag)


def _pieces(text: str, span: Span) -> Iterator[tuple[int, int]]:
    for piece in re.finditer(r"[^\r\n]+", span.text):
        yield span.start_char + piece.start(), span.start_char + piece.end()


def _read_line(
    line: str,
    text: str,
    spans: dict[str, Span],
    relations: list[Relation],
    attributes: dict[tuple[str, str], str],
    loss: Loss,
    place: str,
) -> None:
    if not line.strip():
        return
    id_, _, rest = line.partition("\t")
    if id_[0] == "T":
        head, _, words = rest.partition("\t")
        label, _, pieces = head.partition(" ")
        offsets = [int(x) for x in re.findall(r"\d+", pieces)]
        start, end = offsets[0], offsets[-1]
        if "".join(text[start:end].split()) != "".join(words.split()):
            loss.problems.append(f"{place}: says {words!r}, the text has {text[start:end]!r}")
            loss.add("spans whose words are not in the text")
            return
        spans[id_] = Span(id_, label, start, end, text[start:end])
    elif id_[0] in "AM":
        name, target, value = rest.split(" ", 2)
        attributes[target, name] = value
    elif id_[0] == "R":
        name, head, tail = rest.split(" ")[:3]
        relations.append(Relation(name, head.partition(":")[2], tail.partition(":")[2]))
    elif id_[0] == "#":
        head, _, note = rest.partition("\t")
        name, target = head.split(" ", 1)
        attributes[target, name] = note
    else:
        loss.problems.append(f"{place}: {id_} is neither span, attribute, relation nor note")
        loss.add("annotations of kinds that the scheme has not")
