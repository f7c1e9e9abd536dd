"""The report page and the table of statements at size: bytes, load time, filter time.

python benchmarks/report_page.py [--documents 5000] [--statements 100000] --output FILE.md

Documents, spans and links are those of the corpus, repeated until there are enough; the scores are
drawn. So no model is needed, and the page is as full as real ones are.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from forewarn.grouping import group_statements

DATA = Path(__file__).parents[1] / "corpus" / "data"
SPLITS = ("train", "validation", "test", "test_ood")


def as_record(raw: dict, id_: str, draw: random.Random) -> dict:
    by_id = {span["id"]: span for span in raw["spans"]}
    links = {(link["type"], link["head"]): by_id[link["tail"]] for link in raw["relations"]}
    names = ("start_char", "end_char", "text")

    def mention(type_: str, head: str) -> dict | None:
        tail = links.get((type_, head))
        return tail and {name: tail[name] for name in names}

    spans = [
        {
            **{name: span[name] for name in (*names, "label", "form", "voice")},
            "score": round(draw.uniform(0.3, 1), 4),
            "voice_score": span["voice"] and round(draw.uniform(0.5, 1), 4),
            "speaker": mention("spoken_by", span["id"]),
            "target": mention("targets", span["id"]),
            "responds_to": None,
        }
        for span in raw["spans"]
        if span["label"] not in ("SPEAKER", "TARGET")
    ]
    scores = {name: round(draw.random(), 4) for name in ("mention", "use")}
    fixed = {"model": "corpus", "taxonomy": "1", "error": None}
    return {"id": id_, **scores, **fixed, "spans": spans}


def write_inputs(folder: Path, n: int) -> tuple[Path, Path, int]:
    draw = random.Random(0)
    lines = [line for split in SPLITS for line in (DATA / f"{split}.jsonl").open()]
    predictions, documents = folder / "predictions.jsonl", folder / "documents.jsonl"
    n_spans = 0
    with predictions.open("w") as scored, documents.open("w") as texts:
        for number, line in enumerate(islice(cycle(lines), n)):
            raw = json.loads(line)
            record = as_record(raw, f"{raw['id']}-{number}", draw)
            n_spans += len(record["spans"])
            scored.write(json.dumps(record) + "\n")
            kept = {"id": record["id"], "source": raw["genre"], "place": raw["country"]}
            texts.write(json.dumps({**kept, "text": raw["text"], "date": raw["date"]}) + "\n")
    return predictions, documents, n_spans


def in_browser(path: Path) -> dict[str, float]:
    from playwright.sync_api import sync_playwright

    timed = "(() => { const t = performance.now(); %s; document.body.offsetHeight; %s })()"
    steps = {
        "filter by words, overview": "$('query').value = 'river'; filter()",
        "free all, overview": "$('query').value = ''; filter()",
        "open the statements": "show('statements')",
        "slider, statements": "$('threshold').value = 0.8; filter()",
        "sort by speaker": "sortBy('speaker')",
        "open the documents": "show('documents')",
        "filter by words, documents": "$('query').value = 'weavers'; filter()",
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        started = time.perf_counter()
        page.goto(path.as_uri(), timeout=120_000)
        seconds = {"load, until everything is shown": time.perf_counter() - started}
        for name, step in steps.items():
            seconds[name] = page.evaluate(timed % (step, "return performance.now() - t")) / 1000
        browser.close()
    return seconds


def many_rows(n: int) -> list[dict]:
    """Sentences of the corpus, half of them with two words exchanged."""
    draw = random.Random(0)
    found = [json.loads(line) for line in (DATA / "sentences-train.jsonl").open()]
    texts = [row["text"] for row in found if len(row["text"].split()) > 4]
    words = sorted({word for text in texts for word in text.split()})
    rows = []
    for number in range(n):
        chosen = draw.choice(texts).split()
        for _ in range(2 * (number % 2)):
            chosen[draw.randrange(len(chosen))] = draw.choice(words)
        blank = dict.fromkeys(("sentence", "speaker", "target"))
        rows.append({"label": "INCITEMENT", "text": " ".join(chosen), **blank})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=5000)
    parser.add_argument("--statements", type=int, default=100_000)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        predictions, documents, n_spans = write_inputs(Path(name), options.documents)
        path = Path(name) / "report.html"
        command = ("report", predictions, "--documents", documents, "--output", path)
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "forewarn", *map(str, command)], check=True)
        made = time.perf_counter() - started
        size, seconds = path.stat().st_size, in_browser(path)
    rows = many_rows(options.statements)
    started = time.process_time()
    n_groups = len(set(group_statements(rows)))
    grouped = time.process_time() - started
    lines = [
        "# The report page at size",
        "",
        "`python benchmarks/report_page.py`: documents and spans of the corpus, repeated, with",
        "drawn scores; Chromium without a window. Wall clock, on 2 cores that other work shared.",
        "",
        f"{options.documents:,} documents, {n_spans:,} statements: {size / 1e6:.1f} MB, made in "
        f"{made:.1f} s.",
        "",
        "| in the browser | seconds |",
        "|---|---|",
        *(f"| {step} | {value:.3f} |" for step, value in seconds.items()),
        "",
        f"Grouping {options.statements:,} statements: {grouped:.1f} s of one core, {n_groups:,} "
        "different.",
    ]
    options.output.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
