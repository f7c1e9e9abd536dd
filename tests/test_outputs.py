"""Records and flat rows in every kind of output."""

import csv
import gzip
import json
import sqlite3

import pytest
from pyarrow import parquet

from forewarn.flat import COLUMNS, flatten
from forewarn.outputs import KINDS, OutputError, kind_of_output, open_output

TEXT = 'It rained. "These rats came," said Mr Vell. "Shoot\nthem all." The end.'


def span(text, label, **more):
    start = TEXT.index(text)
    place = {"start_char": start, "end_char": start + len(text), "text": text}
    blank = dict.fromkeys(("form", "voice", "voice_score", "speaker", "target", "responds_to"))
    return {**place, "label": label, "score": 0.5, **blank, **more}


VELL = {"start_char": 33, "end_char": 40, "text": "Mr Vell"}
RECORD = {
    "id": "é",
    "mention": 0.9,
    "use": 0.1,
    "model": "m",
    "taxonomy": "1",
    "error": None,
    "spans": [
        span("rats", "DEHUMANISING_LABEL", form="animal", voice="quoted", speaker=VELL),
        span("Shoot\nthem", "LETHAL_FORCE_ORDER", voice="quoted"),
    ],
    "meta": {"date": "2024-01-02", "n": [1]},
}
FAILED = {**RECORD, "id": "b", "mention": None, "use": None, "error": "b: no", "spans": []}


def read(path, table):
    kind = kind_of_output(path)
    if kind in (".jsonl", ".jsonl.gz"):
        lines = gzip.decompress(path.read_bytes()) if kind == ".jsonl.gz" else path.read_bytes()
        return [json.loads(line) for line in lines.splitlines()]
    if kind == ".jsonl.zst":
        import zstandard

        with zstandard.open(path, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    if kind == ".parquet":
        return parquet.read_table(path).to_pylist()
    if kind == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return [{k: v or None for k, v in row.items()} for row in csv.DictReader(file)]
    if kind == ".sqlite":
        database = sqlite3.connect(path)
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f"SELECT * FROM {table}")]
    import duckdb

    with duckdb.connect(str(path), read_only=True) as database:
        found = database.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def loaded(value):
    return json.loads(value) if isinstance(value, str) else value


@pytest.mark.parametrize("kind", KINDS)
def test_records(tmp_path, kind):
    path = tmp_path / f"out{kind}"
    with open_output(path, meta=True) as writer:
        writer.write(RECORD)
        writer.write(FAILED)
    record, failed = read(path, "documents")
    assert record["id"] == "é" and float(record["mention"]) == 0.9 and record["error"] is None
    assert loaded(record["spans"]) == RECORD["spans"]
    assert loaded(record["meta"]) == RECORD["meta"]
    assert failed["error"] == "b: no" and failed["use"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_flat_rows(tmp_path, kind):
    path = tmp_path / f"out{kind}"
    with open_output(path, flat=True, meta=True) as writer:
        for row in (*flatten(RECORD, TEXT), *flatten(FAILED, "")):
            writer.write(row)
    rats, order, failed = read(path, "spans")
    assert list(rats)[: len(COLUMNS)] == list(COLUMNS)
    assert (rats["document"], rats["date"], rats["label"]) == (
        *("é", "2024-01-02", "DEHUMANISING_LABEL"),
    )
    assert rats["speaker"] == "Mr Vell" and rats["target"] is None
    assert float(rats["score"]) == 0.5 and int(rats["start_char"]) == TEXT.index("rats")
    assert rats["sentence"] == '"These rats came," said Mr Vell.'
    assert order["sentence"] == '"Shoot\nthem all."'
    assert failed["error"] == "b: no" and failed["label"] is None


def test_flat_form_of_a_document_without_spans_is_empty():
    assert flatten({**RECORD, "spans": []}, TEXT) == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != ".duckdb"])
def test_same_rows_same_bytes(tmp_path, kind):
    for name in ("a", "b"):
        with open_output(tmp_path / f"{name}{kind}", meta=True) as writer:
            writer.write(RECORD)
    assert (tmp_path / f"a{kind}").read_bytes() == (tmp_path / f"b{kind}").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_lone_surrogates_and_many_rows(tmp_path, kind):
    path = tmp_path / f"out{kind}"
    with open_output(path) as writer:
        for n in range(600):
            bare = {name: value for name, value in FAILED.items() if name != "meta"}
            writer.write({**bare, "id": f"{n}\ud83d"})
    rows = read(path, "documents")
    assert len(rows) == 600 and str(rows[599]["id"]).startswith("599")


@pytest.mark.parametrize("kind", KINDS)
def test_interrupted_output_leaves_nothing(tmp_path, kind):
    with pytest.raises(KeyboardInterrupt), open_output(tmp_path / f"out{kind}") as writer:
        writer.write({k: v for k, v in RECORD.items() if k != "meta"})
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_missing_package_is_named(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "duckdb", None)
    with (
        pytest.raises(OutputError, match=r"forewarn\[documents\]"),
        open_output(tmp_path / "out.duckdb"),
    ):
        pass
