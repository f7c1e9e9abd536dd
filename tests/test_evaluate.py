import json
from dataclasses import replace

import numpy as np
import pytest

from forewarn.corpus.load import GoldDocument
from forewarn.evaluate import calibration_error, evaluate, place_at_random
from forewarn.matching import iou, match_spans
from forewarn.predictions import Mention, Prediction, ScoredSpan, prediction_to_record
from forewarn.rules import Relation, Span

TEXT = "Marshal Quorrel called the weavers lice. He will burn their looms and them, he said."


def at(piece):
    start = TEXT.index(piece)
    return start, start + len(piece), piece


GOLD = GoldDocument(
    "a",
    TEXT,
    {},
    (
        Span("S1", "SPEAKER", *at("Marshal Quorrel")),
        Span("T1", "TARGET", *at("weavers")),
        Span("R1", "DEHUMANISING_LABEL", *at("lice"), "quoted", "animal"),
        Span("R2", "VIOLENT_THREAT", *at("burn their looms and them"), "quoted"),
    ),
    (
        Relation("spoken_by", "R1", "S1"),
        Relation("targets", "R1", "T1"),
        Relation("spoken_by", "R2", "S1"),
    ),
)
PLAIN = GoldDocument("b", "The ferry leaves at nine, the harbour office said.", {}, (), ())


def scored(piece, label, voice="quoted", form=None, speaker=None, target=None):
    roles = [None if p is None else Mention(*at(p)) for p in (speaker, target)]
    return ScoredSpan(*at(piece), label, form, 0.9, voice, 0.8, *roles, None)


RIGHT = Prediction(
    0.9,
    0.1,
    (
        scored("lice", "DEHUMANISING_LABEL", "quoted", "animal", "Marshal Quorrel", "weavers"),
        scored("burn their looms and them", "VIOLENT_THREAT", "quoted", None, "Marshal Quorrel"),
    ),
)
NOTHING = Prediction(0.1, 0.0, ())


def test_perfect():
    figures = evaluate([GOLD, PLAIN], [RIGHT, NOTHING], n_bootstrap=20)
    micro = figures["spans"]["micro"]
    assert micro["f1_exact"] == micro["f1_overlap"] == micro["f1_chars"] == 1.0
    assert figures["voice_accuracy"] == figures["form_accuracy"] == 1.0
    assert figures["links"]["speaker"]["f1"] == figures["links"]["target"]["f1"] == 1.0
    assert figures["documents"]["mention_average_precision"] == 1.0
    assert figures["documents"]["use_average_precision"] is None
    assert figures["intervals"]["voice_accuracy"] == [1.0, 1.0]


def test_figures_of_a_partly_right_prediction():
    predicted = Prediction(
        0.9,
        0.1,
        (
            scored("lice", "DEHUMANISING_LABEL", "asserted", "filth", "weavers", "weavers"),
            scored("burn their looms", "VIOLENT_THREAT"),
            scored("called", "INCITEMENT"),
        ),
    )
    figures = evaluate([GOLD], [predicted], n_bootstrap=0)
    micro, threat = figures["spans"]["micro"], figures["spans"]["labels"]["VIOLENT_THREAT"]
    assert (micro["n_gold"], micro["n_predicted"]) == (2, 3)
    assert (micro["precision_exact"], micro["recall_exact"]) == (1 / 3, 1 / 2)
    assert (micro["precision_overlap"], micro["recall_overlap"]) == (2 / 3, 1.0)
    assert micro["f1_exact"] == pytest.approx(0.4)
    assert threat["recall_chars"] == pytest.approx(16 / 25)
    assert threat["precision_chars"] == 1.0
    assert figures["voice_accuracy"] == 0.5
    assert figures["form_accuracy"] == 0.0
    speaker, target = figures["links"]["speaker"], figures["links"]["target"]
    assert (speaker["precision"], speaker["recall"]) == (0.0, 0.0)
    assert (target["precision"], target["recall"]) == (1.0, 1.0)


