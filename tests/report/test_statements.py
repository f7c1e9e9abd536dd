"""The analyst's table, by the command, in every kind of file."""

import csv

import pytest
from openpyxl import load_workbook
from pyarrow import parquet

from forewarn.spreadsheets import CELL_CHARS, TableError, write_table
from forewarn.statements import COLUMNS, GROUPED_COLUMNS
from report.conftest import META, record, span, write_jsonl

QUOTE = "We will crush the weavers and all who hide them"
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1")


def read(path):
    if path.suffix == ".parquet":
        return parquet.read_table(path).to_pylist()
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8-sig") as file:
            return [{k: v or None for k, v in row.items()} for row in csv.DictReader(file)]
    head, *rows = load_workbook(path).active.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize("kind", [".csv", ".parquet", ".xlsx"])
def test_one_row_a_span(forewarn, scored, tmp_path, kind):
    path = tmp_path / f"s{kind}"
    words = ("statements", scored / "predictions.jsonl", "-d", scored / "documents.jsonl")
    result = forewarn(*words, "-o", path)
    assert result.exit_code == 0 and "6 spans, 6 statements" in result.stderr
    assert "1 documents were not scored" in result.stderr
    rows = read(path)
    assert tuple(rows[0]) == COLUMNS and len(rows) == 6
    assert (rows[0]["speaker"], rows[0]["target"], rows[0]["text"]) == (
        *("President Vellin", "weavers", "rats"),
    )
    assert {name: rows[0][name] for name in META["wire-1"]} == META["wire-1"]
    assert rows[0]["sentence"].endswith("said President Vellin of the weavers.")
    assert (rows[0]["voice"], float(rows[0]["score"]), int(rows[0]["start_char"])) == (
        *("quoted", 0.71, 15),
    )


@pytest.fixture
def agencies(tmp_path):
    """Forty agencies that carry one quote, each twice, and one that carries another."""
    records = []
    for n in range(80):
        text = QUOTE + ("." if n % 2 else ", he said")
        said = span(text, QUOTE if n % 3 else text, "VIOLENT_THREAT", 0.5 + n / 200)
        said |= {"voice": "condemned" if n == 7 else "quoted"}
        said |= {"speaker": {"start_char": 0, "end_char": 2, "text": "We" if n % 4 else "he"}}
        meta = {"source": f"agency {n % 40}", "date": f"2024-01-{1 + n % 28:02}"}
        records.append(record(f"d{n}", [said], meta=meta))
    other = span("Shoot them all on sight", "Shoot them all on sight", "LETHAL_FORCE_ORDER", 0.9)
    records.append(record("other", [other], meta={}))
    return write_jsonl(tmp_path / "p.jsonl", records)


@pytest.mark.parametrize("kind", [".csv", ".parquet", ".xlsx"])
def test_one_quote_of_forty_agencies_is_one_statement(forewarn, agencies, tmp_path, kind):
    path = tmp_path / f"s{kind}"
    result = forewarn("statements", agencies, "--grouped", "-o", path)
    assert result.exit_code == 0 and "81 spans, 2 statements" in result.stderr
    quote, other = read(path)
    assert tuple(quote) == GROUPED_COLUMNS
    assert [int(quote[name]) for name in GROUPED_COLUMNS[:4]] == [1, 80, 40, 80]
    assert (quote["first_date"], quote["last_date"]) == ("2024-01-01", "2024-01-28")
    assert quote["voices"] == "quoted (79); condemned"
    assert quote["speakers"] == "We (60); he (20)"
    assert quote["sources"].count("; ") == 39 and float(quote["score"]) == 0.895
    assert other["sources"] is None and int(other["n_sources"]) == 1


def test_flat_predictions_bring_their_sentences(forewarn, tmp_path):
    row = {"document": "a", "date": "2024", "label": "IMPUNITY", "form": None, "voice": "quoted"}
    row |= {"score": 0.5, "text": "none will", "sentence": "He said none will.", "error": None}
    row |= {"speaker": "He", "target": None, "start_char": 8, "end_char": 17}
    result = forewarn(
        *("statements", write_jsonl(tmp_path / "p.jsonl", [row])),
        *("-o", tmp_path / "s.parquet"),
    )
    assert result.exit_code == 0
    [found] = read(tmp_path / "s.parquet")
    assert (found["sentence"], found["speaker"], found["date"]) == (
        *("He said none will.", "He", "2024"),
    )


def table(path, texts):
    columns = ("statement", "text")
    return write_table(path, columns, [{"statement": 1, "text": text} for text in texts])


def test_formulas_do_nothing_in_csv(tmp_path):
    table(tmp_path / "s.csv", FORMULAS)
    assert [row["text"] for row in read(tmp_path / "s.csv")] == [f"'{f}" for f in FORMULAS]


def test_formulas_do_nothing_in_xlsx(tmp_path):
    table(tmp_path / "s.xlsx", (*FORMULAS, "http://example.com", "plain"))
    cells = [row[1] for row in load_workbook(tmp_path / "s.xlsx").active.iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.quotePrefix for cell in cells] == [True] * len(FORMULAS) + [False, False]
    assert [cell.value for cell in cells[:4]] == list(FORMULAS[:4])
    assert not any(cell.hyperlink for cell in cells)


@pytest.mark.parametrize("kind", [".csv", ".parquet", ".xlsx"])
def test_surrogates_and_control_characters(tmp_path, kind):
    table(tmp_path / f"s{kind}", ["a\ud83d", "b\x01c"])
    assert read(tmp_path / f"s{kind}")[0]["text"] == "a\\ud83d"


def test_cells_too_long_for_xlsx_are_cut_and_counted(tmp_path):
    assert table(tmp_path / "s.xlsx", ["x" * (CELL_CHARS + 1), "y"]) == 1
    long = read(tmp_path / "s.xlsx")[0]["text"]
    assert len(long) == CELL_CHARS and long.endswith("[…cut]")
    assert table(tmp_path / "s.parquet", ["x" * (CELL_CHARS + 1)]) == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("s.txt", "use one of .csv, .xlsx, .parquet"),
        ("missing/s.csv", "cannot be written"),
        ("folder.csv", "is a folder"),
    ],
)
def test_table_that_cannot_be_written(tmp_path, name, message):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(TableError, match=message):
        table(tmp_path / name, ["a"])
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


def test_too_many_rows_for_a_sheet(tmp_path, monkeypatch):
    monkeypatch.setattr("forewarn.spreadsheets.SHEET_ROWS", 3)
    with pytest.raises(TableError, match="a sheet holds 2"):
        table(tmp_path / "s.xlsx", ["a"] * 3)
    assert list(tmp_path.iterdir()) == []


def test_nothing_found_gives_a_table_with_its_header(forewarn, tmp_path):
    empty = write_jsonl(tmp_path / "p.jsonl", [record("a")])
    for kind in (".csv", ".parquet", ".xlsx"):
        assert forewarn("statements", empty, "-o", tmp_path / f"s{kind}").exit_code == 0
        assert read(tmp_path / f"s{kind}") == []
