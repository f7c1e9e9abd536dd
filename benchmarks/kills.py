"""Kill a run with SIGKILL at random moments, go on, and compare with an undisturbed run.

python benchmarks/kills.py --kills 20 --output benchmarks/kills.md
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLAIN = "The harbour office said that ferry number {n} leaves at nine."
LOUD = "Marshal Quorrel called weavers number {n} lice. He told the Lancers to shoot them on sight."


def write_documents(path: Path, n_documents: int) -> None:
    with path.open("w") as file:
        for n in range(n_documents):
            text = (LOUD if n % 4 == 0 else PLAIN).format(n=n)
            file.write(json.dumps({"id": f"d{n}", "text": text, "date": "2026-01-01"}) + "\n")


def command(documents: Path, folder: Path, model: str | None) -> list[str]:
    words = [sys.executable, "-m", "forewarn", "score", str(documents), "-o", str(folder)]
    words += ["--flat", "--format", "jsonl.gz", "--shard-documents", "20", "--processes", "1"]
    return [*words, "--quiet", *(["--model", model] if model else [])]


def n_shards(folder: Path) -> int:
    path = folder / "shards.jsonl"
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def wait_and_kill(process: subprocess.Popen, folder: Path, moment: tuple[str, float]) -> bool:
    """Kill at a moment: seconds after the start, or after so many more shards."""
    kind, amount = moment
    before, started = n_shards(folder), time.monotonic()
    while process.poll() is None:
        late = time.monotonic() - started >= amount
        if late if kind == "seconds" else n_shards(folder) - before >= amount:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.001)
    return False


def run_kills(n_kills: int, n_documents: int, model: str | None, seed: int) -> list[dict]:
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        documents, calm = Path(name) / "documents.jsonl", Path(name) / "calm"
        write_documents(documents, n_documents)
        started = time.monotonic()
        subprocess.run(command(documents, calm, model), check=True)
        seconds = time.monotonic() - started
        expected, log, run = content(calm), [], 0
        while True:
            run += 1
            folder = Path(name) / f"run-{run}"
            while not (folder / "summary.json").is_file():
                killing = len(log) < n_kills
                process = subprocess.Popen(command(documents, folder, model))
                if not killing:
                    assert process.wait() == 0
                    break
                by_time = draw.random() < 0.4
                moment = ("seconds", draw.random() * seconds)
                if not by_time:
                    moment = ("shards", draw.choice([0, 1, 1, 1, 2, 3]))
                if wait_and_kill(process, folder, moment):
                    log.append({"run": run, "after": moment, "shards": n_shards(folder)})
            assert content(folder) == expected, f"run {run} differs from the undisturbed run"
            if len(log) >= n_kills:
                return log


def table(log: list[dict], n_documents: int) -> str:
    lines = [
        "# Twenty kills" if len(log) == 20 else f"# {len(log)} kills",
        "",
        f"`python benchmarks/kills.py --kills {len(log)}`: {n_documents} documents in shards of",
        "20, killed with SIGKILL at random moments and started again each time. After the last row",
        "of each run it was let finish; every file was equal, byte for byte, to that of an",
        "undisturbed run. `shards` counts the shards that were finished when the process died.",
        "",
        "| kill | run | moment | shards |",
        "|---|---|---|---|",
    ]
    for n, row in enumerate(log, 1):
        kind, amount = row["after"]
        moment = f"{amount:.2f} s after the start"
        if kind == "shards":
            moment = f"at shard {amount} after the start" if amount else "at once"
        lines.append(f"| {n} | {row['run']} | {moment} | {row['shards']} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    log = run_kills(options.kills, options.documents, options.model, options.seed)
    text = table(log, options.documents)
    print(text)
    if options.output:
        options.output.write_text(text)


if __name__ == "__main__":
    main()
