"""spaCy's ``.spacy`` files: one Doc a document, spans in ``doc.spans["forewarn"]``.

Tokens are cut where a span begins or ends, so every span is exact. Ids, voices, forms, relations
and remarks stand in ``doc.user_data["forewarn"]``, and nothing is lost.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from forewarn.annotation.layers import Layer, Remarks
from forewarn.formats.loss import Loss
from forewarn.records import Annotation
from forewarn.rules import Relation, Span

KEY: Final = "forewarn"


def write_docbin(path: Path, documents: Iterable[tuple[str, str, Layer]], loss: Loss) -> None:
    """Write documents.

    :param path: the ``.spacy`` file.
    :param documents: id, text and layer of each.
    :param loss: where to count what the format cannot hold.
    """
    import spacy
    from spacy.tokens import DocBin

    nlp = spacy.blank("en")
    docs = [_to_doc(nlp, id_, text, layer) for id_, text, layer in documents]
    path.parent.mkdir(parents=True, exist_ok=True)
    DocBin(docs=docs, store_user_data=True).to_disk(path)


def read_docbin(
    path: Path, loss: Loss, *, annotator: str = "docbin"
) -> Iterator[tuple[str, str, Layer]]:
    """Read documents; of files that others wrote, the spans of all groups and the entities.

    :param path: the ``.spacy`` file.
    :param loss: where to count what could not be read.
    :param annotator: the layers' annotator.
    :yields: id, text and layer, not yet validated.
    :raises ValueError: if the file is no DocBin.
    """
    import spacy
    from spacy.tokens import DocBin

    try:
        docs = list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))
    except Exception as error:
        raise ValueError(f"{path}: not a .spacy file that this spaCy reads ({error})") from error
    for n, doc in enumerate(docs, 1):
        about: dict[str, Any] = doc.user_data.get(KEY, {})
        groups = [doc.spans[KEY]] if KEY in doc.spans else [*doc.spans.values(), doc.ents]
        found = [span for group in groups for span in group]
        extra = about.get("spans", {})
        spans = tuple(
            Span(
                span.id_ or f"S{k}",
                span.label_,
                span.start_char,
                span.end_char,
                span.text,
                **extra.get(span.id_, {}),
            )
            for k, span in enumerate(found, 1)
        )
        relations = tuple(Relation(**r) for r in about.get("relations", ()))
        layer = Layer(
            Annotation(annotator, about.get("guidelines", ""), spans, relations),
            Remarks(**about.get("remarks", {})),
        )
        yield about.get("id", f"{path.stem}-{n}"), doc.text, layer


def _to_doc(nlp: Any, id_: str, text: str, layer: Layer) -> Any:
    from spacy.tokens import Doc
    from spacy.tokens import Span as DocSpan

    spans = layer.annotation.spans
    edges = {edge for span in spans for edge in (span.start_char, span.end_char)}
    words, spaces = [], []
    for token in nlp.make_doc(text):
        start, end = token.idx, token.idx + len(token)
        cuts = [start, *sorted(e for e in edges if start < e < end), end]
        words += [text[a:b] for a, b in itertools.pairwise(cuts)]
        spaces += [False] * (len(cuts) - 2) + [bool(token.whitespace_)]
    doc = Doc(nlp.vocab, words=words, spaces=spaces)
    starts = {token.idx: token.i for token in doc}
    ends = {token.idx + len(token): token.i + 1 for token in doc}
    doc.spans[KEY] = [
        DocSpan(doc, starts[s.start_char], ends[s.end_char], label=s.label, span_id=s.id)
        for s in spans
    ]
    doc.user_data[KEY] = {
        "id": id_,
        "guidelines": layer.annotation.guidelines,
        "spans": {s.id: {"voice": s.voice, "form": s.form} for s in spans},
        "relations": [asdict(relation) for relation in layer.annotation.relations],
        "remarks": asdict(layer.remarks),
    }
    return doc
