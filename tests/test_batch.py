"""Runs over many documents: shards, going on after a kill, refusals, signals, nothing lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOUD = "Marshal Quorrel called the weavers lice. He told the Lancers to fire into the crowd."
PLAIN = "The harbour office said that the ferry leaves at nine."


def write_documents(path, n):
    rows = [{"id": f"d{i}", "text": (LOUD, PLAIN)[i % 2], "date": "2024-01-02"} for i in range(n)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def records(folder):
    names = sorted(path for path in folder.glob("records-*.jsonl"))
    return [json.loads(line) for path in names for line in path.read_text().splitlines()]


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


def start(model, *words, **environment):
    command = [sys.executable, "-m", "forewarn", "score", *map(str, words), "--model", str(model)]
    environment = {**os.environ, **environment}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def wait_for_shards(process, folder, n):
    path = folder / "shards.jsonl"
    while process.poll() is None and (not path.exists() or path.read_bytes().count(b"\n") < n):
        time.sleep(0.005)


def test_folder_of_shards(run, tmp_path):
    documents = write_documents(tmp_path / "in.jsonl", 7)
    result = run("score", documents, "-o", tmp_path / "out", "--shard-documents", 3, "--flat")
    assert result.exit_code == 0, result.output
    assert sorted(content(tmp_path / "out")) == [
        ".lock",
        "manifest.json",
        *(f"records-{n:06}.jsonl" for n in range(3)),
        "shards.jsonl",
        *(f"spans-{n:06}.jsonl" for n in range(3)),
        "summary.json",
    ]
    found = records(tmp_path / "out")
    assert [record["id"] for record in found] == [f"d{n}" for n in range(7)]
    assert found[0]["meta"] == {"date": "2024-01-02"} and found[0]["spans"]
    row = json.loads((tmp_path / "out" / "spans-000000.jsonl").read_text().splitlines()[0])
    assert row["document"] == "d0" and row["date"] == "2024-01-02" and "lice" in row["text"]
    assert row["sentence"] == "Marshal Quorrel called the weavers lice."
    assert summary(tmp_path / "out")["n_documents"] == 7
    assert "7 documents in 3 shards" in result.stderr and "errors: none" in result.stderr


def test_folder_holds_what_a_single_file_holds(run, score, tmp_path):
    documents = write_documents(tmp_path / "in.jsonl", 6)
    _, single, _ = score(documents)
    for processes in (1, 2):
        folder = tmp_path / f"out{processes}"
        options = ("--no-gate", "--processes", processes, "--shard-documents", 4)
        assert run("score", documents, "-o", folder, *options).exit_code == 0
        assert records(folder) == single
    assert content(tmp_path / "out1") == content(tmp_path / "out2")


@pytest.mark.parametrize("kind", ["jsonl.gz", "jsonl.zst", "parquet", "csv"])
def test_kinds_of_shards(run, tmp_path, kind):
    documents = write_documents(tmp_path / "in.jsonl", 3)
    assert run("score", documents, "-o", tmp_path / "out", "--format", kind).exit_code == 0
    assert (tmp_path / "out" / f"records-000000.{kind}").stat().st_size > 0


def test_random_kills(request, tiny_model):
    kills = str(request.config.getoption("--kills"))
    words = [sys.executable, ROOT / "benchmarks" / "kills.py", "--kills", kills]
    done = subprocess.run(
        [*words, "--documents", "100", "--model", tiny_model], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"| {kills} |" in done.stdout


def test_line_that_was_cut_by_a_kill_is_written_again(run, tmp_path):
    documents, folder = write_documents(tmp_path / "in.jsonl", 6), tmp_path / "out"
    words = ("score", documents, "-o", folder, "--shard-documents", 2)
    assert run(*words).exit_code == 0
    expected = content(folder)
    (folder / "summary.json").unlink()
    (folder / ".records-000002.jsonl.partial").write_text("half")
    with (folder / "shards.jsonl").open("r+b") as file:
        file.truncate(len(expected["shards.jsonl"]) - 9)
    assert run(*words).exit_code == 0
    assert content(folder) == expected


def test_finished_run_is_not_made_again(run, tmp_path):
    documents, folder = write_documents(tmp_path / "in.jsonl", 2), tmp_path / "out"
    assert run("score", documents, "-o", folder).exit_code == 0
    times = {path: path.stat().st_mtime_ns for path in folder.glob("*.json*")}
    assert run("score", documents, "-o", folder).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.json*")} == times


def test_changed_input_and_options_are_refused_unless_told(run, tmp_path):
    documents, folder = write_documents(tmp_path / "in.jsonl", 4), tmp_path / "out"
    assert run("score", documents, "-o", folder).exit_code == 0
    result = run("score", documents, "-o", folder, "--threshold", "0.9")
    assert result.exit_code == 2
    assert "options differ" in result.stderr and "threshold was None, now 0.9" in result.stderr
    documents.write_text(documents.read_text().replace("nine", "nein"))
    result = run("score", documents, "-o", folder)
    assert result.exit_code == 2 and "input differ" in result.stderr
    assert run("score", documents, "-o", folder, "--restart").exit_code == 0
    assert len(records(folder)) == 4


def test_changed_model_is_refused(run, tiny_model, tmp_path):
    import shutil

    documents, folder = write_documents(tmp_path / "in.jsonl", 2), tmp_path / "out"
    assert run("score", documents, "-o", folder).exit_code == 0
    model = shutil.copytree(tiny_model, tmp_path / "model")
    path = model / "forewarn" / "manifest.json"
    manifest = json.loads(path.read_text())
    (model / "forewarn" / "gate.safetensors").unlink()
    del manifest["files"]["gate.safetensors"]
    path.write_text(json.dumps(manifest))
    result = run("score", documents, "-o", folder, model=model)
    assert result.exit_code == 2 and "model differ" in result.stderr


def test_folder_with_other_files_is_refused(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    documents = write_documents(tmp_path / "in.jsonl", 2)
    for more in ((), ("--restart",)):
        result = run("score", documents, "-o", tmp_path / "out", *more)
        assert result.exit_code == 2 and "holds other files, such as 'mine.txt'" in result.stderr
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep"


def test_missing_shard_is_noticed(run, tmp_path):
    documents, folder = write_documents(tmp_path / "in.jsonl", 4), tmp_path / "out"
    assert run("score", documents, "-o", folder, "--shard-documents", 2).exit_code == 0
    (folder / "records-000001.jsonl").unlink()
    (folder / "summary.json").unlink()
    result = run("score", documents, "-o", folder, "--shard-documents", 2)
    assert result.exit_code == 2 and "records-000001.jsonl" in result.stderr


def test_second_run_on_one_folder_is_refused(run, tiny_model, tmp_path):
    documents, folder = write_documents(tmp_path / "in.jsonl", 3000), tmp_path / "out"
    words = (documents, "-o", folder, "--shard-documents", 10)
    first = start(tiny_model, *words)
    wait_for_shards(first, folder, 1)
    result = run("score", *words)
    first.kill()
    first.communicate()
    assert result.exit_code == 2
    assert f"another run (process {first.pid}) writes here" in result.stderr


def test_workers_end_with_the_run_that_is_killed(tiny_model, tmp_path):
    import psutil

    documents, folder = write_documents(tmp_path / "in.jsonl", 3000), tmp_path / "out"
    process = start(tiny_model, documents, "-o", folder, "--shard-documents", "10")
    wait_for_shards(process, folder, 1)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    assert children
    _, alive = psutil.wait_procs(children, timeout=120)
    assert alive == []


def test_progress_and_rate_on_a_terminal(run, tmp_path, monkeypatch):
    documents = write_documents(tmp_path / "in.jsonl", 4)
    assert "words/s\x1b" not in run("score", documents, "-o", tmp_path / "a").stderr
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes this for a terminal
    monkeypatch.setenv("TERM", "xterm")
    shown = run("score", documents, "-o", tmp_path / "b").stderr
    assert "4 documents, " in shown and "100%" in shown
    assert run("score", documents, "-o", tmp_path / "c", "--quiet").stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_finishes_the_shard_and_says_how_to_go_on(tiny_model, tmp_path, number):
    documents, folder = write_documents(tmp_path / "in.jsonl", 3000), tmp_path / "out"
    process = start(tiny_model, documents, "-o", folder, "--shard-documents", 100)
    wait_for_shards(process, folder, 1)
    process.send_signal(number)
    _, messages = process.communicate()
    assert process.returncode == 128 + number
    assert "run the same command to go on" in messages
    found = records(folder)
    assert 0 < len(found) < 3000 and len(found) % 100 == 0
    assert not (folder / "summary.json").exists()
    assert not list(folder.glob("*.partial"))


def test_full_disk_keeps_the_shards_before(tiny_model, tmp_path):
    """A limit on the size of a file stands in for a full disk: the system refuses to write."""
    documents, folder = write_documents(tmp_path / "in.jsonl", 60), tmp_path / "out"
    with documents.open("a") as file:
        file.write(json.dumps({"id": "long", "text": f"{LOUD} " * 4000}) + "\n")
    words = ["score", documents, "-o", folder, "--shard-documents", "20", "--no-gate"]
    shell = 'ulimit -f 200; exec "$0" -m forewarn "$@"'
    limited = ["bash", "-c", shell, sys.executable, *words, "--model", tiny_model]
    done = subprocess.run([str(word) for word in limited], capture_output=True, text=True)
    assert done.returncode == 2
    assert "shard 3 cannot be written (File too large)" in done.stderr
    assert "the 3 before it are safe" in done.stderr
    assert not list(folder.glob(".*.partial"))
    words = [sys.executable, "-m", "forewarn", *words, "--model", tiny_model]
    assert subprocess.run([str(word) for word in words]).returncode == 0
    assert len(records(folder)) == 61


def test_document_that_crashes_the_extractor(tiny_model, tmp_path):
    """The library is replaced by one that ends the process, as a fault in native code does."""
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "pypdf.py").write_text(
        "import os\n\n\nclass PdfReader:\n    def __init__(self, file):\n        os.abort()\n"
    )
    folder = tmp_path / "in"
    folder.mkdir()
    write_documents(folder / "a.jsonl", 20)
    (folder / "b.pdf").write_bytes(b"%PDF")
    (folder / "c.txt").write_text(LOUD)
    process = start(tiny_model, folder, "-o", tmp_path / "out", PYTHONPATH=str(tmp_path / "fake"))
    process.communicate()
    assert process.returncode == 1
    found = records(tmp_path / "out")
    assert len(found) == 22 and [r["error"] is None for r in found].count(False) == 1
    assert f"{folder / 'b.pdf'}: the process that worked on it died" in found[20]["error"]
    assert found[21]["spans"]
    assert summary(tmp_path / "out")["errors"] == {"crash": 1}


def test_errors_are_counted_by_kind(run, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write_documents(folder / "a.jsonl", 3)
    lines = ['{"id": "d1", "text": "again"}', '{"id": "s", "text": "\\ud83d"}', "{"]
    (folder / "b.jsonl").write_text("\n".join(lines))
    (folder / "c.pdf").write_bytes(b"no")
    result = run("score", folder, "-o", tmp_path / "out")
    assert result.exit_code == 1
    kinds = {"extraction": 1, "repeated id": 1, "scoring": 1, "unreadable": 1}
    assert summary(tmp_path / "out")["errors"] == kinds
    assert "1 extraction, 1 repeated id, 1 scoring, 1 unreadable" in result.stderr
    assert len(records(tmp_path / "out")) == 7


def test_repeated_id_is_noticed_after_a_restart(run, tiny_model, tmp_path):
    documents, folder = write_documents(tmp_path / "in.jsonl", 2000), tmp_path / "out"
    with documents.open("a") as file:
        file.write('{"id": "d0", "text": "again"}\n')
    words = (documents, "-o", folder, "--shard-documents", 10)
    process = start(tiny_model, *words)
    wait_for_shards(process, folder, 2)
    process.kill()
    process.communicate()
    assert run("score", *words).exit_code == 1
    assert "id 'd0' was used before" in records(folder)[2000]["error"]


def test_encodings_found_are_said(run, tmp_path):
    (tmp_path / "a.txt").write_bytes("“He” said: café, naïve. ".encode("cp1252") * 9)
    result = run("score", tmp_path / "a.txt", "-o", tmp_path / "out", "--encoding", "auto")
    assert result.exit_code == 0 and "encodings found: 1 cp1252" in result.stderr
    assert records(tmp_path / "out")[0]["meta"] == {"encoding": "cp1252"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--format", "xml", "-o", "out"), "--format .xml: shards can be .jsonl, "),
        (("--format", "csv"), "need a folder: give one with --output"),
        (("--engine", "ray"), "need a folder: give one with --output"),
        (("--encoding", "klingon"), "unknown encoding: klingon; give a Python name"),
    ],
)
def test_options_that_make_no_sense(run, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    documents = write_documents(tmp_path / "in.jsonl", 1)
    result = run("score", documents, *words)
    assert result.exit_code == 2 and message in result.stderr


def test_standard_input_is_refused(run, tmp_path):
    result = run("score", "-", "-o", tmp_path / "out", stdin=b"text")
    assert result.exit_code == 2 and "write it to a file first" in result.stderr


def test_flat_single_file(run, tmp_path):
    import duckdb

    documents = write_documents(tmp_path / "in.jsonl", 4)
    for kind in ("csv", "duckdb"):
        assert run("score", documents, "--flat", "-o", tmp_path / f"o.{kind}").exit_code == 0
    rows = duckdb.sql(f"SELECT document, text FROM '{tmp_path}/o.csv'").fetchall()
    assert ("d0", "lice") in rows
    with duckdb.connect(str(tmp_path / "o.duckdb")) as database:
        assert database.sql("SELECT document, text FROM spans").fetchall() == rows
