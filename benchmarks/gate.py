"""What the gate loses and saves: on the corpus' splits, the challenge suite and other texts.

python benchmarks/gate.py [--model FOLDER] [--texts speeches.jsonl] --output benchmarks/gate.md
"""

import argparse
import json
from pathlib import Path

from forewarn.model.predictor import Predictor
from forewarn.sentences import split_sentences
from forewarn.training.gate import measure_gate

CORPUS = Path(__file__).parents[1] / "corpus"


def sets(others: list[Path]) -> dict[str, list[str]]:
    found = {
        split: CORPUS / "data" / f"{split}.jsonl" for split in ("validation", "test", "test_ood")
    }
    found["challenge suite"] = CORPUS / "challenge" / "cases.jsonl"
    found |= {path.stem: path for path in others}
    texts = {
        name: [json.loads(line)["text"] for line in path.open()] for name, path in found.items()
    }
    return {**texts, "one loud sentence between two plain test documents": needles()}


def needles() -> list[str]:
    """One loud sentence of a test document within two plain ones: the hardest case."""
    raws = [json.loads(line) for line in (CORPUS / "data" / "test.jsonl").open()]
    plain = [raw["text"] for raw in raws if not raw["spans"]]
    loud = [raw for raw in raws if any(span["voice"] for span in raw["spans"])]
    texts = []
    for n, raw in enumerate(loud):
        start = next(span["start_char"] for span in raw["spans"] if span["voice"])
        [sentence] = [
            raw["text"][left:right]
            for left, right in split_sentences(raw["text"])
            if left <= start < right
        ]
        around = (plain[n % len(plain)], sentence, plain[(n + 1) % len(plain)])
        texts.append("\n\n".join(around))
    return texts


def table(predictor: Predictor, texts: dict[str, list[str]]) -> str:
    lines = [
        "# The gate",
        "",
        f"`python benchmarks/gate.py`, {predictor.name}. Missed: spans that the full model flags",
        "and that are not found with the gate at the same place with the same label. Other: those",
        "whose voice, speaker or target differs. New: spans that only appear with the gate. The",
        "threshold was chosen on the validation split. Missed and other are shares of the spans,",
        "the last column is a share of the windows.",
        "",
        "| texts | documents | flagged spans | missed | other | new | windows encoded |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, some in texts.items():
        row = measure_gate(predictor, predictor.gate, some)
        lines.append(
            f"| {name} | {row['n_documents']} | {row['n_spans']} | {1 - row['kept_rate']:.4f} | "
            f"{row['kept_rate'] - row['alike_rate']:.4f} | {row['n_new']} | "
            f"{row['window_rate']:.2f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model")
    parser.add_argument("--texts", type=Path, action="append", default=[])
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    predictor = Predictor.load(options.model, gate=True)
    if predictor.gate is None:
        raise SystemExit(f"{predictor.name} has no gate; fit one with 'forewarn gate'")
    text = table(predictor, sets(options.texts))
    print(text)
    if options.output:
        options.output.write_text(text)


if __name__ == "__main__":
    main()
