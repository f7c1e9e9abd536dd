"""Every kind of file gives its documents; every broken one says what is wrong with it."""

import gzip
import io
import json

import pytest

from forewarn.documents import InputError, count_bytes, list_files, stream_documents
from forewarn.sources import BrokenDocument, ReadOptions

SENTENCE = "The minister called the strikers vermin and told police to shoot them on sight. "
PAGE = (
    "<html><head><title>News</title><meta charset='utf-8'>"
    "<meta property='article:published_time' content='2024-05-06'></head><body>"
    f"<nav>Home Sport Weather</nav><article><h1>Strike</h1><p>{SENTENCE * 8}</p></article>"
    "<footer>Imprint</footer></body></html>"
)


def read(*paths, **options):
    files = list_files([str(path) for path in paths])
    return list(stream_documents(files, options=ReadOptions(**options)))


def errors(*paths, **options):
    return [d.error for d in read(*paths, **options) if isinstance(d, BrokenDocument)]


def write_pdf(path, text):
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    page = writer.add_blank_page(400, 400)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    content = DecodedStreamObject()
    content.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode())
    page[NameObject("/Contents")] = writer._add_object(content)
    writer.add_metadata({"/Title": "Circular"})
    writer.write(path)


def write_warc(path, *pages):
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=path.suffix == ".gz")
        for n, (kind, content) in enumerate(pages):
            headers = StatusAndHeaders("200 OK", [("Content-Type", kind)], protocol="HTTP/1.1")
            record = writer.create_warc_record(
                f"https://example.org/{n}",
                "response",
                payload=io.BytesIO(content),
                http_headers=headers,
            )
            writer.write_record(record)


def test_web_page_gives_its_main_text(tmp_path):
    (tmp_path / "a.html").write_text(PAGE)
    [document] = read(tmp_path, keep=("title", "date"))
    assert "vermin" in document.text
    assert "Weather" not in document.text and "Imprint" not in document.text
    assert document.meta["title"] and document.meta["date"] == "2024-05-06"


def test_pdf(tmp_path):
    write_pdf(tmp_path / "a.pdf", "These rats came to our city.")
    [document] = read(tmp_path, keep=("title",))
    assert document.text.strip() == "These rats came to our city."
    assert document.meta == {"title": "Circular"}


def test_word_document_with_a_table(tmp_path):
    from docx import Document

    document = Document()
    document.add_paragraph("Before.")
    cells = document.add_table(1, 2).rows[0].cells
    cells[0].text, cells[1].text = "left", "right"
    document.add_paragraph("After.")
    document.save(tmp_path / "a.docx")
    [document] = read(tmp_path)
    assert document.text == "Before.\nleft\tright\nAfter."


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_web_archive_gives_its_pages_in_order(tmp_path, name):
    pages = [("text/html", PAGE.encode()), ("image/png", b"\x89PNG"), ("text/plain", b"Plain.")]
    write_warc(tmp_path / name, *pages)
    page, plain = read(tmp_path, keep=("url", "date"))
    assert [page.id, plain.id] == [f"{tmp_path / name}:1", f"{tmp_path / name}:2"]
    assert "vermin" in page.text and plain.text == "Plain."
    assert plain.meta["url"] == "https://example.org/2" and plain.meta["date"]


