"""Scoring, against the rule and by hand."""

import importlib.util
import random
from pathlib import Path

import pytest

from archive_pipeline.evaluation.scoring import PageScore, normalise, score, score_page

SHARED = Path(__file__).parents[3] / "shared" / "score" / "score_pages.py"


def test_lines_find_their_partners_in_any_order() -> None:
    assert score_page(["abc", "defg"], ["defg", "abx"]) == PageScore(
        errors=1, characters=7, extra=0, word_errors=1, words=2
    )


def test_a_line_without_partner_costs_its_length_and_invented_text_shows() -> None:
    assert score_page(["abcd", "efgh"], ["abcd", "zzz"]) == PageScore(
        errors=4, characters=8, extra=3, word_errors=1, words=2
    )


def test_two_true_lines_read_as_one_are_not_both_right() -> None:
    assert score_page(["abcd", "efgh"], ["abcd efgh"]).errors > 0


def test_untranscribed_lines_are_not_scored_and_marks_are_removed() -> None:
    assert score_page(["~~~ x", "_mot ^2"], ["mot 2"]) == PageScore(0, 5, 0, 0, 2)
    assert normalise("a\u0301  b_c") == "á b_c"


def test_an_empty_reading_is_all_wrong() -> None:
    assert score([score_page(["abcd"], [])]).cer == 100


@pytest.mark.skipif(not SHARED.is_file(), reason="../shared is not here: nothing to compare with")
def test_our_numbers_are_those_of_the_reference_script() -> None:
    spec = importlib.util.spec_from_file_location("score_pages", SHARED)
    assert spec is not None
    assert spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    draw = random.Random(3)

    def text() -> str:
        return "".join(draw.choices("abcdé _^~ ", k=draw.randrange(0, 12)))

    for _ in range(300):
        truth, read = ([text() for _ in range(draw.randrange(0, 7))] for _ in range(2))
        ours = score_page(truth, read)
        assert (ours.errors, ours.characters, ours.extra) == reference.score_page(
            [reference.normal(t) for t in truth], read
        )
