"""WebAnno TSV 3.3, as INCEpTION reads and writes it.

One custom span layer with the features ``label``, ``voice`` and ``form``, and a relation layer on
it. Offsets there count UTF-16 units; tokens are ours, a word or a mark each. A span that begins or
ends inside a token is written on a sub-token, so nothing is lost but remarks and white space that
stands before the first or after the last token.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from forewarn.annotation.layers import Layer
from forewarn.formats.loss import Loss
from forewarn.records import Annotation
from forewarn.rules import Relation, Span

SPAN = "webanno.custom.ForewarnSpan"
RELATION = "webanno.custom.ForewarnRelation"
HEADER = (
    f"#FORMAT=WebAnno TSV 3.3\n#T_SP={SPAN}|form|label|voice\n#T_RL={RELATION}|type|BT_{SPAN}\n\n"
)
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A token or part of one, by its number; offsets are code points."""

    sentence: int
    token: int
    part: int
    start: int
    end: int

    @property
    def id(self) -> str:
        """The number that stands in the first column."""
        return f"{self.sentence}-{self.token}" + (f".{self.part}" if self.part else "")


def write_webanno(path: Path, text: str, layer: Layer, loss: Loss) -> None:
    """Write a document.

    :param path: the ``.tsv`` file.
    :param text: the document's text.
    :param layer: what was annotated.
    :param loss: where to count what the format cannot hold.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(format_webanno(text, layer, loss).encode())


def format_webanno(text: str, layer: Layer, loss: Loss) -> str:
    """Write a document as one string.

    :param text: the document's text.
    :param layer: what was annotated.
    :param loss: where to count what the format cannot hold.
    :return: the file's content.
    """
    remarks = layer.remarks
    loss.add("notes and confidences", len(remarks.notes) + len(remarks.confidences))
    loss.add("comments and verdicts", bool(remarks.comment) + remarks.nothing_to_flag)
    spans = layer.annotation.spans
    numbers = {span.id: n for n, span in enumerate(spans, 1)}
    loss.add("characters of white space between lines", _lost_space(text))
    utf16 = _utf16_offsets(text)
    parts = [HEADER]
    units = list(_units(text, spans))
    first = {s.id: _covered(s, units)[0] for s in spans if _covered(s, units)}
    loss.add("spans without a word", len(spans) - len(first))
    for n, (start, end) in enumerate(_sentences(text), 1):
        parts.append(f"\n#Text={_escape_text(text[start:end])}\n")
        for unit in (u for u in units if u.sentence == n):
            here = [s for s in spans if s.id in first and _covers(s, unit)]
            columns = [
                _column([(s.form, numbers[s.id]) for s in here]),
                _column([(s.label, numbers[s.id]) for s in here]),
                _column([(s.voice, numbers[s.id]) for s in here]),
                *_relation_columns(unit, layer.annotation.relations, first, numbers),
            ]
            place = f"{utf16[unit.start]}-{utf16[unit.end]}"
            parts.append(
                "\t".join((unit.id, place, text[unit.start : unit.end], *columns)) + "\t\n"
            )
    return "".join(parts)


def read_webanno(path: Path, loss: Loss, *, annotator: str = "webanno") -> tuple[str, Layer]:
    """Read a document that has the layer which this module writes.

    :param path: the ``.tsv`` file.
    :param loss: where to list what is not of the scheme.
    :param annotator: the layer's annotator.
    :return: the text and the layer, not yet validated.
    :raises ValueError: if the file is no WebAnno TSV 3 or has no such layer.
    """
    lines = path.read_bytes().decode().split("\n")
    if not lines[0].startswith("#FORMAT=WebAnno TSV 3"):
        raise ValueError(f"{path}: not WebAnno TSV 3; export as 'WebAnno TSV v3.x'")
    layers = [line for line in lines if line.startswith("#T_")]
    features = [f for line in layers for f in line.split("|")[1:]]
    if f"#T_SP={SPAN}|form|label|voice" not in layers:
        raise ValueError(f"{path}: has no layer {SPAN} with form, label and voice; found {layers}")
    text, rows = _read_rows(path, lines, len(features) + 1)
    spans: dict[str, Span] = {}
    relations: list[Relation] = []
    starts: dict[str, list[str]] = {}
    waiting: list[tuple[str, str, str]] = []
    for unit, start, end, columns in rows:
        seen = _read_spans(unit, start, end, columns[:3], text, spans)
        starts.setdefault(unit, []).extend(seen)
        if len(columns) > 4 and columns[3] != "_":
            waiting += [
                (unit, type_, ends)
                for type_, ends in zip(columns[3].split("|"), columns[4].split("|"), strict=True)
            ]
    numbered = {id_.partition("#")[2]: id_ for id_ in spans if "#" in id_}
    for unit, type_, ends in waiting:
        source, governor, dependent = _read_ends(ends)
        head = numbered.get(governor) or _only(starts.get(source, []))
        tail = numbered.get(dependent) or _only(starts.get(unit, []))
        if head is None or tail is None:
            loss.problems.append(f"{path}, {unit}: relation {type_} without an end")
            loss.add("relations without an end")
        else:
            relations.append(Relation(_unescape(type_), head, tail))
    names = {id_: f"S{n}" for n, id_ in enumerate(spans, 1)}
    named = tuple(replace(span, id=names[id_]) for id_, span in spans.items())
    linked = tuple(Relation(r.type, names[r.head], names[r.tail]) for r in relations)
    return text, Layer(Annotation(annotator, "", named, linked))


def _sentences(text: str) -> list[tuple[int, int]]:
    """Cut into lines: TSV wants a sentence to hold no line break inside."""
    return [m.span() for m in re.finditer(r"[^\r\n]+", text) if _TOKEN.search(m[0])]


def _lost_space(text: str) -> int:
    """Count the characters between lines that are read back as other white space, or not at all."""
    lost, last = 0, 0
    for n, (start, end) in enumerate(_sentences(text)):
        kept = " " * (start - last - 1) + "\n" if n and start > last else " " * (start - last)
        lost += sum(a != b for a, b in zip(text[last:start], kept, strict=True))
        last = end
    return lost + len(text) - last


def _units(text: str, spans: tuple[Span, ...]) -> Iterator[_Unit]:
    cuts = {c for s in spans for c in (s.start_char, s.end_char)}
    for n, (start, end) in enumerate(_sentences(text), 1):
        for k, token in enumerate(_TOKEN.finditer(text, start, end), 1):
            inside = sorted(c for c in cuts if token.start() < c < token.end())
            yield _Unit(n, k, 0, token.start(), token.end())
            edges = [token.start(), *inside, token.end()]
            if inside:
                for part, (a, b) in enumerate(itertools.pairwise(edges), 1):
                    yield _Unit(n, k, part, a, b)


def _covers(span: Span, unit: _Unit) -> bool:
    return span.start_char <= unit.start and unit.end <= span.end_char


def _covered(span: Span, units: list[_Unit]) -> list[_Unit]:
    return [u for u in units if _covers(span, u)]


def _column(values: list[tuple[str | None, int]]) -> str:
    return "|".join(f"{_escape(v) if v else '*'}[{n}]" for v, n in values) or "_"


def _relation_columns(
    unit: _Unit,
    relations: tuple[Relation, ...],
    first: dict[str, _Unit],
    numbers: dict[str, int],
) -> tuple[str, str]:
    here = [r for r in relations if r.head in first and first.get(r.tail) == unit]
    types = "|".join(_escape(r.type) for r in here)
    ends = "|".join(f"{first[r.head].id}[{numbers[r.head]}_{numbers[r.tail]}]" for r in here)
    return types or "_", ends or "_"


def _read_rows(
    path: Path, lines: list[str], n_columns: int
) -> tuple[str, list[tuple[str, int, int, list[str]]]]:
    raw = [line.split("\t") for line in lines if re.match(r"\d+-\d+", line)]
    texts = [_unescape_text(line[6:]) for line in lines if line.startswith("#Text=")]
    n_units = max((int(row[1].split("-")[1]) for row in raw), default=0)
    units = [" "] * n_units
    firsts: dict[int, int] = {}
    for row in raw:
        sentence = int(row[0].split("-")[0])
        firsts.setdefault(sentence, int(row[1].split("-")[0]))
    for number, start in sorted(firsts.items()):
        sentence_text = texts[number - 1]
        lead = len(sentence_text) - len(sentence_text.lstrip())
        begin = start - _n16(sentence_text[:lead])
        encoded = sentence_text.encode("utf-16-le")
        for k in range(len(encoded) // 2):
            if 0 <= begin + k < n_units:
                units[begin + k] = encoded[2 * k : 2 * k + 2].decode("utf-16-le", "surrogatepass")
        if number > 1 and begin > 0 and units[begin - 1] == " ":
            units[begin - 1] = "\n"
    text = "".join(units).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    places = {unit: n for n, unit in enumerate(_utf16_offsets(text))}
    rows = []
    for row in raw:
        start, end = (int(x) for x in row[1].split("-"))
        if start not in places or end not in places or len(row) < 3:
            raise ValueError(f"{path}, {row[0]}: offsets {row[1]} do not lie in the text")
        found = text[places[start] : places[end]]
        if found != row[2]:
            raise ValueError(f"{path}, {row[0]}: says {row[2]!r}, the text has {found!r}")
        rows.append((row[0], places[start], places[end], row[3:]))
    return text, rows


def _read_spans(
    unit: str, start: int, end: int, columns: list[str], text: str, spans: dict[str, Span]
) -> list[str]:
    if len(columns) < 3 or columns[1] == "_":
        return []
    seen = []
    for form, label, voice in zip(*(column.split("|") for column in columns), strict=True):
        value, _, number = label.partition("[")
        id_ = f"#{number[:-1]}" if number else f"{unit}:{value}"
        seen.append(id_)
        old = spans.get(id_)
        begin = min(start, old.start_char) if old else start
        stop = max(end, old.end_char) if old else end
        plain = [
            None if v.startswith("*") else _unescape(v.partition("[")[0]) for v in (voice, form)
        ]
        spans[id_] = Span(id_, _unescape(value), begin, stop, text[begin:stop], *plain)
    return seen


def _read_ends(ends: str) -> tuple[str, str, str]:
    match = re.fullmatch(r"([\d.-]+)(?:\[(\d+)_(\d+)\])?", ends)
    if match is None:
        raise ValueError(f"relation {ends!r} is not of WebAnno TSV")
    return match[1], match[2] or "", match[3] or ""


def _only(ids: list[str]) -> str | None:
    return ids[0] if len(ids) == 1 else None


def _utf16_offsets(text: str) -> list[int]:
    offsets, n = [], 0
    for character in text:
        offsets.append(n)
        n += _n16(character)
    return [*offsets, n]


def _n16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _escape(value: str) -> str:
    return re.sub(r"([\\\[\]|_;*>])", r"\\\1", value)


def _unescape(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value)


def _escape_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t")


def _unescape_text(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\t" if m[1] == "t" else m[1], text.rstrip("\r"))
