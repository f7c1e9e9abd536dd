"""The spaCy component: the predictor's spans on a Doc."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

from forewarn.model import files
from forewarn.model.predictor import Predictor
from forewarn.predictions import Mention, Prediction, ScoredSpan

SPANS_KEY: Final = "rhetoric"
MAX_LENGTH: Final = 10**9
"""Characters that a pipeline with this component takes in one text."""

USER_DATA_KEY: Final = "forewarn"
"""Key of ``doc.user_data`` under which the values of the spans are kept, as plain JSON values."""

_VALUES = ("form", "score", "voice", "voice_score")
_ROLES = ("speaker", "target")


class ForewarnComponent:
    """Set ``doc.spans["rhetoric"]`` and the extensions ``mention`` and ``use``.

    Spans are widened to whole tokens where the tokeniser's tokens are coarser than the model's
    words; the exact offsets stay in ``span._.prediction``. Where two spans of one label come to
    cover the same tokens, the one with the higher score is kept, the first of equals. The
    extensions of a span are looked up by its label and offsets in ``doc.user_data["forewarn"]``,
    which is written anew each time a document is annotated.

    :param name: the component's name in the pipeline.
    :param predictor: the model; None until ``from_disk`` or ``load_pipeline`` sets it.
    :param spans_key: key of ``doc.spans`` under which the spans are stored.
    :param threshold: lowest score of a reported span that ``from_disk`` gives the model, 0..1;
        the model's own if None.
    """

    def __init__(
        self,
        name: str = files.COMPONENT,
        predictor: Predictor | None = None,
        spans_key: str = SPANS_KEY,
        threshold: float | None = None,
    ) -> None:
        self.name, self.predictor = name, predictor
        self.spans_key, self.threshold = spans_key, threshold

    def __call__(self, doc: Doc) -> Doc:
        """Annotate one document.

        :param doc: the document.
        :return: the same document, annotated.
        """
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 32) -> Iterator[Doc]:
        """Annotate a stream of documents.

        :param stream: documents.
        :param batch_size: accepted for spaCy's sake; documents are scored one by one.
        :yields: the same documents, annotated.
        """
        for doc in stream:
            yield self(doc)

    def predict(self, docs: Iterable[Doc]) -> list[Prediction]:
        """Score documents and change nothing.

        :param docs: documents.
        :return: one prediction a document.
        :raises ValueError: if the component has no model.
        """
        if self.predictor is None:
            raise ValueError("the forewarn component has no model: use forewarn.load()")
        return list(self.predictor.predict(doc.text for doc in docs))

    def set_annotations(self, docs: Iterable[Doc], predictions: Iterable[Prediction]) -> None:
        """Write predictions onto documents.

        :param docs: documents.
        :param predictions: one a document.
        :raises ValueError: if there are more of the ones than of the others.
        """
        for doc, prediction in zip(docs, predictions, strict=True):
            doc._.mention, doc._.use = prediction.mention, prediction.use
            spans = [_to_span(doc, s.start_char, s.end_char, s.label) for s in prediction.spans]
            kept = _best_per_stretch(spans, prediction.spans)
            doc.user_data[USER_DATA_KEY] = {
                key: _to_raw(prediction.spans[n], spans) for key, n in kept.items()
            }
            doc.spans[self.spans_key] = SpanGroup(
                doc,
                name=self.spans_key,
                attrs={"scores": [prediction.spans[n].score for n in kept.values()]},
                spans=[spans[n] for n in kept.values()],
            )

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        """Save the model's files, unchanged.

        A threshold given to ``load_pipeline`` is not among them: spaCy saves it in the pipeline's
        ``config.cfg``, and ``from_disk`` applies it again.

        :param path: the component's folder.
        :param exclude: ignored.
        :raises ValueError: if the component has no model that came from files.
        """
        if self.predictor is None or self.predictor.folder is None:
            raise ValueError("the forewarn component has no model files to save")
        files.copy_files(self.predictor.folder, Path(path))

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> "ForewarnComponent":
        """Load the model's files, checking them against their manifest.

        :param path: the component's folder.
        :param exclude: ignored.
        :return: the component itself.
        :raises ModelError: if a file is missing or differs from the manifest.
        :raises ValueError: if the component's threshold is not within 0..1.
        """
        self.predictor = Predictor.load(Path(path), threshold=self.threshold)
        return self


@Language.factory(
    files.COMPONENT,
    default_config={"spans_key": SPANS_KEY, "threshold": None},
    assigns=["doc.spans", "doc._.mention", "doc._.use"],
)
def create_component(
    nlp: Language, name: str, spans_key: str, threshold: float | None
) -> ForewarnComponent:
    """Make the component for a spaCy pipeline, and let the pipeline take long texts.

    :param nlp: the pipeline; its ``max_length`` is raised to ``MAX_LENGTH``.
    :param name: the component's name.
    :param spans_key: key of ``doc.spans``.
    :param threshold: lowest score of a reported span, 0..1; the model's own if None.
    :return: a component without a model.
    """
    register_extensions()
    nlp.max_length = max(nlp.max_length, MAX_LENGTH)
    return ForewarnComponent(name, None, spans_key, threshold)


def register_extensions() -> None:
    """Register the extensions of Doc and Span, so that saved documents can be read.

    Making a pipeline does this too. Extensions of Span that have the same names are replaced.
    """
    for attribute in ("mention", "use"):
        if not Doc.has_extension(attribute):
            Doc.set_extension(attribute, default=None)
    getters = {
        **{name: partial(_get_value, name=name) for name in _VALUES},
        **{role: partial(_get_role, role=role) for role in _ROLES},
        "responds_to": _get_responds_to,
        "prediction": _get_prediction,
    }
    for attribute, getter in getters.items():
        Span.set_extension(attribute, getter=getter, force=True)


def blank_pipeline(threshold: float | None = None) -> Language:
    """Make a pipeline with sentences and a component that has no model yet.

    :param threshold: lowest score of a reported span, 0..1; the model's own if None.
    :return: the pipeline.
    """
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe(files.COMPONENT, config={"threshold": threshold})
    return nlp


def load_pipeline(name: str | Path | None = None, *, threshold: float | None = None) -> Language:
    """Load a model as a spaCy pipeline.

    :param name: a model's folder, or its name among the installed ones; the default if None.
    :param threshold: lowest score of a reported span, 0..1; the model's own if None.
        ``nlp.to_disk`` saves it in the pipeline's configuration, not in the model's files.
    :return: the pipeline.
    :raises ModelError: if there is no such model, or a file differs from the manifest.
    :raises ValueError: if the threshold is not within 0..1.
    """
    predictor = Predictor.load(name, threshold=threshold)
    nlp = blank_pipeline(threshold)
    component = nlp.get_pipe(files.COMPONENT)
    component.predictor = predictor
    return nlp


def _to_span(doc: Doc, start_char: int, end_char: int, label: str) -> Span:
    return doc.char_span(start_char, end_char, label=label, alignment_mode="expand")


def _key(span: Span) -> str:
    return f"{span.label_}:{span.start_char}:{span.end_char}"


def _best_per_stretch(spans: list[Span], scored: tuple[ScoredSpan, ...]) -> dict[str, int]:
    best: dict[str, int] = {}
    for n, span in enumerate(spans):
        rival = best.setdefault(_key(span), n)
        if scored[n].score > scored[rival].score:
            best[_key(span)] = n
    return best


def _to_raw(scored: ScoredSpan, spans: list[Span]) -> dict[str, Any]:
    answered = None
    if scored.responds_to is not None:
        span = spans[scored.responds_to]
        answered = [span.start_char, span.end_char, span.label_]
    return {"prediction": asdict(scored), "answered": answered}


def _raw(span: Span) -> dict[str, Any] | None:
    raw: dict[str, Any] | None = span.doc.user_data.get(USER_DATA_KEY, {}).get(_key(span))
    return raw


def _get_prediction(span: Span) -> ScoredSpan | None:
    raw = _raw(span)
    if raw is None:
        return None
    mentions = {role: _mention(raw["prediction"][role]) for role in _ROLES}
    return ScoredSpan(**{**raw["prediction"], **mentions})


def _get_value(span: Span, name: str) -> Any:
    raw = _raw(span)
    return None if raw is None else raw["prediction"][name]


def _get_role(span: Span, role: str) -> Span | None:
    raw = _raw(span)
    mention = None if raw is None else _mention(raw["prediction"][role])
    if mention is None:
        return None
    return _to_span(span.doc, mention.start_char, mention.end_char, "")


def _get_responds_to(span: Span) -> Span | None:
    raw = _raw(span)
    return None if raw is None or raw["answered"] is None else _to_span(span.doc, *raw["answered"])


def _mention(raw: dict[str, Any] | None) -> Mention | None:
    return None if raw is None else Mention(**raw)
