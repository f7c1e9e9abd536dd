"""The file that ``forewarn report`` writes, and what it refuses."""

import json
import re

import pytest

from forewarn.report.page import embed_json, render_page
from report.conftest import HOSTILE, record, span, write_jsonl


def data_of(path):
    [data] = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', path.read_text()
    )
    return json.loads(data)


@pytest.mark.parametrize("text", [HOSTILE, "\ud83d", "é 🐀", "<!--<script>", "]]>"])
def test_embedded_json_cannot_leave_its_element(text):
    embedded = embed_json([text])
    assert json.loads(embedded) == [text]
    assert not set(embedded) & set("<>&\u2028\u2029")
    embedded.encode()


def test_page_is_one_file_with_a_policy_for_its_own_parts(report):
    page = report.read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy and "http" not in policy
    assert page.count("<script") == 2
    head, _, rest = page.partition('id="data">')
    for part in (head, rest.partition("</script>")[2]):
        assert not re.search(r"https?://|src=|href=\"[^#]|@import|url\(|innerHTML", part)


def test_same_input_same_page(forewarn, scored, report, tmp_path):
    words = ("report", scored / "predictions.jsonl", "-d", scored / "documents.jsonl")
    assert forewarn(*words, "-o", tmp_path / "r.html").exit_code == 0
    assert (tmp_path / "r.html").read_bytes() == report.read_bytes()


def test_offsets_count_as_javascript_does(report):
    document = data_of(report)["documents"][1]
    first = document["spans"][0]
    utf16 = document["text"].encode("utf-16-le")
    assert utf16[2 * first["start"] : 2 * first["end"]].decode("utf-16-le") == first["text"]
    start, end = first["speaker_place"]
    assert utf16[2 * start : 2 * end].decode("utf-16-le") == "Marshal Quorrel"


def test_without_documents(forewarn, scored, tmp_path, open_page):
    path = tmp_path / "r.html"
    assert forewarn("report", scored / "predictions.jsonl", "-o", path).exit_code == 0
    page = open_page(path)
    assert page.locator(".chart h2", has_text="Over time").count() == 0
    page.click("#tab-statements")
    assert page.locator("#rows td.words").first.inner_text() == "These rats will be crushed"
    page.click("#rows .link >> nth=0")
    assert "make it with --documents" in page.inner_text("#document")
    assert page.locator("#document .found li").count() == 3


def test_no_documents_and_no_statements(forewarn, tmp_path, open_page):
    for name, records in (("none", []), ("empty", [record("a")])):
        predictions = write_jsonl(tmp_path / f"{name}.jsonl", records)
        path = tmp_path / f"{name}.html"
        assert forewarn("report", predictions, "-o", path).exit_code == 0
        page = open_page(path)
        page.click("#tab-statements")
        assert page.inner_text("#rows") == "No statements were found."
        page.click("#tab-documents")


def test_five_thousand_documents_are_shown_in_pages(forewarn, tmp_path, open_page):
    text = "It rained. He called the weavers lice. " + "Trams ran on line 3. " * 60
    records, documents = [], []
    for n in range(5000):
        said = span(text, "lice", "DEHUMANISING_LABEL", (n % 100) / 100, target="weavers")
        records.append(record(f"d{n}", [said] * 2))
        documents.append({"id": f"d{n}", "text": text, "date": f"20{n % 24:02}-05-01"})
    predictions = write_jsonl(tmp_path / "p.jsonl", records)
    given = write_jsonl(tmp_path / "d.jsonl", documents)
    path = tmp_path / "r.html"
    assert forewarn("report", predictions, "-d", given, "-o", path).exit_code == 0
    page = open_page(path)
    page.fill("#query", "d4999")
    page.wait_for_function(
        "document.querySelector('#status').textContent.startsWith('2 of 10,000')"
    )
    page.fill("#query", "")
    for view in ("statements", "documents"):
        page.click(f"#tab-{view}")
        assert page.locator("*").count() < 1500
    assert page.inner_text("#list-place") == "1–50 of 5,000"
    page.click("#list-on")
    assert page.inner_text("#document h2") == "d50"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere.jsonl",), "nowhere.jsonl: no such file or folder"),
        (("p.jsonl", "-o", "r.txt"), "r.txt: give the page a name that ends in .html"),
        (("p.jsonl", "-o", "no/r.html"), "no/r.html: cannot be written"),
        (("p.jsonl", "-d", "no.jsonl"), "no.jsonl: no such file"),
        (("p.jsonl", "-d", "other.jsonl"), "none of the 4 scored documents is in --documents"),
        (("p.jsonl", "-d", "changed.jsonl"), "give the input that was scored"),
    ],
)
def test_what_is_refused(forewarn, scored, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.jsonl").write_bytes((scored / "predictions.jsonl").read_bytes())
    write_jsonl(tmp_path / "other.jsonl", [{"id": "x", "text": "y"}])
    write_jsonl(tmp_path / "changed.jsonl", [{"id": "wire-1", "text": "y"}])
    result = forewarn("report", *words)
    assert result.exit_code == 2 and message in result.stderr
    assert not list(tmp_path.glob("**/*.html"))


def test_documents_that_are_missing_are_counted(forewarn, scored, tmp_path):
    some = (scored / "documents.jsonl").read_text().splitlines(keepends=True)[0]
    (tmp_path / "d.jsonl").write_text(some)
    words = ("report", scored / "predictions.jsonl", "-d", tmp_path / "d.jsonl")
    result = forewarn(*words, "-o", tmp_path / "r.html")
    assert result.exit_code == 0 and "3 scored documents are not in --documents" in result.stderr


def test_data_stands_once(report):
    assert render_page({"documents": ["{{DATA}}"]}).count("{{DATA}}") == 1
