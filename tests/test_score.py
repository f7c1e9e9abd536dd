"""The contract of ``forewarn score``: kinds of input and output, order, fields."""

import csv
import json
import subprocess
import sys

import pyarrow
import pytest
from pyarrow import parquet

from forewarn import labels
from forewarn.documents import count_bytes, list_files, stream_documents

SOUND = "Marshal Quorrel called the weavers lice. He told the Lancers to fire into the crowd."
RECORD = {"id", "mention", "use", "model", "taxonomy", "error", "spans"}
SPAN = {
    *("start_char", "end_char", "text", "label", "form", "score"),
    *("voice", "voice_score", "speaker", "target", "responds_to"),
}


def check_contract(record, text):
    assert set(record) == RECORD
    assert 0 <= record["use"] <= record["mention"] <= 1
    assert record["model"] == "en_tiny-0.0.1"
    assert record["taxonomy"] == labels.TAXONOMY
    starts = [span["start_char"] for span in record["spans"]]
    assert starts == sorted(starts)
    for span in record["spans"]:
        assert set(span) == SPAN
        assert span["text"] == text[span["start_char"] : span["end_char"]]
        rhetoric = span["label"] in labels.RHETORIC
        assert rhetoric or span["label"] in labels.COUNTER
        assert (span["voice"] in labels.VOICES) is rhetoric
        assert (span["form"] in labels.FORMS) is (span["label"] == "DEHUMANISING_LABEL")
        assert 0 <= span["score"] <= 1
        if span["responds_to"] is not None:
            assert record["spans"][span["responds_to"]]["label"] in labels.RHETORIC


def test_record_of_a_text_file(score, tmp_path):
    (tmp_path / "a.txt").write_text(SOUND)
    status, [record], _ = score(tmp_path / "a.txt")
    assert status == 0
    assert record["id"] == str(tmp_path / "a.txt")
    check_contract(record, SOUND)
    found = {(span["label"], span["text"]) for span in record["spans"]}
    assert ("DEHUMANISING_LABEL", "lice") in found
    assert ("LETHAL_FORCE_ORDER", "fire into the crowd") in found


def test_standard_input(score):
    status, [record], _ = score("-", stdin=SOUND.encode())
    assert status == 0 and record["id"] == "-"
    check_contract(record, SOUND)


def test_folder_is_read_at_any_depth_in_order(score, tmp_path):
    folder = tmp_path / "in"
    (folder / "deep" / "deeper").mkdir(parents=True)
    names = ["a.md", "deep/b.txt", "deep/deeper/c.txt"]
    for name in reversed(names):
        (folder / name).write_text(SOUND)
    (folder / "deep" / "d.jsonl").write_text(json.dumps({"id": "d1", "text": SOUND}) + "\n")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    _, records, _ = score(folder)
    ids = [record["id"] for record in records]
    assert ids == [str(folder / "a.md"), str(folder / "deep/b.txt"), "d1", str(folder / names[2])]


def test_output_inside_a_scored_folder_is_not_read(run, tmp_path):
    (tmp_path / "a.txt").write_text(SOUND)
    output = tmp_path / "out.jsonl"
    for _ in range(2):
        assert run("score", tmp_path, "-o", output).exit_code == 0
        [record] = [json.loads(line) for line in output.read_text().splitlines()]
        assert record["id"] == str(tmp_path / "a.txt")


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_record_formats_in(score, tmp_path, kind):
    rows = [{"id": f"é{n}", "text": f"{SOUND}\r\n{n} 🐀", "n": n} for n in range(5)]
    path = tmp_path / f"in.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n\n" for row in rows))
    elif kind == "csv":
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, ["n", "id", "text"])
            writer.writeheader()
            writer.writerows(rows)
    else:
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    status, records, _ = score(path)
    assert status == 0
    assert [record["id"] for record in records] == [row["id"] for row in rows]
    for record, row in zip(records, rows, strict=True):
        check_contract(record, row["text"])


def test_record_formats_out_hold_the_same(run, tmp_path):
    (tmp_path / "a.txt").write_text(SOUND)
    (tmp_path / "b.txt").write_bytes(b"\xff")
    for kind in ("jsonl", "csv", "parquet"):
        result = run("score", tmp_path / "a.txt", tmp_path / "b.txt", "-o", tmp_path / f"o.{kind}")
        assert result.exit_code == 1
    from_jsonl = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    from_parquet = parquet.read_table(tmp_path / "o.parquet").to_pylist()
    with (tmp_path / "o.csv").open(newline="") as file:
        from_csv = list(csv.DictReader(file))
    assert from_parquet == from_jsonl
    for row, record in zip(from_csv, from_jsonl, strict=True):
        assert json.loads(row["spans"]) == record["spans"]
        assert row["id"] == record["id"] and row["error"] == (record["error"] or "")


