"""Measure Forewarn and its peers on the same documents in one run; write tables and plots.

python benchmarks/run.py                      (about 40 minutes on two free cores)
python benchmarks/run.py --seconds 2 --small  (to see that it works)
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from systems import SYSTEMS  # noqa: E402
from texts import KINDS  # noqa: E402

SIZES = {
    False: {
        "documents": (1000, 10_000, 100_000),
        "length": (100_000, 1_000_000, 10_000_000, 50_000_000),
        "ray": (1, 2),
    },
    True: {"documents": (100, 400), "length": (10_000, 100_000), "ray": (1,)},
}
PRICE = 0.04
"""Dollars for an hour of one rented core, to turn hours into money; change it to yours."""


def call(script: str, *words: object) -> dict:
    command = [sys.executable, str(HERE / script), *map(str, words)]
    print(" ".join(command[1:]), file=sys.stderr, flush=True)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["died"])[-1]
        return {"failed": reason, "words": [str(word) for word in words]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def speed_table(results: list[dict]) -> str:
    lines = [
        "| system | words/s plain | words/s rhetoric | documents/s plain | start, s | peak, MB |"
    ]
    lines += ["|---|---|---|---|---|---|"]
    for name in SYSTEMS:
        found = {r["kind"]: r for r in results if r.get("system") == name}
        if not found:
            continue
        first = next(iter(found.values()))
        cells = [f"{found[kind]['words_a_second']:,.0f}" if kind in found else "" for kind in KINDS]
        lines.append(
            f"| {name} | {cells[0]} | {cells[1]} | {first['documents_a_second']:.1f} | "
            f"{first['startup']:.1f} | {first['peak_mb']:.0f} |"
        )
    return "\n".join(lines)


def ratio_lines(results: list[dict]) -> list[str]:
    speeds = {r["system"]: r["words_a_second"] for r in results if r.get("kind") == "plain"}
    lines = []
    for ours in ("forewarn, gate, 2 processes", "forewarn, 2 processes"):
        for other in ("BERT-base classifier", "spaCy small English"):
            if ours in speeds and other in speeds:
                lines.append(f"- {ours} / {other}: {speeds[ours] / speeds[other]:.1f} times")
    return lines


def cost_lines(results: list[dict]) -> list[str]:
    lines = []
    for r in results:
        if r.get("kind") == "plain" and r["system"].startswith("forewarn, gate"):
            hours = 1e6 / r["documents_a_second"] / 3600
            n = 2 if "2 processes" in r["system"] else 1
            lines.append(
                f"- {r['system']}: {hours:.1f} hours for a million documents of "
                f"{r['n_words'] / r['n_documents']:.0f} words, {hours * n * PRICE:.2f} dollars at "
                f"{PRICE} a core and hour (extrapolated)"
            )
    return lines


def growth_table(results: list[dict]) -> str:
    heads = {"documents": "documents", "length": "characters in one", "ray": "Ray actors"}
    lines = ["| what grows | amount | seconds | peak memory, MB |", "|---|---|---|---|"]
    for r in results:
        if "amount" in r:
            lines.append(
                f"| {heads[r['kind']]} | {r['amount']:,} | {r['seconds']:.1f} | "
                f"{r['peak_mb']:.0f} |"
            )
    return "\n".join(lines)


def report(results: list[dict], options: argparse.Namespace) -> str:
    failed = [f"- {' '.join(r['words'])}: {r['failed']}" for r in results if "failed" in r]
    model = options.model or "the default model"
    parts = [
        "# Speed",
        f"`python benchmarks/run.py --seconds {options.seconds:g}"
        f"{' --small' if options.small else ''}` on {date.today()}, {os.cpu_count()} cores "
        f"({platform.machine()}), load {os.getloadavg()[0]:.1f} at the end; {model}. All systems "
        "ran one after the other on the same documents: the corpus' test documents without spans "
        "(plain; many are near misses, written to be confused with rhetoric) and with spans. "
        "BERT-base and spancat have random weights, and so has spaCy's pipeline unless "
        "en_core_web_sm is installed; this does not change what they compute for a text, and "
        "hardly how long.",
        speed_table(results),
        "\n".join(ratio_lines(results)),
        "\n".join(cost_lines(results)),
        "## Growth",
        "Gate on, two processes; documents of 400 characters; memory of all processes together.",
        growth_table(results),
    ]
    if failed:
        parts += ["## Could not be measured", "\n".join(failed)]
    return "\n\n".join(part for part in parts if part) + "\n"


def plot(results: list[dict], path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, (speed, memory) = pyplot.subplots(1, 2, figsize=(12, 4))
    plain = [r for r in results if r.get("kind") == "plain"]
    speed.barh([r["system"] for r in plain], [r["words_a_second"] for r in plain])
    speed.set_xscale("log")
    speed.set_xlabel("words a second, plain text")
    speed.invert_yaxis()
    for kind, label in (("documents", "number of documents"), ("length", "characters in one")):
        rows = [r for r in results if r.get("kind") == kind]
        memory.plot(
            [r["amount"] for r in rows], [r["peak_mb"] for r in rows], marker="o", label=label
        )
    memory.set_xscale("log")
    memory.set_ylim(bottom=0)
    memory.set_ylabel("peak memory, MB")
    memory.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="For each system and text.")
    parser.add_argument("--small", action="store_true", help="Small sizes for growth.")
    parser.add_argument("--plain", type=Path, help="A .jsonl with other plain texts.")
    parser.add_argument("--model")
    parser.add_argument("--only", action="append", choices=SYSTEMS, help="Some systems.")
    parser.add_argument("--no-growth", action="store_true")
    parser.add_argument("--output", type=Path, default=HERE / "results")
    options = parser.parse_args()
    model = ["--model", options.model] if options.model else []
    results = []
    for name in options.only or SYSTEMS:
        for kind in KINDS:
            texts = ["--texts", options.plain] if options.plain and kind == "plain" else []
            words = [name, "--kind", kind, "--seconds", options.seconds, *texts, *model]
            results.append(call("systems.py", *words))
    for kind, amounts in {} if options.no_growth else SIZES[options.small].items():
        results += [call("growth.py", kind, amount, *model) for amount in amounts]
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "speed.json").write_text(json.dumps(results, indent=1) + "\n")
    (options.output / "speed.md").write_text(report(results, options))
    plot(results, options.output / "speed.png")
    print(report(results, options))


if __name__ == "__main__":
    main()
