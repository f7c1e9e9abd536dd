"""A plain-text notation for annotating without an interface.

One line a span; the span stands in double brackets within as much context as makes it unique::

    === kestria-01
    S1 | SPEAKER | - | ⟦President Saldan⟧ said
    T1 | TARGET | - | the ⟦marchers⟧ in Koldau
    R1 | DEHUMANISING_LABEL/animal | quoted | called the marchers "⟦rats⟧" | by S1 | at T1
    C1 | CONDEMNATION | - | ⟦an incitement to murder⟧, the Bureau said | by S2 | re R1

White space in a snippet matches any run of white space in the text. A document without spans has
the line ``none``. Lines that begin with ``#`` are comments.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forewarn import labels, rules
from forewarn.rules import Relation, Span

OPEN, CLOSE = "⟦", "⟧"

_HEADER = re.compile(r"^=== (\S+)")
_LINE = re.compile(
    r"^(?P<id>\w+) \| (?P<label>[A-Z_]+)(?:/(?P<form>\w+))? \| (?P<voice>\w+|-) \| (?P<snippet>.*?)"
    r"(?: \| by (?P<by>[\w, ]+))?(?: \| at (?P<at>[\w, ]+))?(?: \| re (?P<re>[\w, ]+))?\s*$"
)
_LINKS = {"by": labels.SPOKEN_BY, "at": labels.TARGETS, "re": labels.RESPONDS_TO}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a block of notation says of one document, and what could not be understood."""

    spans: tuple[Span, ...]
    relations: tuple[Relation, ...]
    problems: tuple[str, ...]


def split_blocks(content: str) -> Iterator[tuple[str, list[str]]]:
    """Split a notation file into its documents.

    :param content: the file's content.
    :yields: the document's id and its lines, in file order; lines before the first header come
        first, under the empty id.
    """
    id_ = ""
    lines: list[str] = []
    for line in content.splitlines():
        if header := _HEADER.match(line):
            if id_ or lines:
                yield id_, lines
            id_, lines = header[1], []
        elif line.strip() and not line.startswith("#"):
            lines.append(line.strip())
    if id_ or lines:
        yield id_, lines


def read_blocks(path: Path) -> tuple[dict[str, list[str]], list[str]]:
    """Read a file of blocks, each of which must belong to one document.

    :param path: a file of notation or of decisions.
    :return: the lines of every document by its id, and what is wrong with the blocks: lines before
        the first header, and ids with several blocks, of which only the first is returned.
    """
    blocks: dict[str, list[str]] = {}
    repeated: Counter[str] = Counter()
    for id_, lines in split_blocks(path.read_text(encoding="utf-8")):
        repeated[id_] += 1
        blocks.setdefault(id_, lines)
    before = blocks.pop("", [])
    problems = [f"{path}: lines before the first === header, from {before[0]!r}"] if before else []
    problems += [f"{path}, {id_}: {n} blocks with this id" for id_, n in repeated.items() if n > 1]
    return blocks, problems


def parse(text: str, lines: list[str]) -> Parsed:
    """Turn the lines of one document into spans and relations.

    :param text: the document's text.
    :param lines: its notation lines.
    :return: all that was understood; every problem names its line, none is repaired.
    """
    spans: list[Span] = []
    relations: list[Relation] = []
    problems: list[str] = []
    if not lines:
        problems.append("no lines: write 'none' for a document without spans")
    for line in lines:
        if line == "none":
            continue
        try:
            span, links = parse_line(text, line)
        except ValueError as error:
            problems.append(f"{line}\n    {error}")
            continue
        spans.append(span)
        relations.extend(links)
    problems += [
        f"{problem.message} [{problem.rule}]"
        for problem in rules.iter_problems(text, spans, relations)
    ]
    return Parsed(tuple(spans), tuple(relations), tuple(problems))


def parse_line(text: str, line: str) -> tuple[Span, list[Relation]]:
    """Read one line of notation.

    :param text: the document's text.
    :param line: the line.
    :return: the span and the relations that go out from it.
    :raises ValueError: if the line has not the right form or its snippet is not found just once.
    """
    match = _LINE.match(line)
    if match is None:
        raise ValueError("expected: ID | LABEL[/form] | voice or - | …⟦span⟧… [| by …] [| at …]")
    start_char, end_char = find_snippet(text, match["snippet"])
    voice = None if match["voice"] == "-" else match["voice"]
    span = Span(
        match["id"],
        match["label"],
        start_char,
        end_char,
        text[start_char:end_char],
        voice,
        match["form"],
    )
    links = [
        Relation(type_, span.id, tail.strip())
        for key, type_ in _LINKS.items()
        for tail in (match[key] or "").split(",")
        if tail.strip()
    ]
    return span, links


def find_snippet(text: str, snippet: str) -> tuple[int, int]:
    """Locate the bracketed part of a snippet.

    :param text: the document's text.
    :param snippet: a stretch of it with the span in double brackets.
    :return: half-open code point offsets of the span.
    :raises ValueError: if the brackets are missing or the snippet does not occur exactly once.
    """
    before, opened, rest = snippet.partition(OPEN)
    inside, closed, after = rest.partition(CLOSE)
    if not (opened and closed and inside.strip()):
        raise ValueError(f"mark the span with {OPEN}…{CLOSE}")
    lead = len(inside) - len(inside.lstrip())
    before, inside = before + inside[:lead], inside[lead:]
    tail = inside[len(inside.rstrip()) :]
    inside, after = inside.rstrip(), tail + after
    pattern = re.compile(f"(?={_loose(before)}({_loose(inside)}){_loose(after)})")
    found = {match.span(1) for match in pattern.finditer(text)}
    if len(found) != 1:
        remedy = "copy it exactly from the text" if not found else "add context around the brackets"
        raise ValueError(f"the snippet occurs {len(found)} times, not once: {remedy}")
    return found.pop()


def _loose(part: str) -> str:
    pieces = [re.escape(piece) for piece in part.split()]
    if not pieces:
        return r"\s+" if part else ""
    lead = r"\s+" if part[0].isspace() else ""
    trail = r"\s+" if part[-1].isspace() else ""
    return lead + r"\s+".join(pieces) + trail
