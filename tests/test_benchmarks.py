"""The benchmarks run in a small size and write their table, plot and figures."""

import json
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def call(script, *words):
    command = [sys.executable, BENCHMARKS / script, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


def test_speed_of_two_systems_in_one_run(tiny_model, tmp_path):
    systems = ("--only", "TF-IDF + logistic regression", "--only", "forewarn, gate, 1 process")
    words = ("--seconds", 0.5, "--no-growth", "--model", tiny_model, "--output", tmp_path)
    done = call("run.py", *systems, *words)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "speed.json").read_text())
    assert len(results) == 4 and all(row["words_a_second"] > 0 for row in results)
    table = (tmp_path / "speed.md").read_text()
    assert "| TF-IDF + logistic regression |" in table
    assert "Could not be measured" not in table
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")


def test_growth_measures_time_and_memory(tiny_model):
    done = call("growth.py", "documents", 30, "--model", tiny_model)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout.splitlines()[-1])
    assert row["amount"] == 30 and row["seconds"] > 0 and row["peak_mb"] > 50


def test_system_that_fails_is_named_in_the_report(tmp_path):
    words = ("--seconds", 0.5, "--no-growth", "--model", "no-such-model", "--output", tmp_path)
    done = call("run.py", "--only", "forewarn, gate, 1 process", *words)
    assert done.returncode == 0, done.stderr
    report = (tmp_path / "speed.md").read_text()
    assert "Could not be measured" in report and "forewarn, gate, 1 process" in report


def test_gate_table_needs_a_gate(tmp_path, tiny_model):
    import shutil

    model = shutil.copytree(tiny_model, tmp_path / "model")
    path = model / "forewarn" / "manifest.json"
    manifest = json.loads(path.read_text())
    (model / "forewarn" / "gate.safetensors").unlink()
    del manifest["files"]["gate.safetensors"]
    path.write_text(json.dumps(manifest))
    done = call("gate.py", "--model", model)
    assert done.returncode == 1 and "fit one with 'forewarn gate'" in done.stderr
