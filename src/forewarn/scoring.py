"""Score a stream of documents: one record a document, in input order, whatever happens to it."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar

from forewarn import labels
from forewarn.model.predictor import Predictor
from forewarn.predictions import error_record, prediction_to_record
from forewarn.records import Document
from forewarn.sources import BrokenDocument, RawDocument

AnyDocument = TypeVar("AnyDocument", bound=Document | BrokenDocument | RawDocument)


def score_documents(
    predictor: Predictor, documents: Iterable[Document | BrokenDocument]
) -> Iterator[dict[str, Any]]:
    """Score documents one by one.

    :param predictor: the model.
    :param documents: documents, also broken ones.
    :yields: one record a document; ``error`` says why a document could not be scored.
    """
    for document in refuse_repeated(documents, set()):
        yield score_document(predictor, document)


class Seen(Protocol):
    """Ids that were met."""

    def __contains__(self, id_: object, /) -> bool:
        """Tell whether an id was met before."""

    def add(self, id_: str, /) -> None:
        """Take note of an id."""


def refuse_repeated(
    documents: Iterable[AnyDocument], seen: Seen
) -> Iterator[AnyDocument | BrokenDocument]:
    """Turn documents whose id was used before into broken ones.

    :param documents: documents of any state.
    :param seen: the ids met so far.
    :yields: as many documents.
    """
    for document in documents:
        if not isinstance(document, BrokenDocument) and document.id in seen:
            message = f"id {document.id!r} was used before; give each document its own id"
            yield BrokenDocument(document.id, message, "repeated id")
        else:
            seen.add(document.id)
            yield document


def score_document(predictor: Predictor, document: Document | BrokenDocument) -> dict[str, Any]:
    """Score one document.

    :param predictor: the model.
    :param document: the document.
    :return: its record, with ``meta`` if something is carried through.
    """
    if isinstance(document, BrokenDocument):
        return error_record(document.id, document.error, predictor.name, labels.TAXONOMY)
    try:
        prediction = predictor.predict_one(document.text)
    except Exception as error:  # one document must never stop the others
        message = f"{document.id}: {error or type(error).__name__}"
        record = error_record(document.id, message, predictor.name, labels.TAXONOMY)
    else:
        record = prediction_to_record(document.id, prediction, predictor.name, labels.TAXONOMY)
    return record if document.meta is None else {**record, "meta": document.meta}
