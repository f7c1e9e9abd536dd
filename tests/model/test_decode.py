import numpy as np

from forewarn.model.decode import (
    DecodeSettings,
    iter_candidates,
    trim,
    whole_name,
    whole_words,
)
from forewarn.model.windows import Pieces


def pieces(words):
    n = np.arange(len(words))
    return Pieces(n, 5 * n, 5 * n + 4, np.array(words))


def decode(inside, begin=None, words=None, **settings):
    """Decode one label from its inside-or-begin and begin probabilities."""
    inside = np.array(inside, dtype=np.float32)
    begin = np.zeros_like(inside) if begin is None else np.array(begin, dtype=np.float32)
    probabilities = np.stack([1 - inside, begin, inside - begin], axis=1)[:, None, :]
    found = iter_candidates(
        probabilities, pieces(words or range(len(inside))), DecodeSettings(**settings)
    )
    return [(c.start, c.end, round(expit(c.features[0]), 3)) for c in found]


def expit(odds):
    return 1 / (1 + np.exp(-odds))


def test_nothing():
    assert decode([0.0, 0.1, 0.0]) == []
    assert decode([]) == []


def test_run_is_trimmed_to_its_core():
    assert decode([0.0, 0.3, 0.9, 0.7, 0.3, 0.0]) == [(2, 4, 0.8)]


def test_weak_run_is_kept_whole():
    assert decode([0.0, 0.3, 0.4, 0.0]) == [(1, 3, 0.35)]


def test_gap_is_bridged():
    assert decode([0.9, 0.0, 0.9]) == [(0, 3, 0.6)]
    assert decode([0.9, 0.0, 0.0, 0.9]) == [(0, 1, 0.9), (3, 4, 0.9)]


def test_new_beginning_splits():
    assert decode([0.9, 0.9, 0.9], begin=[0.9, 0.1, 0.8]) == [(0, 2, 0.9), (2, 3, 0.9)]


def test_spans_cover_whole_words_and_do_not_overlap():
    assert decode([0.0, 0.9, 0.0, 0.0], words=[0, 1, 1, 2]) == [(1, 3, 0.9)]
    split = decode([0.9, 0.9, 0.9], begin=[0.9, 0.9, 0.0], words=[0, 0, 1])
    assert split == [(0, 2, 0.9), (2, 3, 0.9)]


def test_whole_words():
    assert whole_words(pieces([0, 0, 1, 1, 2]), 1, 3) == (0, 4)


def test_labels_are_decoded_apart():
    probabilities = np.zeros((3, 2, 3), dtype=np.float32)
    probabilities[:, :, 0] = 1
    probabilities[0:2, 0] = probabilities[1:3, 1] = [0, 0, 1]
    found = list(iter_candidates(probabilities, pieces(range(3)), DecodeSettings()))
    assert [(c.label, c.start, c.end) for c in found] == [(0, 0, 2), (1, 1, 3)]


def test_trim():
    text = 'He said: "burn them out," twice.'
    assert text[slice(*trim(text, 8, 26))] == "burn them out"
    assert trim('"', 0, 1) == (0, 1)


def test_whole_name():
    text = "On the hill The Inspector General Hamo Odrin spoke to Gen. Brask. guards"
    start = text.index("Hamo")
    assert text[slice(*whole_name(text, start, start + 4))] == "Inspector General Hamo Odrin"
    start = text.index("Brask")
    assert text[slice(*whole_name(text, start, start + 5))] == "Gen. Brask"
    start = text.index("guards")
    assert whole_name(text, start, start + 6) == (start, start + 6)


def test_features_are_mean_peak_beginning_and_length():
    probabilities = np.zeros((3, 1, 3), dtype=np.float32)
    probabilities[:, 0] = [[0.4, 0.6, 0.0], [0.2, 0.0, 0.8], [1.0, 0.0, 0.0]]
    (found,) = iter_candidates(probabilities, pieces(range(3)), DecodeSettings())
    mean, peak, begin, length = found.features
    assert [round(expit(odds), 3) for odds in (mean, peak, begin)] == [0.7, 0.8, 0.6]
    assert length == np.log(2)
