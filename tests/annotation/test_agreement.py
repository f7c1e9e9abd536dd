import logging
import sys
from itertools import product

import numpy as np
import pytest

from forewarn.annotation.agreement import agreement
from forewarn.annotation.agreement_report import format_agreement
from forewarn.annotation.unitising import gamma_figures, unitising_alpha
from forewarn.records import Annotation, Gold, Relation, SourceDocument, Span
from forewarn.sentences import split_sentences

TEXT = (
    'Marshal Quorrel called the weavers lice. "Shoot them!" he said. The guild called it '
    "murderous.\nWeavers stayed at home."
)
A = (
    ("S1", "SPEAKER", "Marshal Quorrel"),
    ("T1", "TARGET", "weavers"),
    ("R1", "DEHUMANISING_LABEL", "lice", "quoted", "animal"),
    ("R2", "LETHAL_FORCE_ORDER", "Shoot them", "quoted"),
    ("C1", "CONDEMNATION", "murderous"),
)
A_LINKS = (
    ("spoken_by", "R1", "S1"),
    ("spoken_by", "R2", "S1"),
    ("targets", "R1", "T1"),
    ("responds_to", "C1", "R2"),
)
B = (
    ("S7", "SPEAKER", "Marshal Quorrel"),
    ("S8", "SPEAKER", "guild"),
    ("T7", "TARGET", "the weavers"),
    ("R7", "DEHUMANISING_LABEL", "lice", "asserted", "animal"),
    ("R8", "LETHAL_FORCE_ORDER", "Shoot", "quoted"),
    ("R9", "ENEMY_FRAMING", "Weavers stayed at home", "asserted"),
    ("C7", "CONDEMNATION", "murderous"),
)
B_LINKS = (
    ("spoken_by", "R7", "S7"),
    ("spoken_by", "C7", "S8"),
    ("targets", "R7", "T7"),
    ("responds_to", "C7", "R8"),
)
NOTHING = ((), ())


def layer(text, spans, links):
    return Annotation(
        "annotator",
        "1.1",
        tuple(
            Span(id_, label, text.index(words), text.index(words) + len(words), words, *rest)
            for id_, label, words, *rest in spans
        ),
        tuple(Relation(*link) for link in links),
    )


def document(*layers, text=TEXT, id_="x-01", genre="wire_brief"):
    return SourceDocument(
        id_,
        text,
        genre,
        "strike",
        "x",
        "Orvana",
        "2020-01-01",
        {},
        tuple(layer(text, *spans_and_links) for spans_and_links in layers),
        Gold("adjudicator", "1.1", (), ()),
    )


DIFFERING = document((A, A_LINKS), (B, B_LINKS))


@pytest.fixture(scope="module")
def figures():
    return agreement([DIFFERING], n_bootstrap=20, gamma=False)


def test_detection_by_hand(figures):
    # Of five sentences A marks 1 and 2, B marks 1, 2 and 5: expected (2*3 + 3*2) / 25 = 0.48.
    assert figures["detection"] == {
        **{"n_sentences": 5, "n_a": 2, "n_b": 3, "agreement_rate": 0.8},
        "kappa": pytest.approx((0.8 - 0.48) / (1 - 0.48)),
    }


def test_spans_by_hand(figures):
    micro = {"n_a": 3, "n_b": 4, "f1_exact": 4 / 7, "f1_overlap": 6 / 7}
    assert figures["spans"]["micro"] == pytest.approx(micro)
    by_label = figures["spans"]["labels"]
    order = {"n_a": 1, "n_b": 1, "f1_exact": 0.0, "f1_overlap": 1.0}
    assert by_label["LETHAL_FORCE_ORDER"] == order
    assert by_label["ENEMY_FRAMING"]["f1_overlap"] == 0.0
    assert by_label["IMPUNITY"] == {"n_a": 0, "n_b": 0, "f1_exact": None, "f1_overlap": None}
    assert "SPEAKER" not in by_label


def test_voice_and_form_by_hand(figures):
    # A reads quoted twice, B once: half is what chance gives.
    assert figures["voice"] == {"n_matched": 2, "agreement_rate": 0.5, "kappa": 0.0}
    assert figures["form"] == {"n_matched": 1, "agreement_rate": 1.0, "kappa": None}


def test_links_by_hand(figures):
    assert figures["links"] == {
        "spoken_by": {"n_a": 2, "n_b": 2, "f1": 0.5},
        "targets": {"n_a": 1, "n_b": 1, "f1": 1.0},
        "responds_to": {"n_a": 1, "n_b": 1, "f1": 1.0},
    }


@pytest.mark.parametrize(("words", "f1"), [("weav", 1.0), ("weavers lice", 1.0), ("wea", 0.0)])
def test_tails_that_overlap_too_little_differ(words, f1):
    spans = [("T7", "TARGET", words) if row[0] == "T7" else row for row in B]
    figures = agreement([document((A, A_LINKS), (spans, B_LINKS))], n_bootstrap=0, gamma=False)
    assert figures["links"]["targets"] == {"n_a": 1, "n_b": 1, "f1": f1}


