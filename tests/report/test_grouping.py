"""One quote that many repeat is one statement; what differs in fact is not."""

import random

import pytest

from forewarn.grouping import group_statements


def row(text, sentence=None, label="VIOLENT_THREAT", speaker=None, target=None):
    parts = {"sentence": sentence, "speaker": speaker, "target": target}
    return {"label": label, "text": text, **parts}


QUOTE = "we will crush the weavers and all who hide them"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (row(QUOTE), row(QUOTE), True),
        (row(QUOTE), row(f"“{QUOTE.title()}!”"), True),
        (row(QUOTE), row(QUOTE.replace("all who", "everyone who")), True),
        (row(QUOTE), row(QUOTE, speaker="Vellin"), True),
        (row(QUOTE), row(QUOTE, label="INCITEMENT"), False),
        (row(QUOTE), row("the weavers will be paid for all that they have lost"), False),
        (row(QUOTE), row(QUOTE.replace("will crush", "will not crush")), False),
        (row(QUOTE), row(QUOTE.replace("will", "won't")), False),
        (row(f"{QUOTE} by 12 May"), row(f"{QUOTE} by 13 May"), False),
        (row("rats", "He called the weavers rats."), row("rats", "A man fed the rats."), False),
        (
            row("rats", "He called the weavers rats."),
            row("rats", "He calls the weavers: rats"),
            True,
        ),
        (row("rats", speaker="A"), row("rats", speaker="B"), False),
        (row("rats", speaker="A"), row("Rats", speaker="a"), True),
        (row(""), row("..."), True),
    ],
)
def test_pairs(one, other, same):
    first, second = group_statements([one, other])
    assert (first == second) is same


def test_numbers_follow_first_appearance():
    rows = [row("rats"), row(QUOTE), row("rats"), row(QUOTE + " now"), row("lice")]
    assert group_statements(rows) == [1, 2, 1, 2, 3]
    assert group_statements([]) == []


def test_forty_agencies_among_thousands():
    draw = random.Random(3)
    words = [f"{a}{b}" for a in "bdfgklmnprst" for b in ("al", "er", "in", "os", "um")]
    rows = [row(" ".join(draw.choices(words, k=12))) for _ in range(4000)]
    openings = ("Today ", "Now ", "Sir, ", "")
    told = [
        f"{draw.choice(openings)}{QUOTE}{draw.choice(('', ' soon', ' here'))}" for _ in range(40)
    ]
    at = draw.sample(range(4000), 40)
    for n, text in zip(at, told, strict=True):
        rows[n] = row(text)
    numbers = group_statements(rows)
    assert len({numbers[n] for n in at}) == 1
    assert len(set(numbers)) == 4000 - 40 + 1
