"""Time and peak memory against the number of documents, and against the length of one.

python benchmarks/growth.py documents 1000
python benchmarks/growth.py length 1000000
python benchmarks/growth.py ray 2
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from peak import Peak
from texts import endless, read_texts


def write(path: Path, kind: str, amount: int) -> None:
    texts = read_texts("plain")
    with path.open("w") as file:
        if kind == "length":
            whole = "\n\n".join(texts)
            text = (whole * (amount // len(whole) + 1))[:amount]
            file.write(json.dumps({"id": "long", "text": text}) + "\n")
            return
        for n, (id_, text) in enumerate(endless(texts)):
            if n == amount:
                return
            file.write(json.dumps({"id": id_, "text": text[:400]}) + "\n")


def measure(kind: str, amount: int, model: str | None, n_documents: int) -> dict:
    from forewarn.batch import BatchOptions, score_batch
    from forewarn.distributed import score_with_ray
    from forewarn.workers import WorkerOptions

    peak = Peak()
    with tempfile.TemporaryDirectory() as name:
        worker = WorkerOptions(model, None, gate=True, flat=False)
        if kind == "ray":
            files = []
            for n in range(8):
                files.append(str(Path(name) / f"{n}.jsonl"))
                write(Path(files[-1]), "documents", n_documents // 8)
            import ray

            ray.init(num_cpus=amount + 1, log_to_driver=False, include_dashboard=False)
            started = time.monotonic()
            score_with_ray(files, Path(name) / "out", worker, n_actors=amount)
        else:
            path = Path(name) / "in.jsonl"
            write(path, kind, amount)
            started = time.monotonic()
            options = BatchOptions(worker, n_processes=2)
            score_batch([str(path)], Path(name) / "out", options)
    seconds = time.monotonic() - started
    return {"kind": kind, "amount": amount, "seconds": seconds, "peak_mb": peak.mb}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("documents", "length", "ray"))
    parser.add_argument("amount", type=int)
    parser.add_argument("--documents", type=int, default=4000, help="For ray.")
    parser.add_argument("--model")
    o = parser.parse_args()
    print(json.dumps(measure(o.kind, o.amount, o.model, o.documents)), flush=True)


if __name__ == "__main__":
    main()