def test_saved_dataset(tmp_path):
    from datasets import Dataset, DatasetDict

    rows = Dataset.from_list([{"id": "a", "text": "One.", "n": 7}])
    DatasetDict({"train": rows}).save_to_disk(tmp_path / "saved")
    for where in (tmp_path / "saved", tmp_path):
        [document] = read(where, keep=("*",))
        assert (document.id, document.text, document.meta["n"]) == ("a", "One.", 7)


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_compressed_files(tmp_path, suffix):
    import zstandard

    pack = gzip.compress if suffix == "gz" else zstandard.compress
    contents = {
        "a.jsonl": b'{"id": "j", "text": "One."}\n',
        "b.csv": b"id,text\nc,Two.\n",
        "c.txt": "Dré\r\n".encode(),
        "d.html": PAGE.encode(),
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.{suffix}").write_bytes(pack(content))
    a, b, c, d = read(tmp_path)
    assert [(a.id, a.text), (b.id, b.text), c.text] == [("j", "One."), ("c", "Two."), "Dré\r\n"]
    assert "vermin" in d.text
    told = []
    files = list_files([str(tmp_path)])
    list(stream_documents(files, told.append))
    assert sum(told) == count_bytes(files)


def test_zstandard_of_several_frames(tmp_path):
    import zstandard

    lines = [json.dumps({"text": str(n)}).encode() + b"\n" for n in range(3)]
    (tmp_path / "a.jsonl.zst").write_bytes(b"".join(map(zstandard.compress, lines)))
    assert [d.text for d in read(tmp_path)] == ["0", "1", "2"]


def test_patterns_and_nested_folders(tmp_path):
    (tmp_path / "x" / "y").mkdir(parents=True)
    for name in ("a.txt", "x/b.txt", "x/y/c.md"):
        (tmp_path / name).write_text("t")
    found = list_files([str(tmp_path / "**" / "*.txt")])
    assert found == [str(tmp_path / "a.txt"), str(tmp_path / "x" / "b.txt")]
    with pytest.raises(InputError, match="no file fits this pattern"):
        list_files([str(tmp_path / "*.pdf")])


def test_file_whose_name_looks_like_a_pattern(tmp_path):
    (tmp_path / "a[1].txt").write_text("t")
    assert list_files([str(tmp_path / "a[1].txt")]) == [str(tmp_path / "a[1].txt")]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_columns_by_name_and_what_is_kept(tmp_path, kind):
    import pyarrow
    from pyarrow import parquet

    row = {"url": "u1", "body": "One.", "date": "2024-01-02", "n": 5}
    path = tmp_path / f"a.{kind}"
    if kind == "jsonl":
        path.write_text(json.dumps(row))
    elif kind == "csv":
        path.write_text("url,body,date,n\nu1,One.,2024-01-02,5\n")
    else:
        parquet.write_table(pyarrow.Table.from_pylist([row]), path)
    options = {"text_column": "body", "id_column": "url"}
    [some] = read(path, keep=("date", "absent"), **options)
    assert (some.id, some.text) == ("u1", "One.")
    assert some.meta == {"date": "2024-01-02", "absent": None}
    [everything] = read(path, keep=("*",), **options)
    assert str(everything.meta["n"]) == "5" and "body" not in everything.meta
    assert read(path, **options)[0].meta is None
    assert "'text'" in errors(path)[0]


def test_what_is_kept_is_plain_json(tmp_path):
    import datetime

    import pyarrow
    from pyarrow import parquet

    row = {"text": "t", "day": datetime.date(2024, 1, 2), "x": float("nan"), "l": [{"a": b"1"}]}
    parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "a.parquet")
    [document] = read(tmp_path, keep=("*",))
    meta = {k: v for k, v in document.meta.items() if k != "encoding"}
    assert meta == {"day": "2024-01-02", "x": None, "l": [{"a": "b'1'"}]}


TEXT = "“Café” – naïve façade, déjà vu: the Señor said no. "


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_encoding_is_found_and_said(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes((TEXT * 5).encode(encoding))
    [document] = read(tmp_path, encoding="auto")
    assert document.text.removeprefix("\ufeff") == TEXT * 5
    assert document.meta["encoding"] == encoding


def test_encoding_of_records_is_found(tmp_path):
    line = json.dumps({"id": "a", "text": TEXT}, ensure_ascii=False) + "\n"
    (tmp_path / "a.jsonl").write_bytes((line * 3).encode("cp1252"))
    (tmp_path / "b.csv").write_bytes(f"id,text\nb,{TEXT.replace(',', '')}\n".encode("cp1252"))
    documents = read(tmp_path, encoding="auto")
    assert [d.meta["encoding"] for d in documents] == ["cp1252"] * 4
    assert documents[0].text == TEXT


def test_encoding_is_never_guessed_unasked(tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT.encode("cp1252"))
    [error] = errors(tmp_path)
    assert "a.txt: not valid UTF-8: byte 0x93 at offset 0" in error and "--encoding" in error
    assert read(tmp_path, encoding="cp1252")[0].text == TEXT
    [error] = errors(tmp_path, encoding="ascii")
    assert "not valid ascii" in error


BROKEN = {
    "a.pdf": (b"%PDF-1.4 no", "not a readable pdf file"),
    "a.docx": (b"PK no", "not a readable docx file"),
    "a.html": (b"<html></html>", "no text found in this html file; the page may be drawn"),
    "a.jsonl.gz": (b"no", "cannot be read: Not a gzipped file"),
    "b.jsonl.gz": (gzip.compress(b'{"text": "t"}\n' * 999)[:-30], "cannot be read"),
    "a.txt.zst": (b"no", "cannot be read"),
    "a.warc": (b"no\r\n\r\n", "not a readable WARC file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file(tmp_path, name):
    content, message = BROKEN[name]
    (tmp_path / name).write_bytes(content)
    [error] = errors(tmp_path)
    assert str(tmp_path / name) in error and message in error


def test_pdf_without_text(tmp_path):
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.write(tmp_path / "a.pdf")
    assert "run text recognition (OCR) first" in errors(tmp_path)[0]


def test_locked_pdf(tmp_path):
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "a.pdf")
    assert "locked by a password" in errors(tmp_path)[0]


def test_file_that_vanishes(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    files = list_files([str(tmp_path)])
    (tmp_path / "a.txt").unlink()
    gone, sound = stream_documents(files)
    assert "a.txt: cannot be read: [Errno 2]" in gone.error and sound.text == "b"


def test_missing_package_is_named(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pypdf", None)
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    assert "pip install 'forewarn[documents]'" in errors(tmp_path)[0]
