import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.jsonl import dumps, read_json, read_jsonl, write_json, write_jsonl


@given(st.text(st.characters(codec=None)))
def test_any_text_survives(text):
    line = dumps({"text": text})
    assert "\n" not in line
    assert json.loads(line.encode()) == {"text": text}


def test_lines_end_only_at_line_feeds(tmp_path):
    values = [{"text": "a\u2028b\u0085c\r\nd"}, {"text": "é"}]
    assert write_jsonl(tmp_path / "x.jsonl", values) == 2
    assert read_jsonl(tmp_path / "x.jsonl") == values
    assert (tmp_path / "x.jsonl").read_bytes().count(b"\n") == 2


def test_failed_write_leaves_the_old_file(tmp_path):
    write_json(tmp_path / "x.json", {"a": 1})
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    assert read_json(tmp_path / "x.json") == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_broken_json_names_the_file(tmp_path):
    (tmp_path / "x.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(ValueError, match=r"x\.json: not valid JSON in UTF-8"):
        read_json(tmp_path / "x.json")
