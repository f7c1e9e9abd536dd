"""The challenge suite: minimal pairs that show what a model can tell apart and what not.

In the spirit of HateCheck (Röttger et al. 2021) and CheckList (Ribeiro et al. 2020): each case has
one right answer, and the cases of a group differ in one thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forewarn import labels
from forewarn.jsonl import read_jsonl
from forewarn.predictions import Prediction


@dataclass(frozen=True, slots=True)
class Case:
    """One case. ``label`` is None where nothing may be flagged.

    ``start_char`` and ``end_char`` are half-open code point offsets of the passage; ``voice`` and
    ``form`` are as in the corpus.
    """

    id: str
    function: str
    group: str
    text: str
    label: str | None
    form: str | None
    voice: str | None
    start_char: int | None
    end_char: int | None


def read_cases(path: Path) -> list[Case]:
    """Read a challenge suite.

    :param path: a .jsonl file, one case a line.
    :return: the cases.
    :raises ValueError: if a case has not the right fields or values; the message names it.
    """
    cases = []
    for n, raw in enumerate(read_jsonl(path), 1):
        try:
            case = Case(**raw)
        except TypeError as error:
            raise ValueError(f"{path}, case {n}: wrong fields: {error}") from error
        _check(path, case)
        cases.append(case)
    if not cases:
        raise ValueError(f"{path}: no cases")
    return cases


def is_right(case: Case, prediction: Prediction) -> bool:
    """Tell whether a model answers a case rightly.

    A case without a label wants no rhetoric span at all. One with a label wants a span of that
    label that overlaps the passage, taken as use or as mention like the gold voice.

    :param case: the case.
    :param prediction: the model's answer.
    :return: True if it is right.
    """
    flagged = [span for span in prediction.spans if span.label in labels.RHETORIC]
    if case.label is None:
        return not flagged
    assert case.start_char is not None and case.end_char is not None
    return any(
        span.label == case.label
        and span.start_char < case.end_char
        and case.start_char < span.end_char
        and labels.is_use(span.voice) == labels.is_use(case.voice)
        for span in flagged
    )


def challenge(cases: Sequence[Case], predictions: Sequence[Prediction]) -> dict[str, Any]:
    """Score a model on the suite.

    :param cases: the cases.
    :param predictions: one a case, in order.
    :return: ``functions``: for each its cases, the share that is right, and the share where the
        passage was found whatever its voice; ``accuracy``, the mean over functions; ``groups``, the
        share of groups that are right as a whole.
    :raises ValueError: if there are not as many predictions as cases.
    """
    if len(cases) != len(predictions):
        raise ValueError(f"{len(cases)} cases but {len(predictions)} predictions")
    functions: dict[str, list[tuple[bool, bool]]] = {}
    groups: dict[str, list[bool]] = {}
    for case, prediction in zip(cases, predictions, strict=True):
        right = is_right(case, prediction)
        functions.setdefault(case.function, []).append((right, right or _found(case, prediction)))
        groups.setdefault(case.group, []).append(right)
    rows = {
        name: {
            "n_cases": len(results),
            "accuracy": sum(right for right, _ in results) / len(results),
            "found_rate": sum(found for _, found in results) / len(results),
        }
        for name, results in sorted(functions.items())
    }
    return {
        "n_cases": len(cases),
        "n_groups": len(groups),
        "accuracy": sum(row["accuracy"] for row in rows.values()) / len(rows),
        "groups": sum(all(results) for results in groups.values()) / len(groups),
        "functions": rows,
    }


def _found(case: Case, prediction: Prediction) -> bool:
    if case.label is None or case.start_char is None or case.end_char is None:
        return False
    return any(
        span.label == case.label
        and span.start_char < case.end_char
        and case.start_char < span.end_char
        for span in prediction.spans
    )


def _check(path: Path, case: Case) -> None:
    place = f"{path}, case {case.id!r}"
    if case.label is None:
        if (case.form, case.voice, case.start_char, case.end_char) != (None,) * 4:
            raise ValueError(f"{place}: a case without a label has no form, voice or passage")
        return
    if case.label not in labels.RHETORIC or case.voice not in labels.VOICES:
        raise ValueError(
            f"{place}: label {case.label!r} or voice {case.voice!r} is not of the scheme"
        )
    if (case.label == labels.DEHUMANISING_LABEL) != (case.form in labels.FORMS):
        raise ValueError(f"{place}: form {case.form!r} does not fit the label")
    start, end = case.start_char, case.end_char
    if start is None or end is None or not 0 <= start < end <= len(case.text):
        raise ValueError(f"{place}: passage {start}..{end} is not in the text")
