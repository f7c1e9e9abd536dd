"""Agreement by pair of annotators, where more than two took part."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from forewarn.annotation.agreement import agreement
from forewarn.annotation.layers import DELETED, AnnotatedDocument, pair_documents

HEAD = ("A", "B", "documents", "detection kappa", "spans F1", "alpha", "gamma", "voice kappa")


def agreement_by_pair(
    documents: Sequence[AnnotatedDocument], *, gamma: bool = True, n_bootstrap: int = 0
) -> dict[tuple[str, str], dict[str, Any]]:
    """Compute all figures of agreement for each pair of annotators that share a document.

    :param documents: annotated documents.
    :param gamma: whether to compute gamma, which needs the extra ``annotate``.
    :param n_bootstrap: resamples for the intervals.
    :return: what ``agreement`` gives, by pair, in the order of their names.
    """
    pairs = {
        pair
        for document in documents
        for pair in combinations(
            sorted(
                layer.annotation.annotator
                for layer in document.layers
                if not layer.origin.get(DELETED)
            ),
            2,
        )
    }
    return {
        pair: agreement(pair_documents(documents, pair), gamma=gamma, n_bootstrap=n_bootstrap)
        for pair in sorted(pairs)
    }


def format_pairs(by_pair: dict[tuple[str, str], dict[str, Any]]) -> str:
    """Write a table, one line a pair.

    :param by_pair: what ``agreement_by_pair`` returned.
    :return: the Markdown table, with its heading.
    """
    lines = [HEAD, ("---", "---", *["---:"] * (len(HEAD) - 2))]
    for (a, b), figures in by_pair.items():
        values = (
            figures["detection"]["kappa"],
            figures["spans"]["micro"]["f1_overlap"],
            figures["unitising_alpha"]["mean"],
            (figures["gamma"] or {"mean": None})["mean"],
            figures["voice"]["kappa"],
        )
        said = ("-" if value is None else f"{value:.3f}" for value in values)
        lines.append((a, b, str(figures["n_documents"]), *said))
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"## Pairs of annotators\n\n{table}\n"
