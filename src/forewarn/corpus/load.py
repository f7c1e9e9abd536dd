"""Read the built corpus: gold documents by split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forewarn import labels, rules
from forewarn.jsonl import read_jsonl
from forewarn.rules import Relation, RuleError, Span

SPLITS: Final = ("train", "validation", "test", "test_ood")
"""The splits; the last holds what is out of the domain of the others."""


@dataclass(frozen=True, slots=True)
class GoldDocument:
    """A document with its adjudicated spans and relations, as the built corpus holds it."""

    id: str
    text: str
    meta: dict[str, Any]
    spans: tuple[Span, ...]
    relations: tuple[Relation, ...]

    @property
    def has_mention(self) -> bool:
        """Tell whether the document holds any rhetoric."""
        return any(span.label in labels.RHETORIC for span in self.spans)

    @property
    def has_use(self) -> bool:
        """Tell whether the document asserts or endorses rhetoric."""
        return any(labels.is_use(span.voice) for span in self.spans)

    def tails(self, relation: str, span: Span) -> list[Span]:
        """Follow the relations of one type that leave a span.

        :param relation: the relation's name.
        :param span: where they start.
        :return: the spans at their ends, in text order.
        """
        ids = {r.tail for r in self.relations if r.type == relation and r.head == span.id}
        return [tail for tail in self.spans if tail.id in ids]


def read_gold(path: Path) -> list[GoldDocument]:
    """Read one built file.

    :param path: a file of ``corpus/data`` or one of the same form.
    :return: its documents, validated.
    :raises ValueError: if a record has not the right form; the message names file and record.
    """
    documents = []
    for n, raw in enumerate(read_jsonl(path), 1):
        try:
            documents.append(gold_from_dict(raw))
        except RuleError as error:
            raise ValueError(f"{path}, record {n}: {error}") from error
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"{path}, record {n}: not a gold document ({error!r}); expected a file that "
                "'forewarn corpus build' wrote"
            ) from error
    return documents


def gold_from_dict(raw: dict[str, Any]) -> GoldDocument:
    """Read one gold document.

    :param raw: the decoded record.
    :return: the document.
    :raises RuleError: if it breaks a rule of the scheme.
    """
    spans = tuple(Span(**span) for span in raw["spans"])
    relations = tuple(Relation(**relation) for relation in raw["relations"])
    for problem in rules.iter_problems(raw["text"], spans, relations):
        raise RuleError(raw["id"], problem)
    meta = {k: v for k, v in raw.items() if k not in ("id", "text", "spans", "relations")}
    return GoldDocument(raw["id"], raw["text"], meta, spans, relations)


def read_split(corpus: Path, split: str) -> list[GoldDocument]:
    """Read one split of the built corpus.

    :param corpus: the corpus folder.
    :param split: one of ``SPLITS``.
    :return: its documents.
    :raises ValueError: if the split has not been built.
    """
    path = corpus / "data" / f"{split}.jsonl"
    if not path.is_file():
        raise ValueError(f"{path} is missing; run 'forewarn corpus build'")
    return read_gold(path)