@pytest.mark.parametrize("answered", ["R7", "R9"])
def test_an_answer_to_another_span_differs(answered):
    links = (*B_LINKS[:3], ("responds_to", "C7", answered))
    figures = agreement([document((A, A_LINKS), (B, links))], n_bootstrap=0, gamma=False)
    assert figures["links"]["responds_to"] == {"n_a": 1, "n_b": 1, "f1": 0.0}


def test_links_of_spans_that_do_not_match_are_left_out():
    links = (*B_LINKS, ("targets", "R9", "T7"))
    figures = agreement([document((A, A_LINKS), (B, links))], n_bootstrap=0, gamma=False)
    assert figures["links"]["targets"] == {"n_a": 1, "n_b": 1, "f1": 1.0}


def test_genres_are_apart_and_empty_ones_have_no_figures():
    documents = [DIFFERING, document(NOTHING, NOTHING, id_="y-01", genre="sermon")]
    figures = agreement(documents, n_bootstrap=0, gamma=False)
    assert figures["genres"] == {
        "sermon": {
            **{"n_documents": 1, "voice_agreement_rate": None},
            **{"f1_overlap": None, "interval": None},
        },
        "wire_brief": {
            **{"n_documents": 1, "voice_agreement_rate": 0.5, "interval": None},
            "f1_overlap": pytest.approx(6 / 7),
        },
    }
    assert figures["detection"]["n_sentences"] == 10


def test_nothing_marked_gives_no_figures_and_still_a_report():
    figures = agreement([document(NOTHING, NOTHING)], n_bootstrap=5, gamma=False)
    assert figures["detection"]["agreement_rate"] == 1.0
    assert figures["detection"]["kappa"] is None
    assert figures["voice"] == {"n_matched": 0, "agreement_rate": None, "kappa": None}
    assert figures["unitising_alpha"]["mean"] is None
    assert figures["spans"]["chance"] == {"f1_exact": None, "f1_overlap": None}
    assert set(figures["intervals"].values()) == {None}
    assert "| spans, F1 exact | - |  |" in format_agreement(figures)


def test_chance_moves_spans_only_where_there_is_room():
    text = "Kill them all"
    whole = (("R1", "VIOLENT_THREAT", text, "asserted"),)
    filled = document((whole, ()), (whole, ()), text=text)
    figures = agreement([filled], n_bootstrap=0, gamma=False)
    assert figures["spans"]["chance"] == {"f1_exact": 1.0, "f1_overlap": 1.0}
    roomy = document((whole, ()), (whole, ()), text=text + " and go home." * 40)
    figures = agreement([roomy], n_bootstrap=0, gamma=False)
    assert figures["spans"]["chance"]["f1_overlap"] < 0.2
    assert figures["spans"]["micro"]["f1_exact"] == 1.0


def test_intervals_of_one_document_are_its_figures(figures):
    points = {
        "detection_kappa": figures["detection"]["kappa"],
        "f1_exact": 4 / 7,
        "f1_overlap": 6 / 7,
        "voice_kappa": 0.0,
        "spoken_by_f1": 0.5,
        "targets_f1": 1.0,
        "responds_to_f1": 1.0,
    }
    intervals = figures["intervals"]
    for name, value in points.items():
        assert intervals[name] == pytest.approx([value, value])
    assert intervals["LETHAL_FORCE_ORDER"] == [1.0, 1.0]
    assert intervals["ENEMY_FRAMING"] == [0.0, 0.0]
    assert intervals["IMPUNITY"] is None


def test_intervals_widen_with_documents_that_differ_and_repeat_with_the_seed():
    same = document((A, A_LINKS), (A, A_LINKS), id_="y-01")
    documents = [DIFFERING, same, same, DIFFERING]
    first, again, other = (
        agreement(documents, n_bootstrap=200, seed=seed, gamma=False) for seed in (1, 1, 2)
    )
    low, high = first["intervals"]["f1_exact"]
    assert low == pytest.approx(4 / 7)
    assert low < first["spans"]["micro"]["f1_exact"] < high == 1.0
    assert first == again
    assert first["spans"]["micro"] == other["spans"]["micro"]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two!  Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("“Go home.” He left.", ["“Go home.”", "He left."]),
        ("A headline\n\n - a point\r\nEnd. ", ["A headline", "- a point", "End."]),
        ("At 3.15 p.m. it ended.", ["At 3.15 p.m.", "it ended."]),
        (" \n", []),
    ],
)
def test_sentences(text, sentences):
    assert [text[start:end] for start, end in split_sentences(text)] == sentences


@pytest.mark.parametrize(
    ("a", "b", "alpha"),
    [
        ([(2, 5)], [(2, 5)], 1.0),
        ([(0, 2), (2, 4)], [(0, 4)], 1.0),
        # n 4, d 4, Q 8: 1 - 4 * (400 - 8 - 16) / (20 * 4 * 16)
        ([(0, 2)], [(5, 7)], -0.175),
        # n 5, d 5, Q 25: 1 - 5 * (400 - 25 - 15) / (20 * 5 * 15)
        ([(0, 5)], [], -0.2),
        # n 8, d 4, Q 32: 1 - 4 * (400 - 32 - 12) / (20 * 8 * 12)
        ([(0, 4)], [(2, 6)], 1 - 1424 / 1920),
        ([], [], None),
        ([(0, 10)], [(0, 4), (4, 10)], None),
    ],
)
def test_unitising_alpha_by_hand(a, b, alpha):
    assert unitising_alpha(a, b, 10) == (alpha if alpha is None else pytest.approx(alpha))
    assert unitising_alpha(b, a, 10) == unitising_alpha(a, b, 10)