def test_nothing_predicted_and_nothing_there():
    figures = evaluate([PLAIN], [NOTHING])
    assert figures["spans"]["micro"]["f1_exact"] is None
    assert figures["spans"]["macro"]["f1_exact"] is None
    assert figures["voice_accuracy"] is None


def test_chance_keeps_lengths_and_is_far_below():
    figures = evaluate([GOLD] * 10, [RIGHT] * 10, n_bootstrap=0, n_chance=20)
    assert 0 <= figures["chance"]["f1_overlap"] < 0.2
    moved = place_at_random(GOLD, RIGHT, np.random.default_rng(0))
    assert [s.end_char - s.start_char for s in moved.spans] == [4, 25]


def test_interval_holds_the_figure_and_widens_with_disagreement():
    wrong = replace(RIGHT, spans=())
    figures = evaluate([GOLD] * 20, [RIGHT, wrong] * 10, n_bootstrap=300)
    low, high = figures["intervals"]["f1_overlap"]
    assert figures["spans"]["micro"]["f1_overlap"] == pytest.approx(2 / 3)
    assert low < 2 / 3 < high
    assert evaluate([GOLD] * 20, [RIGHT, wrong] * 10, n_bootstrap=300) == figures


def test_as_many_predictions_as_documents():
    with pytest.raises(ValueError, match="2 gold documents but 1 predictions"):
        evaluate([GOLD, PLAIN], [RIGHT])


def test_calibration_error():
    truth, scores = np.array([True, True, False, False]), np.array([0.95, 0.95, 0.05, 0.05])
    assert calibration_error(truth, scores) == pytest.approx(0.05)
    assert calibration_error(~truth, scores) == pytest.approx(0.95)


def test_iou():
    a, b = Span("a", "TARGET", 0, 10, ""), Span("b", "TARGET", 5, 15, "")
    assert iou(a, b) == pytest.approx(5 / 15)
    assert iou(a, replace(b, start_char=10, end_char=12)) == 0.0


def test_matching_is_one_to_one_and_takes_the_best():
    gold = [Span("a", "TARGET", 0, 10, ""), Span("b", "TARGET", 10, 20, "")]
    predicted = [Span("c", "TARGET", 0, 12, ""), Span("d", "TARGET", 0, 10, "")]
    assert match_spans(gold, predicted, least=0.5) == [(0, 1)]
    other = [replace(span, label="SPEAKER") for span in gold]
    assert match_spans(gold, other, least=0.1) == []


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_command(run, tiny_corpus, tmp_path):
    gold = tiny_corpus / "data" / "test.jsonl"
    assert run("score", gold, "-o", tmp_path / "p.jsonl").exit_code == 0
    result = run("evaluate", gold, tmp_path / "p.jsonl", "--output", tmp_path / "f.json")
    assert result.exit_code == 0, result.stderr
    for line in ("all (micro)", "same lengths at random", "voice accuracy", "speaker F1"):
        assert line in result.stdout
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["n_documents"] == 3
    assert figures["spans"]["micro"]["f1_overlap"] > 0.6


def test_command_refuses_predictions_of_other_texts(run, tiny_corpus, tmp_path):
    gold = tiny_corpus / "data" / "test.jsonl"
    record = prediction_to_record("full", RIGHT, "m", "1")
    result = run("evaluate", gold, write(tmp_path / "p.jsonl", [record]))
    assert result.exit_code == 2 and "no prediction for 2 gold documents" in result.stderr
    records = [{**record, "id": id_} for id_ in ("full", "plain", "emoji")]
    result = run("evaluate", gold, write(tmp_path / "p.jsonl", records))
    assert result.exit_code == 2 and "is not in the gold text" in result.stderr
    result = run("evaluate", gold, write(tmp_path / "p.jsonl", [*records, records[0]]))
    assert result.exit_code == 2 and "second record of document 'full'" in result.stderr
    result = run("evaluate", gold, gold)
    assert result.exit_code == 2 and "record 1: not a record of 'forewarn score'" in result.stderr
    records[0]["error"] = "broken"
    result = run("evaluate", gold, write(tmp_path / "p.jsonl", records))
    assert result.exit_code == 2 and "was not scored: broken" in result.stderr
