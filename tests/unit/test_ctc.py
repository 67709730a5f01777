"""Decoding."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.engines.ctc import decode

LABELS = ["", "a", "b", "c", " "]


def _path(classes: list[int], sure: float = 0.9, faint_blank: dict[int, float] | None = None) -> np.ndarray:
    probabilities = np.full((len(classes), len(LABELS)), (1 - sure) / (len(LABELS) - 1), np.float32)
    probabilities[:, 4] = 0.0
    probabilities[range(len(classes)), classes] = sure
    for step, value in (faint_blank or {}).items():
        probabilities[step, 4] = value
    return probabilities


def _decode(probabilities: np.ndarray, width: float = 1000):
    return decode(probabilities, LABELS, step=10, offset=0, width=width)


def test_repeats_are_one_letter_unless_a_blank_parts_them() -> None:
    assert _decode(_path([1, 1, 0, 1, 2, 2])).text == "aab"


def test_words_are_parted_at_spaces_and_do_not_overlap() -> None:
    words = _decode(_path([1, 0, 2, 0, 4, 0, 3, 0, 1])).words
    assert [word[0] for word in words] == ["ab", "ca"]
    assert words[0][2] <= words[1][1]


def test_a_word_is_where_its_letters_are() -> None:
    (_, left, right, _) = _decode(_path([0] * 10 + [1, 0, 2] + [0] * 10)).words[0]
    assert left < 105 < 125 < right
    assert right - left < 60


def test_a_wide_gap_with_a_faint_blank_becomes_a_space() -> None:
    steps = [1, 0, 2, 0, 1, 0, 2, 0, 0, 0, 1, 0, 2, 0, 1]
    assert _decode(_path(steps)).text == "abababa"
    assert _decode(_path(steps, faint_blank={8: 0.2})).text == "abab aba"


def test_nothing_read_has_no_confidence() -> None:
    nothing = _decode(_path([0, 0, 0]))
    assert (nothing.text, nothing.confidence, nothing.words) == ("", 0.0, ())


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_words_stay_inside_the_strip_and_hold_all_letters(classes: list[int]) -> None:
    decoded = _decode(_path(classes), width=len(classes) * 10)
    assert "".join(word for word, *_ in decoded.words) == decoded.text.replace(" ", "")
    for _, left, right, confidence in decoded.words:
        assert 0 <= left < right <= len(classes) * 10 + 1
        assert 0 <= confidence <= 1