def alpha_by_pairs(a, b, length):
    """Alpha from its definition: pair every character of both annotators with every other."""
    characters = []
    for who, units in enumerate((a, b)):
        unit_of = {c: n for n, (start, end) in enumerate(units) for c in range(start, end)}
        characters += [(who, c, unit_of.get(c)) for c in range(length)]
    n_pairs = n_differing = 0
    for x, y in product(characters, repeat=2):
        if x == y or (x[0] == y[0] and x[2] is not None and x[2] == y[2]):
            continue
        n_pairs += 1
        n_differing += (x[2] is None) != (y[2] is None)
    found = [x[2] is None for x in characters]
    observed = sum(x != y for x, y in zip(found[:length], found[length:], strict=True)) / length
    return 1 - observed / (n_differing / n_pairs)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([(0, 3), (7, 9), (9, 15)], [(1, 4), (12, 20)]),
        ([(5, 6)], [(5, 30)]),
        ([(0, 1), (3, 10), (20, 24)], [(0, 1), (2, 10), (21, 24), (28, 30)]),
    ],
)
def test_unitising_alpha_is_what_pairs_by_chance_give(a, b):
    assert unitising_alpha(a, b, 30) == pytest.approx(alpha_by_pairs(a, b, 30))


def test_alpha_runs_over_all_documents_and_is_weighted_by_spans():
    second = document((A, A_LINKS), (A, A_LINKS), id_="y-01")
    figures = agreement([DIFFERING, second], n_bootstrap=0, gamma=False)["unitising_alpha"]
    n = len(TEXT)
    start = TEXT.index("Shoot")
    order = unitising_alpha(
        [(start, start + 10), (n + start, n + start + 10)],
        [(start, start + 5), (n + start, n + start + 10)],
        2 * n,
    )
    start = TEXT.index("Weavers")
    framing = unitising_alpha([], [(start, start + 22)], 2 * n)
    assert figures["labels"]["LETHAL_FORCE_ORDER"] == pytest.approx(order)
    assert figures["labels"]["CONDEMNATION"] == 1.0
    assert figures["labels"]["IMPUNITY"] is None
    # Four orders, four condemnations, four labels, one framing.
    assert figures["mean"] == pytest.approx((4 * order + 4 + 4 + framing) / 13)


def test_gamma_is_1_for_equal_spans_and_less_for_others():
    pytest.importorskip("pygamma_agreement")
    same = document((A, A_LINKS), (A, A_LINKS))
    empty = document(NOTHING, NOTHING, id_="y-01")
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    handlers = list(logging.getLogger().handlers)
    assert gamma_figures([same, empty]) == {"mean": 1.0, "n_documents": 1, "n_spans": 6}
    assert np.random.random() == expected
    assert logging.getLogger().handlers == handlers
    assert gamma_figures([empty]) == {"mean": None, "n_documents": 0, "n_spans": 0}
    figures = agreement([DIFFERING], n_bootstrap=0, seed=3)
    assert figures["gamma"] == gamma_figures([DIFFERING], seed=3)
    assert 0 < figures["gamma"]["mean"] < 1
    assert gamma_figures([document((A, A_LINKS), NOTHING)])["mean"] < 0.1
    assert "spans, gamma (1 documents)" in format_agreement(figures)


def test_gamma_without_its_library_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygamma_agreement", None)
    with pytest.raises(ImportError, match=r"pip install 'forewarn\[annotate\]'"):
        agreement([DIFFERING], n_bootstrap=0)


def test_documents_without_two_annotations_are_refused():
    with pytest.raises(ValueError, match="no documents"):
        agreement([])
    with pytest.raises(ValueError, match="'x-01': agreement needs 2 annotations, found 1"):
        agreement([document((A, A_LINKS))])


def test_report_holds_the_figures_in_tables_that_are_whole(figures):
    report = format_agreement(figures)
    alpha = unitising_alpha([(0, 10)], [(0, 5)], len(TEXT))
    for row in (
        "| rhetoric in a sentence, Cohen's kappa | 0.615 | 0.615 to 0.615 |",
        f"| LETHAL_FORCE_ORDER | 1 | 1 | 0.000 | 1.000 | 1.000 to 1.000 | {alpha:.3f} |",
        "| spoken_by | 2 | 2 | 0.500 |",
        "| wire_brief | 1 | 0.857 | 0.857 to 0.857 | 0.500 |",
    ):
        assert row in report
    for table in report.split("\n\n"):
        if table.startswith("|"):
            assert len({line.count("|") for line in table.splitlines()}) == 1
