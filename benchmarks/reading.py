"""Read what the model flags in real text, and count what is right.

    python benchmarks/reading.py sheet FOLDER SHEET.tsv [--model MODEL] [--n 300]
    python benchmarks/reading.py count SHEET.tsv

``sheet`` scores the .jsonl files of FOLDER (fields ``id`` and ``text``) and writes the rhetoric
that is flagged, at most N passages drawn at random, and the N passages that come next under the
threshold, in random order and without their scores. A reader fills the column ``verdict``:
``right`` or a short name of the kind of error (for a passage under the threshold: ``plain`` if it
is rightly not flagged, else ``missed``). ``count`` prints counts and kinds, which hold no text.
"""

import argparse
import csv
import random
from collections import Counter
from pathlib import Path

from forewarn import labels
from forewarn.jsonl import read_jsonl
from forewarn.model.predictor import Predictor
from forewarn.sentences import split_sentences

FIELDS = ("n", "group", "label", "voice", "passage", "verdict")
CONTEXT = 220
SEED = 1


def write_sheet(folder: Path, sheet: Path, model: str | None, n: int) -> None:
    """Score, draw and write.

    :param folder: where the texts are.
    :param sheet: the table to write.
    :param model: a model's folder or name; the default if None.
    :param n: most passages of each group.
    """
    threshold = Predictor.load(model).settings.threshold
    predictor = Predictor.load(model, threshold=0.0)
    flagged, under, n_documents, n_sentences = [], [], 0, 0
    for path in sorted(folder.glob("*.jsonl")):
        for record in read_jsonl(path):
            text = record["text"]
            n_documents, n_sentences = n_documents + 1, n_sentences + len(split_sentences(text))
            for span in predictor.predict_one(text).spans:
                if span.label in labels.RHETORIC:
                    left, right = text[: span.start_char], text[span.end_char :]
                    passage = f"{left[-CONTEXT:]}⟦{span.text}⟧{right[:CONTEXT]}"
                    row = (span.score, span.label, span.voice, " ".join(passage.split()))
                    (flagged if span.score >= threshold else under).append(row)
    print(f"{n_documents} documents, {n_sentences} sentences, {len(flagged)} passages flagged")
    draw = random.Random(SEED)
    under.sort(reverse=True)
    rows = [("flagged", *row) for row in draw.sample(flagged, min(n, len(flagged)))]
    rows += [("under", *row) for row in under[:n]]
    draw.shuffle(rows)
    with sheet.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, delimiter="\t")
        writer.writerow(FIELDS)
        for number, (group, _, label, voice, passage) in enumerate(rows, 1):
            writer.writerow((number, group, label, voice, passage, ""))


def count(sheet: Path) -> None:
    """Print counts by group, label and verdict.

    :param sheet: a table whose column ``verdict`` is filled.
    :raises SystemExit: if a verdict is missing.
    """
    with sheet.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    empty = [row["n"] for row in rows if not row["verdict"].strip()]
    if empty:
        raise SystemExit(f"{sheet}: no verdict in rows {', '.join(empty[:5])}")
    print("| group | label | verdict | passages |\n|---|---|---|---|")
    counts = Counter((row["group"], row["label"], row["verdict"].strip()) for row in rows)
    for (group, label, verdict), number in sorted(counts.items()):
        print(f"| {group} | `{label}` | {verdict} | {number} |")
    flagged = [row["verdict"].strip() for row in rows if row["group"] == "flagged"]
    right = flagged.count("right")
    if flagged:
        print(
            f"\nprecision of what is flagged: {right} of {len(flagged)}, {right / len(flagged):.2f}"
        )


def main() -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("sheet")
    make.add_argument("folder", type=Path)
    make.add_argument("sheet", type=Path)
    make.add_argument("--model")
    make.add_argument("--n", type=int, default=300)
    read = commands.add_parser("count")
    read.add_argument("sheet", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "sheet":
        write_sheet(arguments.folder, arguments.sheet, arguments.model, arguments.n)
    else:
        count(arguments.sheet)


if __name__ == "__main__":
    main()
