"""Score HateCheck (Röttger et al. 2021) and report by template.

    python benchmarks/hatecheck.py FOLDER [--model MODEL] [--json FILE]

FOLDER holds your own copy: the published ``test_suite_cases.csv``, or .jsonl files with the fields
``text``, ``functionality`` and ``templ_id``. Cases of one template differ only in the group that is
named, so the figure of a function is the mean over its templates.
"""

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from forewarn import labels
from forewarn.model.predictor import Predictor
from forewarn.predictions import Prediction

WANTED = {
    "derog_dehum_h": "used",
    "threat_dir_h": "used",
    "threat_norm_h": "used",
    "counter_quote_nh": "not used",
    "counter_ref_nh": "not used",
    "negate_neg_nh": "not used",
    "ident_neutral_nh": "no flag",
    "ident_pos_nh": "no flag",
    "target_obj_nh": "no flag",
}


def read_cases(folder: Path) -> Iterator[dict[str, str]]:
    """Read all cases of a folder.

    :param folder: where the files are.
    :yields: cases with ``text``, ``functionality`` and ``templ_id``.
    :raises SystemExit: if there is no file of a known form.
    """
    paths = sorted([*folder.glob("*hatecheck*.jsonl"), *folder.glob("test_suite_cases.csv")])
    if not paths:
        raise SystemExit(f"{folder}: neither test_suite_cases.csv nor *hatecheck*.jsonl in it")
    for path in paths:
        with path.open(encoding="utf-8", newline="") as lines:
            if path.suffix == ".csv":
                for row in csv.DictReader(lines):
                    yield {**row, "text": row.get("test_case") or row["text"]}
            else:
                yield from map(json.loads, lines)


def is_right(wanted: str, prediction: Prediction) -> bool:
    """Tell whether a prediction is the wanted one.

    :param wanted: a value of ``WANTED``.
    :param prediction: what was found in the case.
    :return: whether rhetoric is used, is not used, or is not flagged at all, as wanted.
    """
    flagged = [span for span in prediction.spans if span.label in labels.RHETORIC]
    used = any(labels.is_use(span.voice) for span in flagged)
    return {"used": used, "not used": not used, "no flag": not flagged}[wanted]


def main() -> None:
    """Score and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    predictor = Predictor.load(arguments.model)
    templates: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for case in read_cases(arguments.folder):
        if wanted := WANTED.get(case["functionality"]):
            right = is_right(wanted, predictor.predict_one(case["text"]))
            templates[case["functionality"]][case["templ_id"]].append(right)
    figures = {}
    print(f"{predictor.name}\n\n| function | wanted | templates | right | wholly right |")
    print("|---|---|---|---|---|")
    for function, wanted in WANTED.items():
        shares = [sum(cases) / len(cases) for cases in templates[function].values()]
        if shares:
            right, whole = sum(shares) / len(shares), sum(s == 1 for s in shares) / len(shares)
            figures[function] = {"n_templates": len(shares), "right": right, "whole": whole}
            print(f"| `{function}` | {wanted} | {len(shares)} | {right:.2f} | {whole:.2f} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
