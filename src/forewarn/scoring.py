"""Score a stream of documents: one record a document, in input order, whatever happens to it."""

from collections.abc import Iterable, Iterator
from typing import Any

from forewarn import labels
from forewarn.documents import BrokenDocument
from forewarn.model.predictor import Predictor
from forewarn.predictions import error_record, prediction_to_record
from forewarn.records import Document


def score_documents(
    predictor: Predictor, documents: Iterable[Document | BrokenDocument]
) -> Iterator[dict[str, Any]]:
    """Score documents one by one.

    :param predictor: the model.
    :param documents: documents, also broken ones.
    :yields: one record a document; ``error`` says why a document could not be scored.
    """
    seen: set[str] = set()
    for document in documents:
        if isinstance(document, Document) and document.id in seen:
            document = BrokenDocument(
                document.id, f"id {document.id!r} was used before; give each document its own id"
            )
        seen.add(document.id)
        yield score_document(predictor, document)


def score_document(predictor: Predictor, document: Document | BrokenDocument) -> dict[str, Any]:
    """Score one document.

    :param predictor: the model.
    :param document: the document.
    :return: its record.
    """
    if isinstance(document, BrokenDocument):
        return error_record(document.id, document.error, predictor.name, labels.TAXONOMY)
    try:
        prediction = predictor.predict_one(document.text)
    except Exception as error:  # one document must never stop the others
        message = f"{document.id}: {error or type(error).__name__}"
        return error_record(document.id, message, predictor.name, labels.TAXONOMY)
    return prediction_to_record(document.id, prediction, predictor.name, labels.TAXONOMY)
