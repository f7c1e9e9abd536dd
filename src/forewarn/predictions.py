"""What the model says of a document: the record that ``forewarn score`` writes."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of text that names a speaker or a target; offsets are half-open code points."""

    start_char: int
    end_char: int
    text: str


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A rhetoric or counter span that the model found.

    ``score`` and ``voice_score`` lie in 0..1. ``voice`` is None on counter spans, ``form`` on all
    but dehumanising labels. ``responds_to`` is the index, in the prediction's spans, of the
    rhetoric that a counter span answers.
    """

    start_char: int
    end_char: int
    text: str
    label: str
    form: str | None
    score: float
    voice: str | None
    voice_score: float | None
    speaker: Mention | None
    target: Mention | None
    responds_to: int | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """All that the model found in one text.

    ``mention`` is the probability, 0..1, that the text holds rhetoric at all; ``use`` that it
    asserts or endorses some. ``spans`` are sorted by start.
    """

    mention: float
    use: float
    spans: tuple[ScoredSpan, ...]


def prediction_to_record(
    id_: str, prediction: Prediction, model: str, taxonomy: str
) -> dict[str, Any]:
    """Turn a prediction into the record that is written.

    :param id_: the document's id.
    :param prediction: what was found.
    :param model: name and version of the model.
    :param taxonomy: version of the scheme.
    :return: the record, with ``error`` None.
    """
    return {
        "id": id_,
        "mention": prediction.mention,
        "use": prediction.use,
        "model": model,
        "taxonomy": taxonomy,
        "error": None,
        "spans": [asdict(span) for span in prediction.spans],
    }


def error_record(id_: str, error: str, model: str, taxonomy: str) -> dict[str, Any]:
    """Make the record of a document that could not be scored.

    :param id_: the document's id.
    :param error: what was wrong and what to do about it.
    :param model: name and version of the model.
    :param taxonomy: version of the scheme.
    :return: the record, without scores or spans.
    """
    return {
        "id": id_,
        "mention": None,
        "use": None,
        "model": model,
        "taxonomy": taxonomy,
        "error": error,
        "spans": [],
    }


def prediction_from_record(record: dict[str, Any]) -> Prediction:
    """Read back a record that holds no error.

    :param record: a record of ``forewarn score``.
    :return: the prediction.
    :raises ValueError: if the record holds an error instead of scores.
    """
    if record["error"] is not None:
        raise ValueError(f"document {record['id']!r} was not scored: {record['error']}")
    return Prediction(
        record["mention"], record["use"], tuple(_span(span) for span in record["spans"])
    )


def _span(raw: dict[str, Any]) -> ScoredSpan:
    mentions = {
        role: None if raw[role] is None else Mention(**raw[role]) for role in ("speaker", "target")
    }
    return ScoredSpan(**{**raw, **mentions})
