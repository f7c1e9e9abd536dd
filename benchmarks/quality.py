"""Compare the model with baselines on the same documents, by the same code, in one run.

    python benchmarks/quality.py [--model MODEL ...] [--corpus FOLDER] [--skip BASELINE ...]
        [--markdown FILE]

Trains the baselines on the training split and scores validation, test and out-of-domain test with
all of them and with every model that is named (the default model if none is). ``span_finder and
spancat`` needs half an hour or more.
"""

import argparse
import time
from pathlib import Path

from baselines import train_lexicon, train_linear, train_spancat

from forewarn.corpus.load import GoldDocument, read_split
from forewarn.evaluate import evaluate
from forewarn.model.predictor import Predictor

SPLITS = ("validation", "test", "test_ood")
BASELINES = {
    "span_ruler lexicon": train_lexicon,
    "TF-IDF, logistic regression": train_linear,
    "span_finder and spancat": train_spancat,
}
HEADER = "| system | F1, IoU 0.5 | exact | characters | voice | mention AP | use AP | words/s |"


def main() -> None:
    """Train, score, print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append")
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--skip", action="append", default=[], choices=sorted(BASELINES))
    parser.add_argument("--markdown", type=Path)
    arguments = parser.parse_args()
    training = read_split(arguments.corpus, "train")
    systems = {}
    for name in arguments.model or [None]:
        predictor = Predictor.load(name)
        systems[Path(name).name if name else predictor.name] = predictor.predict
    for name in [name for name in BASELINES if name not in arguments.skip]:
        started = time.monotonic()
        systems[name] = BASELINES[name](training)
        print(f"{name}: trained in {time.monotonic() - started:.0f} s", flush=True)
    lines = []
    for split in SPLITS:
        documents = read_split(arguments.corpus, split)
        lines += [f"\n{split}, {len(documents)} documents\n", HEADER, "|---" * 8 + "|"]
        lines += [_row(name, score, documents) for name, score in systems.items()]
    print("\n".join(lines))
    if arguments.markdown:
        arguments.markdown.write_text("\n".join(lines).strip() + "\n")


def _row(name: str, score: object, documents: list[GoldDocument]) -> str:
    started = time.monotonic()
    predictions = list(score([document.text for document in documents]))
    seconds = time.monotonic() - started
    n_words = sum(len(document.text.split()) for document in documents)
    figures = evaluate(documents, predictions, n_bootstrap=0, n_chance=0)
    micro = figures["spans"]["micro"]
    shown = [
        micro["f1_overlap"],
        micro["f1_exact"],
        micro["f1_chars"],
        figures["voice_accuracy"],
        figures["documents"]["mention_average_precision"],
        figures["documents"]["use_average_precision"],
    ]
    cells = ["–" if value is None else f"{value:.3f}" for value in shown]
    return f"| {name} | {' | '.join(cells)} | {n_words / seconds:,.0f} |"


if __name__ == "__main__":
    main()
