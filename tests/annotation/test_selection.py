import json

import numpy as np
import pytest
from typer.testing import CliRunner

from forewarn.annotation.selection import entropy, second_opinion, select, uncertainty, vectorise
from forewarn.cli import app
from forewarn.predictions import Prediction

TEXTS = ["trams run late", "trams run late again", "vermin out of the square", "the harvest failed"]


def choose(n, unsure, **options):
    pool, known = vectorise(TEXTS, options.pop("known", []))
    zeros = np.zeros(len(TEXTS))
    return select(n, unsure=np.array(unsure), disputed=zeros, pool=pool, known=known, **options)


def test_entropy_is_highest_in_the_middle():
    assert entropy(0.5) == pytest.approx(1) and entropy(0.0) == pytest.approx(0, abs=1e-9)
    assert uncertainty(Prediction(0.5, 0.0, ())) == pytest.approx(0.5)


def test_unsure_documents_come_first_and_likenesses_wait():
    chosen = choose(3, [0.9, 0.85, 0.5, 0.1], random_share=0)
    # The second is nearly the first, so a less unsure one is taken before it.
    assert [s.index for s in chosen][:2] == [0, 2]
    assert {s.how for s in chosen} == {"chosen"}


def test_what_is_known_is_not_chosen_again():
    chosen = choose(1, [0.9, 0.2, 0.5, 0.1], random_share=0, known=["trams run late"])
    assert chosen[0].index == 2


def test_a_share_is_drawn_at_random_whatever_the_scores():
    drawn = {
        s.index
        for seed in range(40)
        for s in choose(2, [1, 0, 0, 0], random_share=0.5, seed=seed)
        if s.how == "random"
    }
    assert drawn == {0, 1, 2, 3}
    assert len(choose(99, [1, 0, 0, 0])) == 4


@pytest.mark.parametrize(("n", "share"), [(0, 0.2), (1, 1.5)])
def test_bad_numbers_are_refused(n, share):
    with pytest.raises(ValueError, match="expected n"):
        choose(n, [0, 0, 0, 0], random_share=share)


def test_second_opinion_learns_from_what_is_known():
    known = ["vermin must go", "they are vermin", "trams are late", "the harvest is late"]
    pool, vectors = vectorise(TEXTS, known)
    opinion = second_opinion(pool, vectors, [True, True, False, False])
    assert opinion.argmax() == 2
    assert second_opinion(pool, vectors, [True] * 4) is None


def test_command_leaves_out_what_is_annotated(tmp_path):
    pool = tmp_path / "pool.jsonl"
    rows = [{"id": f"d{n}", "text": text} for n, text in enumerate(TEXTS)]
    pool.write_text("".join(json.dumps(row) + "\n" for row in rows))
    known = tmp_path / "known"
    known.mkdir()
    known_row = {"id": "d0", "text": TEXTS[0], "annotations": [], "gold": None}
    (known / "d0.json").write_text(json.dumps(known_row))
    output = tmp_path / "next.jsonl"
    words = ["annotate", "select", str(pool), "--known", str(known), "-n", "2", "-o", str(output)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    chosen = [json.loads(line) for line in output.read_text().splitlines()]
    assert len(chosen) == 2 and "d0" not in {row["id"] for row in chosen}
    assert all(row["text"] == TEXTS[int(row["id"][1])] for row in chosen)
