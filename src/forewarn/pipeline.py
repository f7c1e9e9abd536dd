"""The spaCy component: the predictor's spans on a Doc."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

from forewarn.model import files
from forewarn.model.predictor import Predictor
from forewarn.predictions import Mention, Prediction

SPANS_KEY = "rhetoric"

_SPAN_EXTENSIONS = ("form", "score", "voice", "voice_score", "speaker", "target", "responds_to")


class ForewarnComponent:
    """Set ``doc.spans["rhetoric"]`` and the extensions ``mention`` and ``use``.

    Spans are widened to whole tokens where the tokeniser's tokens are coarser than the model's
    words; the exact offsets stay in ``span._.prediction``.

    :param name: the component's name in the pipeline.
    :param predictor: the model; None until ``from_disk`` or ``load_pipeline`` sets it.
    :param spans_key: key of ``doc.spans`` under which the spans are stored.
    """

    def __init__(
        self,
        name: str = files.COMPONENT,
        predictor: Predictor | None = None,
        spans_key: str = SPANS_KEY,
    ) -> None:
        self.name, self.predictor, self.spans_key = name, predictor, spans_key

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
        """
        for doc, prediction in zip(docs, predictions, strict=True):
            doc._.mention, doc._.use = prediction.mention, prediction.use
            spans = [_to_span(doc, s.start_char, s.end_char, s.label) for s in prediction.spans]
            for span, scored in zip(spans, prediction.spans, strict=True):
                span._.prediction = scored
                span._.form, span._.score = scored.form, scored.score
                span._.voice, span._.voice_score = scored.voice, scored.voice_score
                span._.speaker = _role(doc, scored.speaker)
                span._.target = _role(doc, scored.target)
                if scored.responds_to is not None:
                    span._.responds_to = spans[scored.responds_to]
            scores = [scored.score for scored in prediction.spans]
            doc.spans[self.spans_key] = SpanGroup(
                doc, name=self.spans_key, attrs={"scores": scores}, spans=spans
            )

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        """Save the model's files.

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
        """
        self.predictor = Predictor.load(Path(path))
        return self


@Language.factory(
    files.COMPONENT,
    default_config={"spans_key": SPANS_KEY},
    assigns=["doc.spans", "doc._.mention", "doc._.use"],
)
def create_component(nlp: Language, name: str, spans_key: str) -> ForewarnComponent:
    """Make the component for a spaCy pipeline.

    :param nlp: the pipeline.
    :param name: the component's name.
    :param spans_key: key of ``doc.spans``.
    :return: a component without a model.
    """
    register_extensions()
    return ForewarnComponent(name, None, spans_key)


def register_extensions() -> None:
    """Register the extensions of Doc and Span, once."""
    for attribute in ("mention", "use"):
        if not Doc.has_extension(attribute):
            Doc.set_extension(attribute, default=None)
    for attribute in (*_SPAN_EXTENSIONS, "prediction"):
        if not Span.has_extension(attribute):
            Span.set_extension(attribute, default=None)


def blank_pipeline() -> Language:
    """Make a pipeline with sentences and a component that has no model yet.

    :return: the pipeline.
    """
    nlp = spacy.blank("en")
    nlp.max_length = 10**9
    nlp.add_pipe("sentencizer")
    nlp.add_pipe(files.COMPONENT)
    return nlp


def load_pipeline(name: str | Path | None = None, *, threshold: float | None = None) -> Language:
    """Load a model as a spaCy pipeline.

    :param name: a model's folder, or its name among the installed ones; the default if None.
    :param threshold: lowest score of a reported span, 0..1; the model's own if None.
    :return: the pipeline.
    """
    predictor = Predictor.load(name, threshold=threshold)
    nlp = blank_pipeline()
    component = nlp.get_pipe(files.COMPONENT)
    component.predictor = predictor
    return nlp


def _to_span(doc: Doc, start_char: int, end_char: int, label: str) -> Span:
    return doc.char_span(start_char, end_char, label=label, alignment_mode="expand")


def _role(doc: Doc, mention: Mention | None) -> Span | None:
    return None if mention is None else _to_span(doc, mention.start_char, mention.end_char, "")