def test_without_output_and_terminal_records_go_to_standard_output(run, tmp_path):
    (tmp_path / "a.txt").write_text(SOUND)
    result = run("score", tmp_path / "a.txt")
    check_contract(json.loads(result.stdout), SOUND)


def test_highlight_numbers_the_spans(run, tmp_path):
    (tmp_path / "a.txt").write_text(SOUND)
    result = run("score", tmp_path / "a.txt", "--highlight")
    assert "lice]" in result.stdout
    assert "DEHUMANISING_LABEL (animal)" in result.stdout
    assert "Marshal Quorrel" in result.stdout.split("DEHUMANISING_LABEL")[1]


def test_threshold(score, tmp_path):
    (tmp_path / "a.txt").write_text(SOUND)
    everything = score(tmp_path / "a.txt", options=("--threshold", "0"))[1][0]["spans"]
    scores = [span["score"] for span in everything]
    for threshold in (min(scores), min(scores) + 0.0001):
        kept = score(tmp_path / "a.txt", options=("--threshold", str(threshold)))[1][0]["spans"]
        assert [span["score"] for span in kept] == [s for s in scores if s >= threshold]
    assert len(kept) < len(everything)


def test_quiet_says_nothing(run, tmp_path):
    (tmp_path / "a.txt").write_text(SOUND)
    loud = run("score", tmp_path / "a.txt", "-o", tmp_path / "o.jsonl")
    quiet = run("score", tmp_path / "a.txt", "-o", tmp_path / "o.jsonl", "--quiet")
    assert "1 scored" in loud.stderr
    assert quiet.stderr == "" and quiet.stdout == ""


def test_output_is_whole_or_absent(run, tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text(SOUND)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("forewarn.scoring.score_document", interrupt)
    result = run("score", tmp_path / "a.txt", "-o", tmp_path / "o.jsonl")
    assert result.exit_code == 130
    assert result.stderr == "forewarn: interrupted; nothing was written\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert run("score", tmp_path / "a.txt").stderr == "forewarn: interrupted\n"


def test_reading_reports_every_byte(tmp_path):
    (tmp_path / "a.txt").write_text(SOUND)
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": "é"}) + "\n" + "no\n")
    (tmp_path / "c.csv").write_text("\ufefftext\né\nb\n", encoding="utf-8")
    (tmp_path / "d.txt").write_bytes(b"\xff\xff")
    parquet.write_table(pyarrow.table({"text": ["a", "b", "c"]}), tmp_path / "e.parquet")
    files = list_files([str(tmp_path)])
    told = []
    assert len(list(stream_documents(files, told.append))) == len(told) == 9
    assert min(told) > 0
    assert sum(told) == count_bytes(files) == sum(p.stat().st_size for p in tmp_path.iterdir())
    assert count_bytes(["-", *files]) is None


def test_progress_only_for_several_documents_on_a_terminal(run, tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text(SOUND)
    (tmp_path / "b.txt").write_text(SOUND)
    several = (tmp_path / "a.txt", tmp_path / "b.txt", "-o", tmp_path / "o.jsonl")
    assert "document 2" not in run("score", *several).stderr
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes this for a terminal
    monkeypatch.setenv("TERM", "xterm")
    shown = run("score", *several).stderr
    assert "document 2" in shown and "50%" in shown
    assert "document" not in run("score", *several, "--quiet").stderr
    assert "document" not in run("score", *several[1:]).stderr


def test_closed_pipe_ends_quietly(tiny_model, tmp_path):
    rows = [json.dumps({"id": str(n), "text": "x"}) + "\n" for n in range(50)]
    (tmp_path / "in.jsonl").write_text("".join(rows))
    words = [sys.executable, "-m", "forewarn", "score", tmp_path / "in.jsonl"]
    command = subprocess.Popen(
        [*words, "--model", tiny_model], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    command.stdout.close()
    assert command.stderr.read() == b""
    command.stderr.close()
    assert command.wait() == 1
