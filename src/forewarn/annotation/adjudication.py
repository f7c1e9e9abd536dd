"""From two independent annotations to one gold: differences, a third person's decisions, the merge.

What both annotators marked alike is gold. Every difference gets a number on a sheet; the
adjudicator answers each with a line ``NUMBER A|B|both|none | rule``, or ``NUMBER own | rule``
followed by lines of notation that begin with ``+``. A line ``fix ID voice=VOICE | rule`` or
``fix ID drop | rule`` mends what both annotators read alike but against the guidelines, or what was
taken from a difference decided before it. Nothing is dropped in silence: a link of a ``+`` line
that has no end is a problem, one of a reading taken whole is recorded as a decision.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from forewarn import labels
from forewarn.annotation import notation
from forewarn.matching import match_spans
from forewarn.records import Annotation, Decision, Gold
from forewarn.rules import Relation, Span

_DECISION = re.compile(r"^(\d+) (A|B|both|none|own)\b(?: \| (.*))?$")
_FIX = re.compile(r"^fix (\w+) (?:voice=(?P<voice>\w+)|drop)(?: \| (?P<rule>.*))?$")
_DANGLING = "[dangling-relation]"
_Link = tuple[str, str, str | tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Reading:
    """A span as one annotator read it, with what it is linked to, free of that annotator's ids."""

    key: str
    span: Span
    speakers: frozenset[tuple[int, int]]
    targets: frozenset[tuple[int, int]]
    answers: frozenset[str]

    def same(self, other: "Reading") -> bool:
        """Tell whether two annotators read a span alike.

        :param other: the other annotator's reading.
        :return: True if only the ids differ.
        """
        return (
            replace(self.span, id="") == replace(other.span, id="")
            and self.speakers == other.speakers
            and self.targets == other.targets
            and self.answers == other.answers
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """What A and B read differently; one of them is None where only the other marked something."""

    a: Reading | None
    b: Reading | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two annotators agree on, and their numbered differences."""

    agreed: tuple[Reading, ...]
    differences: tuple[Difference, ...]


def compare(a: Annotation, b: Annotation) -> Comparison:
    """Compare two annotations of one document.

    :param a: one annotator's.
    :param b: the other's.
    :return: what is alike and what is not, in text order.
    """
    spans_a = [s for s in a.spans if s.label not in labels.ROLES]
    spans_b = [s for s in b.spans if s.label not in labels.ROLES]
    pairs = _pairs(spans_a, spans_b)
    names = {f"a{spans_a[i].id}": f"a{spans_a[i].id}" for i in range(len(spans_a))}
    names |= {f"b{spans_b[j].id}": f"a{spans_a[i].id}" for i, j in pairs}
    readings_a = {i: _reading("a", a, s, names) for i, s in enumerate(spans_a)}
    readings_b = {j: _reading("b", b, s, names) for j, s in enumerate(spans_b)}
    agreed = [readings_a[i] for i, j in pairs if readings_a[i].same(readings_b[j])]
    differences = [
        Difference(readings_a[i], readings_b[j])
        for i, j in pairs
        if not readings_a[i].same(readings_b[j])
    ]
    paired_a, paired_b = {i for i, _ in pairs}, {j for _, j in pairs}
    differences += [Difference(r, None) for i, r in readings_a.items() if i not in paired_a]
    differences += [Difference(None, r) for j, r in readings_b.items() if j not in paired_b]
    return Comparison(
        tuple(sorted(agreed, key=_start)),
        tuple(sorted(differences, key=lambda d: _start(d.a or d.b))),
    )


def format_sheet(id_: str, text: str, comparison: Comparison) -> str:
    """Write the adjudicator's sheet of one document.

    :param id_: the document's id.
    :param text: its text.
    :param comparison: the annotators' comparison.
    :return: the text, what was agreed, and the numbered differences.
    """
    lines = [f"=== {id_}", text, "--- agreed"]
    lines += [_describe(text, reading) for reading in comparison.agreed]
    lines.append("--- differences")
    for n, difference in enumerate(comparison.differences, 1):
        for who, reading in (("A", difference.a), ("B", difference.b)):
            said = "(not marked)" if reading is None else _describe(text, reading)
            lines.append(f"{n} {who}: {said}")
    return "\n".join(lines) + "\n"


def merge(
    text: str, comparison: Comparison, lines: Sequence[str], *, adjudicator: str, guidelines: str
) -> tuple[Gold, list[str]]:
    """Build the gold of one document from the comparison and the adjudicator's decisions.

    :param text: the document's text.
    :param comparison: the annotators' comparison.
    :param lines: the decisions, one line a difference, with lines of notation after ``own``.
    :param adjudicator: who decided.
    :param guidelines: version of the guidelines.
    :return: the gold, and what is wrong with the decisions; the gold counts only if nothing is.
    """
    desk = _Desk(comparison)
    for line in lines:
        desk.read(line)
    problems = desk.problems
    problems += [f"difference {number} is not decided" for number in sorted(desk.open_numbers)]
    extra = notation.parse(text, desk.own) if desk.own else notation.Parsed((), (), ())
    problems += [problem for problem in extra.problems if not problem.endswith(_DANGLING)]
    spans = {key: reading.span for key, reading in desk.chosen.items()}
    spans |= {f"own{s.id}": s for s in extra.spans if s.label not in labels.ROLES}
    answers, dropped = _answers(desk, spans)
    own_links, unresolved = _own_links(desk, spans, extra)
    problems += unresolved
    links = [*_role_links(desk.chosen), *answers, *own_links]
    decisions = (*desk.decisions, *dropped)
    return Gold(adjudicator, guidelines, *_numbered(text, spans, links), decisions), problems


class _Desk:
    """What the adjudicator's lines have settled so far in one document."""

    def __init__(self, comparison: Comparison) -> None:
        self.differences = comparison.differences
        self.known = {reading.key: reading for reading in comparison.agreed}
        self.known |= {r.key: r for d in comparison.differences for r in (d.a, d.b) if r}
        self.chosen = {reading.key: reading for reading in comparison.agreed}
        self.aliases = {reading.key: reading.key for reading in comparison.agreed}
        self.agreed = frozenset(self.chosen)
        self.open_numbers = set(range(1, len(comparison.differences) + 1))
        self.decisions: list[Decision] = []
        self.problems: list[str] = []
        self.own: list[str] = []
        self._owning = False
        self._replaced: tuple[str, ...] = ()

    def read(self, line: str) -> None:
        """Take in one line of decisions.

        :param line: a decision, a fix or a line of notation.
        """
        if line.startswith("+"):
            self._add(line)
        elif fix := _FIX.match(line):
            self._mend(line, fix)
        else:
            self._decide(line)

    def _add(self, line: str) -> None:
        if not self._owning:
            self.problems.append(f"{line!r}: no line 'NUMBER own' before it")
        self.own.append(line[1:].strip())
        self.aliases |= dict.fromkeys(self._replaced, f"own{self.own[-1].split(' |')[0]}")
        self._replaced = self._replaced if _is_role(line) else ()

    def _mend(self, line: str, fix: re.Match[str]) -> None:
        key = self.aliases.get(fix[1], fix[1])
        if key not in self.chosen:
            self.problems.append(f"{line!r}: not the id of a span agreed on or decided before")
            return
        reading, voice = self.chosen[key], fix["voice"]
        if voice is None:
            del self.chosen[key]
        else:
            self.chosen[key] = replace(reading, span=replace(reading.span, voice=voice))
        who = "A and B" if key in self.agreed else key[0].upper()
        outcome = "none" if voice is None else f"voice {voice}"
        self.decisions.append(Decision(f"{who}: {_say(reading)}", outcome, fix["rule"] or ""))

    def _decide(self, line: str) -> None:
        match = _DECISION.match(line)
        number = int(match[1]) if match else 0
        if match is None or number not in self.open_numbers:
            self.problems.append(f"{line!r}: not a decision on an open difference")
            return
        self.open_numbers.remove(number)
        difference, outcome = self.differences[number - 1], match[2]
        self._owning = outcome == "own"
        self._replaced = _keys(difference) if self._owning else ()
        taken = _take(difference, outcome)
        if taken is None:
            self.problems.append(
                f"{line!r}: that annotator marked nothing here; say A, B, none or own"
            )
            return
        self.chosen |= {reading.key: reading for reading in taken}
        self.aliases |= _aliases(difference, taken)
        self.decisions.append(Decision(_about(difference), outcome, match[3] or ""))


def _pairs(a: list[Span], b: list[Span]) -> list[tuple[int, int]]:
    pairs = match_spans(a, b, least=1e-9)
    left = [i for i in range(len(a)) if i not in {i for i, _ in pairs}]
    right = [j for j in range(len(b)) if j not in {j for _, j in pairs}]
    relabelled = match_spans(
        [replace(a[i], label="") for i in left], [replace(b[j], label="") for j in right], least=0.5
    )
    return pairs + [(left[i], right[j]) for i, j in relabelled]


def _reading(who: str, layer: Annotation, span: Span, names: dict[str, str]) -> Reading:
    by_id = {s.id: s for s in layer.spans}

    def ends(type_: str) -> list[Span]:
        return [by_id[r.tail] for r in layer.relations if (r.type, r.head) == (type_, span.id)]

    return Reading(
        f"{who}{span.id}",
        span,
        frozenset((s.start_char, s.end_char) for s in ends(labels.SPOKEN_BY)),
        frozenset((s.start_char, s.end_char) for s in ends(labels.TARGETS)),
        frozenset(names.get(f"{who}{s.id}", f"{who}{s.id}") for s in ends(labels.RESPONDS_TO)),
    )


def _start(reading: Reading | None) -> tuple[int, int, str]:
    assert reading is not None
    return reading.span.start_char, reading.span.end_char, reading.span.label


def _describe(text: str, reading: Reading) -> str:
    span = reading.span
    label = f"{span.label}/{span.form}" if span.form else span.label
    left, right = max(0, span.start_char - 25), span.end_char + 25
    around = f"{text[left : span.start_char]}⟦{span.text}⟧{text[span.end_char : right]}"
    parts = [f"{reading.key} {label}", span.voice or "-", " ".join(around.split())]
    for name, ends in (("by", reading.speakers), ("at", reading.targets)):
        if ends:
            parts.append(name + " " + ", ".join(f"⟦{text[s:e]}⟧@{s}" for s, e in sorted(ends)))
    if reading.answers:
        parts.append("re " + ", ".join(sorted(reading.answers)))
    return " | ".join(parts)


def _say(reading: Reading | None) -> str:
    if reading is None:
        return "nothing"
    return f"{reading.span.label} {reading.span.voice or ''} {reading.span.text!r}"


def _about(difference: Difference) -> str:
    return f"A: {_say(difference.a)}; B: {_say(difference.b)}"


def _take(difference: Difference, outcome: str) -> list[Reading] | None:
    if outcome in ("none", "own"):
        return []
    wanted = {"A": [difference.a], "B": [difference.b], "both": [difference.a, difference.b]}
    taken = wanted[outcome]
    return None if None in taken else [reading for reading in taken if reading is not None]


def _aliases(difference: Difference, taken: list[Reading]) -> dict[str, str]:
    if not taken:
        return {}
    keys = _keys(difference)
    return {key: key if key in {r.key for r in taken} else taken[0].key for key in keys}


def _is_role(line: str) -> bool:
    return any(f"| {role} |" in line for role in labels.ROLES)


def _keys(difference: Difference) -> tuple[str, ...]:
    return tuple(r.key for r in (difference.a, difference.b) if r is not None)


def _role_links(chosen: dict[str, Reading]) -> Iterator[_Link]:
    for key, reading in chosen.items():
        yield from ((labels.SPOKEN_BY, key, end) for end in sorted(reading.speakers))
        yield from ((labels.TARGETS, key, end) for end in sorted(reading.targets))


def _answers(desk: _Desk, spans: dict[str, Span]) -> tuple[list[_Link], list[Decision]]:
    """Link the readings taken whole to what they answer; record each link that has lost its end."""
    links: list[_Link] = []
    dropped: list[Decision] = []
    for key, reading in desk.chosen.items():
        for answer in sorted(reading.answers):
            tail = desk.aliases.get(answer, answer)
            if tail in spans and _allowed(labels.RESPONDS_TO, reading.span, spans[tail]):
                links.append((labels.RESPONDS_TO, key, tail))
            else:
                lost = f"{_say(reading)} {labels.RESPONDS_TO} {_say(desk.known.get(answer))}"
                dropped.append(Decision(lost, "link dropped", "what it answered was decided away"))
    return links, dropped


def _own_links(
    desk: _Desk, spans: dict[str, Span], extra: notation.Parsed
) -> tuple[list[_Link], list[str]]:
    """Link the lines with ``+`` to one another and to the sheet; list the links without an end."""
    own = {s.id: s for s in extra.spans}
    links: list[_Link] = []
    problems: list[str] = []
    for relation in extra.relations:
        head, tail = f"own{relation.head}", relation.tail
        if tail not in own:
            if problem := _sheet_problem(desk, spans, relation, own[relation.head]):
                problems.append(problem)
            else:
                links.append((relation.type, head, desk.aliases[tail]))
        elif own[tail].label in labels.ROLES:
            links.append((relation.type, head, (own[tail].start_char, own[tail].end_char)))
        else:
            links.append((relation.type, head, f"own{tail}"))
    return links, problems


def _sheet_problem(
    desk: _Desk, spans: dict[str, Span], relation: Relation, head: Span
) -> str | None:
    """Say why a line with ``+`` cannot be linked to an id of the sheet, if it cannot."""
    link = f"+ {relation.head}: {relation.type} {relation.tail!r}"
    if relation.tail not in desk.known:
        return f"{link}: neither a line with + nor an id of the sheet"
    key = desk.aliases.get(relation.tail, relation.tail)
    if key not in spans:
        return f"{link}: that span was decided away"
    if not _allowed(relation.type, head, spans[key]):
        return f"{link}: may not go from {head.label} to {spans[key].label}"
    return None


def _numbered(
    text: str, spans: dict[str, Span], links: list[_Link]
) -> tuple[tuple[Span, ...], tuple[Relation, ...]]:
    roles = {labels.SPOKEN_BY: labels.SPEAKER, labels.TARGETS: labels.TARGET}
    places = {
        role: _longest(
            [end for t, _, end in links if roles.get(t) == role and isinstance(end, tuple)]
        )
        for role in labels.ROLES
    }
    named = dict(spans)
    for role, stretches in places.items():
        for start, end in set(stretches.values()):
            named[f"{role}{start}"] = Span("", role, start, end, text[start:end])
    ordered = sorted(named, key=lambda k: (named[k].start_char, named[k].end_char, named[k].label))
    ids = dict(zip(ordered, _ids([named[key] for key in ordered]), strict=True))
    relations = set()
    for type_, head, tail in links:
        if isinstance(tail, tuple):
            tail = f"{roles[type_]}{places[roles[type_]][tail][0]}"
        if head in ids and tail in ids and _allowed(type_, named[head], named[tail]):
            relations.add(Relation(type_, ids[head], ids[tail]))
    order = {id_: n for n, id_ in enumerate(ids.values())}
    return (
        tuple(replace(named[key], id=ids[key]) for key in ordered),
        tuple(sorted(relations, key=lambda r: (order[r.head], r.type, order[r.tail]))),
    )


def _allowed(type_: str, head: Span, tail: Span) -> bool:
    if not {head.label, tail.label} <= labels.BY_NAME.keys():
        return False
    relation = labels.RELATION_BY_NAME[type_]
    return labels.kind_of(head.label) in relation.head_kinds and tail.label in relation.tail


def _longest(stretches: list[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, int]]:
    """Map each stretch to the longest of those that overlap with it."""
    kept: list[tuple[int, int]] = []
    for stretch in sorted(set(stretches), key=lambda s: (s[0] - s[1], s)):
        if all(stretch[1] <= start or end <= stretch[0] for start, end in kept):
            kept.append(stretch)
    return {s: next(k for k in kept if s[0] < k[1] and k[0] < s[1]) for s in set(stretches)}


def _ids(spans: list[Span]) -> Iterator[str]:
    prefix = {labels.SPEAKER: "S", labels.TARGET: "T"}
    counts: dict[str, int] = {}
    for span in spans:
        letter = prefix.get(span.label) or ("R" if span.label in labels.RHETORIC else "C")
        counts[letter] = counts.get(letter, 0) + 1
        yield f"{letter}{counts[letter]}"
