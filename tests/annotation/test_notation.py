import pytest

from forewarn.annotation.notation import find_snippet, parse, read_blocks, split_blocks

TEXT = 'The army called the rats "rats\nand  mice" 🐀. Rats, said Ilo Marr, must go.'


def test_spans_and_links():
    parsed = parse(
        TEXT,
        [
            "S1 | SPEAKER | - | said ⟦Ilo Marr⟧,",
            "T1 | TARGET | - | called the ⟦rats⟧",
            'R1 | DEHUMANISING_LABEL/animal | quoted | "⟦rats and mice⟧" | by S1 | at T1',
            "R2 | VIOLENT_THREAT | asserted | ⟦must go⟧. | by S1 | at T1",
            "C1 | CONDEMNATION | - | ⟦The army⟧ | re R1, R2",
        ],
    )
    assert parsed.problems == ()
    first = parsed.spans[2]
    assert first.text == "rats\nand  mice" == TEXT[first.start_char : first.end_char]
    assert (first.form, first.voice) == ("animal", "quoted")
    assert {(r.type, r.head, r.tail) for r in parsed.relations} == {
        ("spoken_by", "R1", "S1"),
        ("targets", "R1", "T1"),
        ("spoken_by", "R2", "S1"),
        ("targets", "R2", "T1"),
        ("responds_to", "C1", "R1"),
        ("responds_to", "C1", "R2"),
    }


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("T1 | TARGET | - | ⟦rats⟧", "occurs 2 times, not once: add context"),
        ("T1 | TARGET | - | ⟦cats⟧", "occurs 0 times, not once: copy it exactly"),
        ("T1 | TARGET | - | rats", "mark the span with"),
        ("T1 TARGET rats", "expected: ID | LABEL"),
        ("T1 | RUDENESS | - | called the ⟦rats⟧", "unknown-label"),
        ("R1 | INCITEMENT | - | ⟦must go⟧", "bad-voice"),
        ("R1 | INCITEMENT | quoted | ⟦must go⟧ | by S7", "dangling-relation"),
    ],
)
def test_what_cannot_be_resolved_is_listed(line, problem):
    parsed = parse(TEXT, [line])
    assert len(parsed.problems) == 1
    assert problem in parsed.problems[0]


def test_no_spans_must_be_said():
    assert parse(TEXT, ["none"]).problems == ()
    assert "write 'none'" in parse(TEXT, []).problems[0]


def test_space_at_the_edge_moves_out():
    assert find_snippet("a b c", "a⟦ b ⟧c") == (2, 3)


def test_blocks():
    content = "# note\n=== one\nnone\n\n=== two\nS1 | x\n  S2 | y  \n"
    assert list(split_blocks(content)) == [("one", ["none"]), ("two", ["S1 | x", "S2 | y"])]


def test_lines_before_the_first_header_are_kept():
    assert list(split_blocks("none\n=== one\nnone\n")) == [("", ["none"]), ("one", ["none"])]
    assert list(split_blocks("none\n")) == [("", ["none"])]
    assert list(split_blocks("# note\n\n")) == []


def test_what_belongs_to_no_document_or_to_one_twice_is_listed(tmp_path):
    path = tmp_path / "a.ann"
    path.write_text("S1 | x\n=== one\nnone\n=== two\nS2 | y\n=== one\nS3 | z\n")
    blocks, problems = read_blocks(path)
    assert blocks == {"one": ["none"], "two": ["S2 | y"]}
    assert problems == [
        f"{path}: lines before the first === header, from 'S1 | x'",
        f"{path}, one: 2 blocks with this id",
    ]


def test_sound_blocks_have_no_problems(tmp_path):
    path = tmp_path / "a.ann"
    path.write_text("# note\n\n=== one\nnone\n=== two\n")
    assert read_blocks(path) == ({"one": ["none"], "two": []}, [])
