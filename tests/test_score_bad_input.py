"""Bad input: every case gives a clear error, and the other documents are scored."""

import json
import shutil
from pathlib import Path

import pytest
from pyarrow import parquet

from forewarn.outputs import open_output

SOUND = "Marshal Quorrel called the weavers lice."


def write_jsonl(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def line(id_: str, text: str = SOUND) -> str:
    return json.dumps({"id": id_, "text": text})


def texts_are_slices(record, text):
    for span in record["spans"]:
        for part in (span, span["speaker"], span["target"]):
            if part is not None:
                assert part["text"] == text[part["start_char"] : part["end_char"]]


def test_empty_text(score, tmp_path):
    (tmp_path / "empty.txt").write_text("")
    status, [record], _ = score(tmp_path / "empty.txt")
    assert status == 0
    assert (record["mention"], record["use"], record["spans"]) == (0.0, 0.0, [])
    assert record["error"] is None


def test_only_emoji(score, tmp_path):
    (tmp_path / "emoji.txt").write_text("🐀👩‍👩‍👧🔥🏳️‍🌈" * 20)
    status, [record], _ = score(tmp_path / "emoji.txt", options=("--threshold", "0"))
    assert status == 0 and record["error"] is None
    texts_are_slices(record, "🐀👩‍👩‍👧🔥🏳️‍🌈" * 20)


def test_crlf_keeps_offsets(score, tmp_path):
    text = f"🐀 First line.\r\n\r\n{SOUND}\r\n"
    (tmp_path / "crlf.txt").write_bytes(text.encode())
    status, [record], _ = score(tmp_path / "crlf.txt", options=("--threshold", "0"))
    assert status == 0
    assert record["spans"]
    texts_are_slices(record, text)


def test_nul_byte(score, tmp_path):
    text = f"A\0B {SOUND}\0"
    (tmp_path / "nul.txt").write_bytes(text.encode())
    status, [record], _ = score(tmp_path / "nul.txt", options=("--threshold", "0"))
    assert status == 0
    assert record["spans"]
    texts_are_slices(record, text)


def test_lone_surrogate(score, tmp_path):
    path = write_jsonl(tmp_path / "in.jsonl", r'{"id": "a", "text": "x \ud83d y"}', line("b"))
    status, [broken, sound], _ = score(path)
    assert status == 1
    assert "lone surrogate (U+D83D) at character 2" in broken["error"]
    assert broken["mention"] is None and broken["spans"] == []
    assert sound["error"] is None


def test_lone_surrogate_in_an_id(score, tmp_path):
    path = write_jsonl(tmp_path / "in.jsonl", r'{"id": "\ud83d", "text": "x"}')
    status, [record], _ = score(path)
    assert status == 0 and record["id"] == "\ud83d"


def test_five_megabytes(score, tmp_path):
    text = f"{SOUND} The harbour office said that the ferry leaves at nine. " * 53_000
    assert len(text) > 5_000_000
    (tmp_path / "long.txt").write_text(text)
    status, [record], _ = score(tmp_path / "long.txt")
    assert status == 0
    assert max(span["start_char"] for span in record["spans"]) > 4_900_000
    texts_are_slices(record, text)


def test_invalid_utf8_names_file_and_byte(score, tmp_path):
    (tmp_path / "bad.txt").write_bytes(b"good \xff bad")
    (tmp_path / "good.txt").write_text(SOUND)
    status, [bad, good], _ = score(tmp_path / "bad.txt", tmp_path / "good.txt")
    assert status == 1
    assert str(tmp_path / "bad.txt") in bad["error"]
    assert "byte 0xff at offset 5" in bad["error"]
    assert good["error"] is None


def test_invalid_utf8_in_jsonl_counts_from_the_start_of_the_file(score, tmp_path):
    path = tmp_path / "in.jsonl"
    first = line("a").encode() + b"\n"
    path.write_bytes(first + b'{"id": "b", "text": "\xe9"}\n' + line("c").encode())
    status, [a, b, c], _ = score(path)
    assert status == 1
    assert f"line 2: not valid UTF-8: byte 0xe9 at offset {len(first) + 21}" in b["error"]
    assert a["error"] is None and c["error"] is None


@pytest.mark.parametrize(("mark", "offset"), [(b"", 17), (b"\xef\xbb\xbf", 20)])
def test_invalid_utf8_in_csv_breaks_only_its_row(score, tmp_path, mark, offset):
    path = tmp_path / "in.csv"
    content = mark + b'id,text\na,good\nb,\xe9\nc,"two\r\nlines"\nd,"two\n\xff"\n'
    path.write_bytes(content)
    status, [a, b, c, d], _ = score(path)
    assert status == 1
    assert f"{path}, record 2: not valid UTF-8: byte 0xe9 at offset {offset}" in b["error"]
    assert f"record 4: not valid UTF-8: byte 0xff at offset {content.rindex(0xFF)}" in d["error"]
    assert a["error"] is None and c["error"] is None
    assert [a["id"], c["id"]] == ["a", "c"]


def test_invalid_utf8_in_the_header_of_a_csv(score, tmp_path):
    (tmp_path / "in.csv").write_bytes(b"id,text,\xe9\na,good,1\n")
    status, [record], _ = score(tmp_path / "in.csv")
    assert status == 1 and "the header is not valid UTF-8: byte 0xe9 at offset 8" in record["error"]


def test_unclosed_quote_in_csv_names_the_lines(score, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text('id,text\na,good\nb,"open\nc,x\nd,y\n')
    status, [a, b], _ = score(path)
    assert status == 1 and a["error"] is None
    assert f"{path}, record 2: lines 3 to 5: not valid CSV" in b["error"]
    assert "close each quote" in b["error"]


def test_stray_quote_in_csv_breaks_only_its_row(score, tmp_path):
    (tmp_path / "in.csv").write_text('id,text\na,"o"dd\nb,good\n')
    status, [a, b], _ = score(tmp_path / "in.csv")
    assert status == 1 and b["error"] is None
    assert "record 1: line 2: not valid CSV" in a["error"]


def test_surplus_cells_in_csv_break_only_their_row(score, tmp_path):
    (tmp_path / "in.csv").write_text("id,text\na,lice, rats, vermin\nb,good\n")
    status, [a, b], _ = score(tmp_path / "in.csv")
    assert status == 1 and b["error"] is None
    assert "record 1: line 2: 2 more cells than the header has" in a["error"]


def test_integer_of_too_many_digits_breaks_only_its_line(score, tmp_path):
    long = '{"id": "b", "text": "x", "n": ' + "1" * 5000 + "}"
    path = write_jsonl(tmp_path / "in.jsonl", line("a"), long, line("c"))
    status, [a, b, c], _ = score(path)
    assert status == 1
    assert f"{path}, line 2: an integer has more than 4300 digits" in b["error"]
    assert a["error"] is None and c["error"] is None


def test_broken_line_in_the_middle(score, tmp_path):
    path = write_jsonl(tmp_path / "in.jsonl", line("a"), '{"id": "b", "text": ', line("c"))
    status, [a, b, c], _ = score(path)
    assert status == 1
    assert f"{path}, line 2: not valid JSON" in b["error"]
    assert [a["id"], b["id"], c["id"]] == ["a", f"{path}:2", "c"]
    assert a["error"] is None and c["error"] is None


@pytest.mark.parametrize("value", ['"just a string"', "[1]", "null"])
def test_line_that_is_no_object(score, tmp_path, value):
    status, [record], _ = score(write_jsonl(tmp_path / "in.jsonl", value))
    assert status == 1 and "a JSON object with 'id' and 'text' is expected" in record["error"]


def test_missing_text_field(score, tmp_path):
    path = write_jsonl(tmp_path / "in.jsonl", '{"id": "a"}', '{"id": "b", "text": 7}', line("c"))
    status, [a, b, c], _ = score(path)
    assert status == 1
    assert "line 1: field 'text' is missing" in a["error"]
    assert "field 'text' is of type int" in b["error"]
    assert c["error"] is None


def test_missing_text_column(score, tmp_path):
    (tmp_path / "in.csv").write_text("id,body\na,x\n")
    status, [record], _ = score(tmp_path / "in.csv")
    assert status == 1 and "no column 'text'; its columns are ['id', 'body']" in record["error"]


def test_duplicate_ids(score, tmp_path):
    path = write_jsonl(tmp_path / "in.jsonl", line("a"), line("b"), line("a"))
    status, records, messages = score(path)
    assert status == 1
    assert [record["error"] is None for record in records] == [True, True, False]
    assert "id 'a' was used before" in records[2]["error"]
    assert "2 scored" in messages and "1 failed" in messages


def test_unwritable_output_folder(run, tmp_path):
    (tmp_path / "in.txt").write_text(SOUND)
    result = run("score", tmp_path / "in.txt", "--output", tmp_path / "nowhere" / "out.jsonl")
    assert result.exit_code == 2
    assert "nowhere/out.jsonl: cannot be written (No such file or directory)" in result.stderr


def test_output_that_is_an_input(run, tmp_path):
    path = write_jsonl(tmp_path / "one.jsonl", line("a"))
    before = path.read_bytes()
    (tmp_path / "link.jsonl").symlink_to(path)
    for output in (path, tmp_path / "link.jsonl"):
        result = run("score", path, "--output", output)
        assert result.exit_code == 2 and "one.jsonl: is both input and output" in result.stderr
    assert path.read_bytes() == before


def test_output_that_is_a_folder(run, tmp_path):
    (tmp_path / "in.txt").write_text(SOUND)
    (tmp_path / "out.jsonl").mkdir()
    result = run(
        "score", tmp_path / "in.txt", "-o", tmp_path / "out.jsonl", model=Path("no-such-model")
    )
    assert result.exit_code == 2 and "out.jsonl: is a folder; give the name" in result.stderr


def test_lone_surrogates_in_parquet_output(tmp_path):
    span = {"text": "x \ud83d", "target": {"start_char": 0, "end_char": 1, "text": "\udcff"}}
    with open_output(tmp_path / "out.parquet") as writer:
        writer.write({"id": "\ud83d", "error": "\udce9: no", "spans": [span]})
    [record] = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert (record["id"], record["error"]) == (r"\ud83d", r"\udce9: no")
    assert record["spans"][0]["text"] == r"x \ud83d"
    assert record["spans"][0]["target"]["text"] == r"\udcff"


def test_unknown_kind_of_output(run, tmp_path):
    (tmp_path / "in.txt").write_text(SOUND)
    result = run("score", tmp_path / "in.txt", "--output", tmp_path / "out.docx")
    assert result.exit_code == 2 and ".jsonl, .parquet, .csv" in result.stderr


def test_input_that_does_not_exist(run, tmp_path):
    result = run("score", tmp_path / "nothing.txt", "--output", tmp_path / "out.jsonl")
    assert result.exit_code == 2 and "no such file or folder" in result.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_folder_without_documents(run, tmp_path):
    (tmp_path / "empty").mkdir()
    result = run("score", tmp_path / "empty")
    assert result.exit_code == 2 and "no files of the kinds" in result.stderr


@pytest.mark.parametrize("name", ["encoder.onnx", "heads.safetensors", "settings.json"])
def test_missing_model_file(run, tiny_model, tmp_path, name):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    (model / "forewarn" / name).unlink()
    (tmp_path / "in.txt").write_text(SOUND)
    result = run("score", tmp_path / "in.txt", model=model)
    assert result.exit_code == 2
    assert f"{name}: file of the model is missing" in result.stderr


@pytest.mark.parametrize("name", ["encoder.onnx", "heads.safetensors", "tokenizer.json"])
def test_tampered_model_file(run, tiny_model, tmp_path, name):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    content = bytearray((model / "forewarn" / name).read_bytes())
    content[len(content) // 2] ^= 1
    (model / "forewarn" / name).write_bytes(content)
    (tmp_path / "in.txt").write_text(SOUND)
    result = run("score", tmp_path / "in.txt", model=model)
    assert result.exit_code == 2
    assert f"{name}: file is not the one in the model's manifest.json" in result.stderr


def test_unknown_model(run, tmp_path):
    (tmp_path / "in.txt").write_text(SOUND)
    result = run("score", tmp_path / "in.txt", model=Path("no-such-model"))
    assert result.exit_code == 2 and "model 'no-such-model' not found" in result.stderr
