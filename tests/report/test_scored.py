"""Predictions are read back from all that ``forewarn score`` writes; what is broken is named."""

import gzip
import json
import re

import pytest

from forewarn.flat import flatten
from forewarn.outputs import open_output
from forewarn.records import Document
from forewarn.scored import find_documents, read_predictions
from forewarn.sources import BrokenDocument
from report.conftest import META, TEXTS, record, records, span, write_jsonl

BAD_SPAN = span("a b", "a", "IMPUNITY", 0.5)


@pytest.mark.parametrize("kind", [".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_records_of_every_kind(tmp_path, kind):
    path = tmp_path / f"p{kind}"
    with open_output(path, meta=True) as writer:
        for row in records():
            writer.write({**row, "meta": META.get(row["id"])})
    read = read_predictions(path)
    assert [{**row, "meta": None} for row in read] == [{**r, "meta": None} for r in records()]
    assert read[0]["meta"] == META["wire-1"]


def test_folder_of_shards(tmp_path):
    for n, row in enumerate(records()):
        content = json.dumps(row).encode() + b"\n"
        (tmp_path / f"records-{n:06}.jsonl.gz").write_bytes(gzip.compress(content))
    (tmp_path / "summary.json").write_text("{}")
    assert [row["id"] for row in read_predictions(tmp_path)] == [row["id"] for row in records()]


def test_folder_with_both_kinds_of_shards(tmp_path):
    write_jsonl(tmp_path / "records-000000.jsonl", records())
    rows = [flat for row in records() for flat in flatten(row, TEXTS.get(row["id"], ""))]
    write_jsonl(tmp_path / "spans-000000.jsonl", rows)
    assert read_predictions(tmp_path)[0]["mention"] == 0.9
    flat = read_predictions(tmp_path, flat=True)
    assert flat[0]["spans"][2]["sentence"] == "The court called the order unlawful."


@pytest.mark.parametrize("name", ["0_000000.parquet", "0_000000.json"])
def test_folder_that_ray_wrote(tmp_path, name):
    path = tmp_path / f"p{'.parquet' if name.endswith('t') else '.jsonl'}"
    with open_output(path) as writer:
        for row in records():
            writer.write(row)
    path.rename(tmp_path / name)
    assert [row["id"] for row in read_predictions(tmp_path)] == [row["id"] for row in records()]


@pytest.mark.parametrize("kind", [".jsonl", ".parquet"])
def test_flat_rows_become_records_with_sentences(tmp_path, kind):
    path = tmp_path / f"p{kind}"
    with open_output(path, flat=True, meta=True) as writer:
        for row in records():
            known = {**row, "meta": META.get(row["id"], {})}
            for flat in flatten(known, TEXTS.get(row["id"], "")):
                writer.write(flat)
    first, second, _, broken = read_predictions(path)
    assert (first["id"], first["mention"], first["meta"]["source"]) == (
        *("wire-1", None, "Halden Wire"),
    )
    assert first["spans"][0]["speaker"] == {"text": "President Vellin"}
    assert first["spans"][2]["sentence"] == "The court called the order unlawful."
    assert len(second["spans"]) == 2 and broken["error"].startswith("broken:")
    assert flatten(first, None)[2]["sentence"] == "The court called the order unlawful."


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["{"], "p.jsonl, line 1: not valid JSON"),
        (["[1]"], "line 1: not a record of 'forewarn score'"),
        (['{"id": "a"}'], "line 1: not a record"),
        ([json.dumps(record("a", mention=2))], "'mention' is 2, not a number from 0 to 1"),
        ([json.dumps(record("a", use="x"))], "'use' is 'x'"),
        ([json.dumps(record("a") | {"spans": {}})], "'spans' is no list"),
        ([json.dumps(record("a", [3]))], "span 1: not a span"),
        ([json.dumps(record("a", [BAD_SPAN | {"label": None}]))], "span 1: 'label' is missing"),
        ([json.dumps(record("a", [BAD_SPAN | {"end_char": -1}]))], "are no place in a text"),
        ([json.dumps(record("a", [BAD_SPAN | {"score": True}]))], "'score' is True"),
        ([json.dumps(record("a", [BAD_SPAN | {"score": float("nan")}]))], "'score' is nan"),
        ([json.dumps(record("a", [BAD_SPAN | {"speaker": "x"}]))], "'speaker' is not what"),
        ([json.dumps(record("a", [BAD_SPAN | {"responds_to": 4}]))], "'responds_to' names no"),
        ([json.dumps(record("a", meta=[1]))], "'meta' is no JSON object"),
        ([json.dumps(record("a")), json.dumps(record("a"))], "second record of document 'a'"),
    ],
)
def test_broken_predictions(tmp_path, lines, message):
    path = tmp_path / "p.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(ValueError, match=re.escape(message)):
        read_predictions(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.txt", b"", "cannot be read back; score into .jsonl"),
        ("p.parquet", b"no", "not a readable Parquet file"),
        ("p.jsonl.gz", b"no", "cannot be read"),
        ("p.jsonl", b"\xff\n", "line 1: not valid JSON in UTF-8"),
        ("p.jsonl", b'{"label": "IMPUNITY"}', "line 1: not a flat row"),
    ],
)
def test_broken_files(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{re.escape(name)}.*{re.escape(message)}"):
        read_predictions(path)


def test_folder_without_shards(tmp_path):
    with pytest.raises(ValueError, match="no shards"):
        read_predictions(tmp_path)


def test_documents_are_found_by_id():
    documents = [Document(id_, text) for id_, text in TEXTS.items()]
    others = [Document("other", ""), Document("wire-1", "repeated"), BrokenDocument("x", "y")]
    found = find_documents(records(), [*documents, *others])
    assert {id_: document.text for id_, document in found.items()} == TEXTS


def test_other_text_is_refused():
    with pytest.raises(ValueError, match="'rats' is not at character 15"):
        find_documents(records(), [Document("wire-1", "another text")])


def test_same_broken_record_twice_is_kept(tmp_path):
    path = write_jsonl(tmp_path / "p.jsonl", [record("a"), record("a", error="used before")])
    assert [row["error"] for row in read_predictions(path)] == [None, "used before"]
