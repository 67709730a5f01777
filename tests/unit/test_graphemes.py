"""What counts as a character and as an error."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from archive_pipeline.evaluation.graphemes import line_errors, segments

LETTERS = st.text(st.sampled_from("abcſé ñ"), max_size=30)


@pytest.mark.parametrize(
    ("truth", "read", "errors", "characters"),
    [
        ("abc", "abc", 0, 3),
        ("cafe\u0301", "café", 0, 4),
        ("q\u0303ue per\u0303", "que per", 2, 7),
        ("q\u0303", "", 1, 1),
        ("  deux \t mots\n", "deux mots", 0, 9),
        ("deux mots", "deuxmots", 1, 9),
        ("\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd", "\u05e9\u05dc\u05d5\u05dd", 2, 4),
        ("\u0915\u094d\u0937\u093f", "\u0937\u093f", 1, 1),
        ("\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f469", 1, 1),
        ("", "abc", 3, 0),
        ("abc", "", 3, 3),
        ("_in _^2", "in 2", 0, 4),
    ],
    ids=[
        "equal",
        "normal-form",
        "marks-belong-to-letters",
        "one-letter-with-its-mark",
        "blanks-are-one",
        "a-blank-counts",
        "points",
        "conjunct",
        "joined-emoji",
        "put-in",
        "left-out",
        "marks-of-transcribers",
    ],
)
def test_a_character_is_a_letter_with_all_its_marks(truth: str, read: str, errors: int, characters: int) -> None:
    found = line_errors(truth, read)
    assert (found.errors, found.characters) == (errors, characters)


def test_long_s_is_a_letter_of_its_own_and_the_other_figure_stands_beside_it() -> None:
    found = line_errors("ſind ſo daß", "sind fo daß")
    assert (found.errors, found.errors_s, found.characters) == (2, 1, 11)
    assert (found.word_errors, found.words) == (2, 3)
    assert found.confusions == (("ſ", "s"), ("ſ", "f"))


def test_words_are_what_stands_between_blanks() -> None:
    found = line_errors("l’an, 1858 : fin", "l’an 1858 fin")
    assert (found.word_errors, found.words) == (2, 4)


def test_errors_side_by_side_are_one_confusion_unless_they_are_many() -> None:
    assert line_errors("modern", "modem").confusions == (("rn", "m"),)
    assert line_errors("au", "ou").confusions == (("a", "o"),)
    assert line_errors("a b", "ab").confusions == ((" ", ""),)
    assert line_errors("abcd", "wxyz").confusions == (("a", "w"), ("b", "x"), ("c", "y"), ("d", "z"))


def test_pieces_of_both_texts_stand_side_by_side() -> None:
    assert segments("maison", "maifon") == [("mai", "mai"), ("s", "f"), ("on", "on")]
    assert segments("", "x") == [("", "x")]
    assert segments("", "") == []


@given(LETTERS, LETTERS)
def test_where_characters_are_code_points_the_figures_are_those_of_another_library(truth: str, read: str) -> None:
    found = line_errors(truth, read)
    assert found.errors == Levenshtein.distance(found.truth, found.read)
    assert found.characters == len(found.truth)
    assert found.word_errors == Levenshtein.distance(found.truth.split(), found.read.split())
    assert found.errors_s <= found.errors
    assert "".join(each for each, _ in segments(found.truth, found.read)) == found.truth
    assert "".join(each for _, each in segments(found.truth, found.read)) == found.read


@given(st.text(max_size=20), st.text(max_size=20))
def test_the_normal_form_in_which_a_text_is_written_makes_no_difference(truth: str, read: str) -> None:
    apart = line_errors(unicodedata.normalize("NFD", truth), unicodedata.normalize("NFD", read))
    assert apart == line_errors(truth, read)
    assert line_errors(truth, truth).errors == 0
