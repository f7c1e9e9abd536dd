"""Every format by round trip, and the losses that it reports."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from forewarn.annotation.layers import (
    AnnotatedDocument,
    Layer,
    Remarks,
    read_documents,
    write_document,
)
from forewarn.cli import app
from forewarn.formats.convert import FORMATS, export_documents, import_documents
from forewarn.records import Annotation, Gold, Relation, Span

TEXTS = {
    "plain": "Marshal Quorrel called the weavers lice.\nHe told them to shoot the lice.",
    "emoji": "👩\u200d👧 Quorrel 🐀  weavers-lice: shoot the lice!\nE\u0301nd | [1] * _ \\ \t.",
    "right": "قال المارشال Quorrel إن weavers هم lice שלום shoot the lice",
}


def layer(text, annotator="ana"):
    def span(id_, label, words, last=False, **rest):
        start = text.rindex(words) if last else text.index(words)
        return Span(id_, label, start, start + len(words), words, **rest)

    spans = (
        span("S1", "SPEAKER", "orrel"),
        span("T1", "TARGET", "weavers"),
        span("R1", "DEHUMANISING_LABEL", "lice", voice="quoted", form="animal"),
        span("R2", "LETHAL_FORCE_ORDER", "shoot the lice", voice="asserted"),
        span("R3", "DEHUMANISING_LABEL", "lice", True, voice="asserted", form="animal"),
    )
    spans = tuple(sorted(spans, key=lambda s: (s.start_char, s.end_char, s.label)))
    relations = (Relation("spoken_by", "R1", "S1"), Relation("targets", "R1", "T1"))
    relations = (*relations, Relation("spoken_by", "R2", "S1"))
    return Layer(Annotation(annotator, "1.2", spans, relations), Remarks({"R1": "odd"}))


def document(id_):
    text = TEXTS[id_]
    gold = layer(text).annotation
    return AnnotatedDocument(
        id_,
        text,
        {"genre": "speech"},
        (layer(text, "ana"), layer(text, "ben")),
        Gold("carla", "1.2", gold.spans, gold.relations),
    )


def plain(annotation):
    """Spans and relations without ids, which not every format keeps."""
    by_id = {s.id: replace(s, id="") for s in annotation.spans}
    links = {(r.type, by_id[r.head], by_id[r.tail]) for r in annotation.relations}
    return set(by_id.values()), links


@pytest.mark.parametrize("format_", ["label-studio", "brat", "webanno", "docbin"])
def test_nothing_of_a_layer_is_lost(format_, tmp_path):
    documents = [document(id_) for id_ in TEXTS]
    export_documents(documents, tmp_path / "out", format_)
    if format_ == "label-studio":
        sources = [(tmp_path / "out", "")]
    elif format_ == "docbin":
        sources = [(tmp_path / "out" / f"{who}.spacy", who) for who in ("ana", "ben")]
    else:
        sources = [(tmp_path / "out" / who, who) for who in ("ana", "ben")]
    for path, who in sources:
        _, loss = import_documents([path], tmp_path / "back", format_, who)
        assert not loss.lines()
    back = {d.id: d for d in read_documents(tmp_path / "back")}
    for wanted in documents:
        got = back[wanted.id]
        assert got.text == wanted.text
        assert [x.annotation.annotator for x in got.layers] == ["ana", "ben"]
        for a, b in zip(got.layers, wanted.layers, strict=True):
            assert plain(a.annotation) == plain(b.annotation)
            assert not a.aside


def test_conll_reports_what_flattening_loses_and_keeps_the_rest(tmp_path):
    _, loss = export_documents([replace(document("plain"), gold=None)], tmp_path / "out", "conll")
    assert loss.counts == {
        "documents' metadata": 1,
        "spans that overlap with another": 2,
        "spans whose edges fall inside a token": 2,
        "voices": 4,
        "forms": 2,
        "links": 6,
        "notes and confidences": 2,
    }
    lines = (tmp_path / "out" / "ana.conll").read_text().splitlines()
    assert "shoot\tB-LETHAL_FORCE_ORDER" in lines and "the\tI-LETHAL_FORCE_ORDER" in lines
    _, loss = import_documents([tmp_path / "out" / "ana.conll"], tmp_path / "back", "conll", "ana")
    # Voices are gone, so the rules keep the rhetoric aside, and say so.
    assert sum("voice None" in line for line in loss.problems) == 2
    (back,) = read_documents(tmp_path / "back")
    assert back.text == TEXTS["plain"]
    assert [s.text for s in back.layers[0].annotation.spans] == ["Quorrel", "weavers"]


def test_brat_spans_over_lines_are_written_in_pieces(tmp_path):
    text = "They will be\ncrushed to dust."
    span = Span("R1", "VIOLENT_THREAT", 5, 20, text[5:20], "asserted")
    one = AnnotatedDocument("x", text, {}, (Layer(Annotation("ana", "", (span,), ())),))
    export_documents([one], tmp_path, "brat")
    lines = (tmp_path / "ana" / "x.ann").read_text().splitlines()
    assert lines[0] == "T1\tVIOLENT_THREAT 5 12;13 20\twill be crushed"
    import_documents([tmp_path / "ana"], tmp_path / "back", "brat", "ana")
    assert plain(read_documents(tmp_path / "back")[0].layers[0].annotation)[0] == {
        replace(span, id="")
    }


@pytest.mark.parametrize(
    ("format_", "name", "content", "said"),
    [
        ("brat", "a.ann", "T1\tTARGET 0 2\txx", "a.txt: is missing"),
        ("webanno", "a.tsv", "one\ttwo", "not WebAnno TSV 3"),
        ("webanno", "a.tsv", "#FORMAT=WebAnno TSV 3.3\n#T_SP=x.Y|z\n", "has no layer"),
        ("docbin", "a.spacy", "no spacy", "not a .spacy file"),
        ("conll", "a.conll", "dog\tX-ANIMAL\n", "line 1: tag 'X-ANIMAL'"),
        ("label-studio", "a.json", '{"a": 1}', "not an export of Label Studio"),
        ("excel", "a.xls", "", "known are label-studio, brat"),
    ],
)
def test_broken_files_are_named(format_, name, content, said, tmp_path):
    (tmp_path / name).write_text(content)
    words = ["annotate", "import", str(tmp_path / name), "-f", format_, "-o", str(tmp_path / "o")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "o").exists()


def test_what_brat_cannot_prove_is_kept_aside(tmp_path):
    (tmp_path / "a.txt").write_text("The weavers left.")
    (tmp_path / "a.ann").write_text(
        "T1\tTARGET 4 11\tweavers\nT2\tNO_LABEL 12 16\tleft\nT3\tTARGET 0 3\tnot this\n"
        "E1\tEvent:T1\n"
    )
    words = ["annotate", "import", str(tmp_path), "-f", "brat", "-o", str(tmp_path / "o")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    for part in ("NO_LABEL", "'not this'", "E1 is neither"):
        assert part in result.stderr
    (found,) = read_documents(tmp_path / "o")
    assert [s.text for s in found.layers[0].annotation.spans] == ["weavers"]
    assert len(found.layers[0].aside) == 1


def test_export_command_tells_the_loss(tmp_path):
    write_document(tmp_path / "in", document("plain"))
    words = ["annotate", "export", str(tmp_path / "in"), str(tmp_path / "out"), "-f"]
    for format_ in FORMATS:
        assert CliRunner().invoke(app, [*words, format_]).exit_code == 0
    result = CliRunner().invoke(app, [*words, "conll"])
    assert "lost: 9 links" in result.stderr and "3 layers written" in result.stdout
    tasks = json.loads((tmp_path / "out" / "tasks.json").read_text())
    assert len(tasks[0]["annotations"]) == 2


def test_webanno_counts_the_line_breaks_that_it_changes(tmp_path):
    text = "The weavers\r\n\nleft.\n"
    span = Span("T1", "TARGET", 4, 11, "weavers")
    one = AnnotatedDocument("x", text, {}, (Layer(Annotation("ana", "", (span,), ())),))
    _, loss = export_documents([one], tmp_path, "webanno")
    assert loss.counts == {"characters of white space between lines": 3}
    import_documents([tmp_path / "ana"], tmp_path / "back", "webanno", "ana")
    (back,) = read_documents(tmp_path / "back")
    assert back.text == "The weavers  \nleft."
    assert back.layers[0].annotation.spans == (replace(span, id="S1"),)
