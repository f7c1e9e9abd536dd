import shutil

import pytest

from forewarn import labels
from forewarn.corpus.stats import corpus_tables, format_tables, plot_tables
from forewarn.jsonl import read_json, write_json


def test_counts_of_the_fixture_corpus(tiny_corpus):
    tables = {title: (columns, rows) for title, columns, rows in corpus_tables(tiny_corpus)}
    columns, rows = tables["Splits"]
    train = dict(zip(columns, rows[0], strict=True))
    assert (train["documents"], train["without rhetoric"], train["spans"]) == (3, 1, 16)
    voices = {row[0]: row[1:] for row in tables["Rhetoric by voice"][1]}
    assert voices["DEHUMANISING_LABEL"] == [0, 0, 0, 8, 0, 8]
    assert voices["all"][-1] == 4 * 9
    assert ["animal", 8] in tables["Dehumanising labels by form"][1]
    assert ["responds_to", 4] in tables["Relations"][1]


@pytest.mark.parametrize(
    ("title", "name"),
    [("Labels by genre", "agency_report"), ("Labels by setting", "protest_crackdown")],
)
def test_labels_by_group(title, name, tiny_corpus):
    tables = {table[0]: table[1:] for table in corpus_tables(tiny_corpus)}
    columns, rows = tables[title]
    assert tuple(columns[1:]) == labels.RHETORIC
    assert [row[0] for row in rows] == [name]
    assert dict(zip(columns, rows[0], strict=True))["DEHUMANISING_LABEL"] == 8


@pytest.mark.parametrize(
    ("brief", "kind"),
    [
        ({"no_rhetoric": "plain: a festival"}, "plain"),
        ({"no_rhetoric": "plain news of violence"}, "hard"),
        ({}, "not asked for"),
    ],
)
def test_plain_documents_by_their_briefs(brief, kind, tiny_corpus, tmp_path):
    corpus = shutil.copytree(tiny_corpus, tmp_path / "corpus")
    path = corpus / "source" / "plain.json"
    raw = read_json(path)
    raw["provenance"]["brief"] = brief
    write_json(path, raw)
    [rows] = [rows for title, _, rows in corpus_tables(corpus) if title == "Plain documents"]
    assert {row[0]: row[-1] for row in rows if row[-1]} == {kind: 4}


def test_tables_are_markdown(tiny_corpus):
    text = format_tables(corpus_tables(tiny_corpus))
    assert "| train | 1 | 3 |" in text
    assert text.count("## ") == len(corpus_tables(tiny_corpus))


def test_plots_are_pictures(tiny_corpus, tmp_path):
    paths = plot_tables(tiny_corpus, tmp_path / "plots")
    assert [path.name for path in paths] == [
        "voices.png",
        "genres.png",
        "settings.png",
        "lengths.png",
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_command(run, tiny_corpus, tmp_path):
    result = run("corpus", "stats", "--corpus", tiny_corpus, "--output", tmp_path / "s.md")
    assert result.exit_code == 0
    assert "## Lengths" in (tmp_path / "s.md").read_text()
