"""How many documents does choosing save against drawing at random? A simulation on the corpus.

The training split plays the pool: its gold is revealed as documents are chosen. After each step a
model learns from what is revealed and is measured on the validation split. `--learner linear` is a
TF-IDF model of whether a document holds rhetoric (seconds a run); `--learner forewarn` trains the
real model at every step (hours; give `--config`). The test splits are never touched.

    python benchmarks/active_learning.py --output benchmarks/active_learning
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from forewarn.annotation.selection import (
    LOW_THRESHOLD,
    entropy,
    second_opinion,
    select,
    uncertainty,
    vectorise,
)
from forewarn.corpus.load import read_split
from forewarn.jsonl import read_jsonl, write_json, write_jsonl

STRATEGIES = ("active", "random")


def main():
    options = parse()
    train, validation = (read_split(options.corpus, s) for s in ("train", "validation"))
    train = train[: options.limit]
    steps = [*range(options.start, len(train), options.step), len(train)]
    curves = {strategy: [] for strategy in STRATEGIES}
    for seed in range(options.seeds):
        for strategy in STRATEGIES:
            curve = run(options, train, validation, strategy, seed, steps)
            curves[strategy].append(curve)
            print(strategy, seed, " ".join(f"{value:.3f}" for value in curve), flush=True)
    result = summarise(options, steps, curves)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.output.with_suffix(".json"), result)
    plot(result, options.output.with_suffix(".png"))
    print(result["said"])


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--learner", choices=("linear", "forewarn"), default="linear")
    parser.add_argument("--config", type=Path, help="configuration for --learner forewarn")
    parser.add_argument("--encoder", help="a local folder of a Hugging Face encoder")
    parser.add_argument("--start", type=int, default=20)
    parser.add_argument("--step", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--random-share", type=float, default=0.2)
    parser.add_argument("--limit", type=int, help="use only so many documents")
    options = parser.parse_args()
    if options.learner == "forewarn" and options.config is None:
        parser.error("--learner forewarn needs --config")
    return options


def run(options, train, validation, strategy, seed, steps):
    rng = np.random.default_rng(seed)
    known = [int(n) for n in rng.permutation(len(train))[: steps[0]]]
    curve, scorer = [], None
    for step in steps:
        rest = [n for n in range(len(train)) if n not in set(known)]
        wanted = step - len(known)
        if wanted and strategy == "random":
            known += [int(n) for n in rng.choice(rest, wanted, replace=False)]
        elif wanted:
            revealed, pool = [train[n] for n in known], [train[n] for n in rest]
            known += [rest[s.index] for s in choose(options, revealed, pool, wanted, scorer, seed)]
        figure, scorer = learn(options, [train[n] for n in known], validation)
        curve.append(figure)
    return curve


def choose(options, revealed, pool, n, scorer, seed):
    vectors, known = vectorise([d.text for d in pool], [d.text for d in revealed])
    mention, unsure = scorer(pool)
    second = second_opinion(vectors, known, [d.has_mention for d in revealed])
    disputed = np.zeros(len(pool)) if second is None else np.abs(second - mention)
    return select(
        n,
        unsure=unsure,
        disputed=disputed,
        pool=vectors,
        known=known,
        random_share=options.random_share,
        seed=seed,
    )


def learn(options, documents, validation):
    """Train; return the figure on validation data and a function that scores a pool."""
    if options.learner == "linear":
        return learn_linear(documents, validation)
    return learn_forewarn(options, documents, validation)


def learn_linear(documents, validation):
    from sklearn.metrics import average_precision_score

    truth = [d.has_mention for d in documents]

    def scorer(pool):
        vectors, known = vectorise([d.text for d in pool], [d.text for d in documents])
        mention = second_opinion(vectors, known, truth)
        mention = np.full(len(pool), 0.5) if mention is None else mention
        return mention, np.array([entropy(p) for p in mention])

    mention, _ = scorer(validation)
    return float(average_precision_score([d.has_mention for d in validation], mention)), scorer


def learn_forewarn(options, documents, validation):
    from forewarn.evaluate import evaluate
    from forewarn.model.predictor import Predictor

    ids = {d.id for d in documents}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "data").mkdir()
        for split in ("train", "validation"):
            rows = read_jsonl(options.corpus / "data" / f"{split}.jsonl")
            kept = [row for row in rows if split != "train" or row["id"] in ids]
            write_jsonl(folder / "data" / f"{split}.jsonl", kept)
        command = [sys.executable, "-m", "forewarn", "train", str(options.config)]
        command += ["--corpus", str(folder), "--output", str(folder / "models")]
        command += ["--encoder", options.encoder] if options.encoder else []
        subprocess.run(command, check=True, capture_output=True)
        (model,) = (folder / "models").iterdir()
        predictor = Predictor.load(model)
        low = Predictor.load(model, threshold=LOW_THRESHOLD)
    predictions = list(predictor.predict(d.text for d in validation))
    figures = evaluate(validation, predictions, n_bootstrap=0, n_chance=0)

    def scorer(pool):
        found = list(low.predict(d.text for d in pool))
        mention = np.array([p.mention for p in found])
        return mention, np.array([uncertainty(p) for p in found])

    return float(figures["spans"]["micro"]["f1_overlap"] or 0.0), scorer


def summarise(options, steps, curves):
    means = {strategy: np.mean(curve, axis=0) for strategy, curve in curves.items()}
    goal = 0.95 * float(means["random"][-1])
    needed = {
        strategy: next((n for n, v in zip(steps, mean, strict=True) if v >= goal), None)
        for strategy, mean in means.items()
    }
    active, random = needed["active"], needed["random"]
    if active is None or random is None:
        said = "the goal was not reached by both"
    elif active < random:
        said = f"choosing saves {random - active} of {random} documents"
    else:
        said = f"choosing saves no documents: it needs {active}, drawing at random {random}"
    figure = "average precision of mention" if options.learner == "linear" else "span F1, IoU 0.5"
    return {
        "learner": options.learner,
        "figure": f"{figure}, validation",
        "seeds": options.seeds,
        "random_share": options.random_share,
        "steps": steps,
        "curves": curves,
        "goal": goal,
        "needed": needed,
        "said": f"{said} (to 95 % of the figure with all {steps[-1]}; {options.learner} learner, "
        f"{options.seeds} seeds)",
    }


def plot(result, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    for strategy, colour in zip(STRATEGIES, ("tab:red", "tab:gray"), strict=True):
        curves = np.array(result["curves"][strategy])
        axes.plot(result["steps"], curves.mean(axis=0), color=colour, label=strategy)
        axes.fill_between(
            result["steps"], curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.2
        )
    axes.axhline(result["goal"], linestyle=":", color="black", linewidth=1)
    axes.set_xlabel("annotated documents")
    axes.set_ylabel(result["figure"])
    axes.set_title(f"{result['learner']} learner, {result['seeds']} seeds (shade: lowest, highest)")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
