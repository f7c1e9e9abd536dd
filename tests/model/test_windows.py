import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.model.windows import iter_blocks, iter_windows, tokenize


@given(st.integers(0, 2000), st.integers(8, 300), st.data())
def test_kept_parts_cover_every_piece_once(n_pieces, size, data):
    overlap = data.draw(st.integers(0, (size - 1) // 2))
    windows = list(iter_windows(n_pieces, size, overlap))
    kept = [piece for w in windows for piece in range(w.keep_start, w.keep_end)]
    assert kept == list(range(n_pieces))
    for window in windows:
        assert window.start <= window.keep_start < window.keep_end <= window.end
        assert window.end - window.start <= size


def test_pieces_at_a_seam_have_context():
    first, second = list(iter_windows(300, 200, 60))
    assert first.keep_end == second.keep_start == 170
    assert second.start == 140


def test_too_large_an_overlap_is_refused():
    with pytest.raises(ValueError, match="less than half of size 10"):
        list(iter_windows(30, 10, 5))


@given(st.text(alphabet="ab \n", max_size=400), st.integers(4, 50))
def test_blocks_cover_the_text(text, size):
    blocks = list(iter_blocks(text, size))
    assert "".join(text[start:end] for start, end in blocks) == text
    assert all(0 < end - start <= size for start, end in blocks)


def test_block_ends_at_a_line_break_if_it_can():
    text = "one two three\nfour five six seven"
    assert [text[s:e] for s, e in iter_blocks(text, 20)] == [
        "one two three\n",
        "four five six seven",
    ]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_offsets_are_code_points_of_the_text(predictor, text):
    pieces = tokenize(predictor.tokenizer, text)
    assert (pieces.starts < pieces.ends).all()
    assert (np.diff(pieces.starts) >= 0).all()
    assert pieces.ends.max(initial=0) <= len(text)
    for id_, start, end in zip(pieces.ids, pieces.starts, pieces.ends, strict=True):
        piece = predictor.tokenizer.id_to_token(int(id_)).removeprefix("##")
        if piece.isascii() and piece.isalnum():
            shown = text[start:end]
            assert piece == shown.lower() or not (shown.isascii() and shown.isprintable())


def test_long_text_is_not_cut(predictor):
    pieces = tokenize(predictor.tokenizer, "weavers " * 5000)
    assert len(pieces) >= 5000
    assert pieces.ends[-1] == 8 * 5000 - 1
