"""Error rates with their intervals, and whether two models differ: against scipy, by hand, and over many draws."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from archive_pipeline.cli.models.compare import compare_models
from archive_pipeline.engines.surya_blocks import make_region
from archive_pipeline.errors import BadTranscription
from archive_pipeline.evaluation.comparison import compare, verdict
from archive_pipeline.evaluation.given_lines import to_read
from archive_pipeline.evaluation.reading import ReadWithBoth, _scores
from archive_pipeline.evaluation.scoring import PageScore, score, score_lines
from archive_pipeline.evaluation.statistics import (
    ALPHA,
    LEAST_PAGES,
    error_rate,
    paired_difference,
    smallest_p,
)
from archive_pipeline.models.entry import ModelEntry
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.page import Line, Page, Region

# Errors and characters of nine pages: the second model is better on eight.
FIRST = [31, 25, 40, 18, 22, 35, 28, 30, 21]
SECOND = [20, 19, 31, 15, 23, 25, 20, 22, 15]
TOTALS = [1000, 900, 1300, 700, 800, 1200, 1000, 1100, 950]

PAGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(60, 2000)), min_size=2, max_size=9)
PROPERTY = settings(max_examples=15)


def test_the_rate_is_the_ratio_of_the_sums_and_not_the_mean_of_the_pages() -> None:
    assert error_rate([1, 0], [10, 990]).percent == pytest.approx(0.1)


def test_the_interval_is_scipys_percentile_bootstrap_of_that_ratio() -> None:
    found = error_rate(FIRST, TOTALS)
    pages = np.array([FIRST, TOTALS]).T

    def rate(places: np.ndarray) -> float:  # type: ignore[type-arg]
        errors, totals = pages[places.astype(int)].sum(0)
        return 100 * errors / totals

    expected = stats.bootstrap(
        (np.arange(len(pages)),), rate, vectorized=False, n_resamples=3000, method="percentile", rng=1
    ).confidence_interval
    assert found.low == pytest.approx(expected.low, abs=0.03)
    assert found.high == pytest.approx(expected.high, abs=0.03)
    assert found.low < found.percent < found.high


def test_the_p_value_is_the_share_of_all_swaps_that_differ_as_much() -> None:
    """Every one of the 2⁹ ways to swap, counted; and scipy's test of the mean difference, for equal pages."""
    differences = np.array(FIRST) - np.array(SECOND)
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product((1, -1), repeat=9)]
    expected = np.mean([each >= abs(differences.sum()) for each in sums])
    found = paired_difference(FIRST, SECOND, TOTALS)
    assert found.p == pytest.approx(expected)
    by_scipy = stats.permutation_test(
        (np.array(FIRST), np.array(SECOND)), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=10**6
    )
    assert found.p == pytest.approx(by_scipy.pvalue)


def test_the_difference_has_the_narrow_interval_of_paired_pages() -> None:
    found = paired_difference(FIRST, SECOND, TOTALS)
    assert found.points == pytest.approx(100 * (sum(FIRST) - sum(SECOND)) / sum(TOTALS))
    assert found.low < found.points < found.high
    first, second = error_rate(FIRST, TOTALS), error_rate(SECOND, TOTALS)
    # Drawn apart, the pages that are hard for both would blur it.
    assert found.high - found.low < math.hypot(first.high - first.low, second.high - second.low)
    assert found.is_real


@PROPERTY
@given(PAGES)
def test_swapping_the_models_turns_the_difference_around(pages: list[tuple[int, int, int]]) -> None:
    a, b, totals = (list(column) for column in zip(*pages, strict=True))
    one, other = paired_difference(a, b, totals), paired_difference(b, a, totals)
    assert one.points == pytest.approx(-other.points)
    assert (one.low, one.high) == (pytest.approx(-other.high, abs=0.05), pytest.approx(-other.low, abs=0.05))
    assert one.p == pytest.approx(other.p)
    assert one.is_real == other.is_real
    assert smallest_p(len(pages)) <= one.p <= 1


@PROPERTY
@given(PAGES)
def test_a_model_does_not_differ_from_itself(pages: list[tuple[int, int, int]]) -> None:
    a, _, totals = (list(column) for column in zip(*pages, strict=True))
    found = paired_difference(a, a, totals)
    assert (found.points, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert not found.is_real


def test_pages_without_ground_truth_change_nothing() -> None:
    with_empty = paired_difference([*FIRST, 0], [*SECOND, 0], [*TOTALS, 0])
    assert with_empty == paired_difference(FIRST, SECOND, TOTALS)
    assert error_rate([*FIRST, 0], [*TOTALS, 0]) == error_rate(FIRST, TOTALS)


def test_equal_figures_give_equal_results() -> None:
    many = list(range(5, 40))  # more pages than are swapped in every way: random, but seeded
    assert paired_difference(many, many[::-1], [500] * 35) == paired_difference(many, many[::-1], [500] * 35)


def test_chance_is_called_real_about_as_seldom_as_promised() -> None:
    """Two models of equal skill, 120 times: at the 5 % level some 6 seem to differ; more than 14 has p < 0.002."""
    draw = np.random.default_rng(7)
    seem = 0
    for _ in range(120):
        skill = draw.gamma(4, 10, 10)
        a, b = draw.poisson(skill), draw.poisson(skill)
        seem += paired_difference(a.tolist(), b.tolist(), [1000] * 10).is_real
    assert seem <= 14


def test_fewer_pages_than_six_prove_nothing_however_large_the_difference() -> None:
    assert smallest_p(LEAST_PAGES) < ALPHA < smallest_p(LEAST_PAGES - 1)
    few = paired_difference([500] * 5, [1] * 5, [1000] * 5)
    assert few.p == pytest.approx(smallest_p(5))
    assert not few.is_real
    enough = paired_difference([500] * 6, [1] * 6, [1000] * 6)
    assert enough.is_real


def test_one_page_has_a_rate_and_no_interval() -> None:
    rate = error_rate([5], [100])
    assert rate.percent == 5
    assert math.isnan(rate.low)
    assert math.isnan(rate.high)
    one = paired_difference([5], [1], [100])
    assert (one.points, one.p, one.is_real) == (4, 1, False)
    alone = score([PageScore(5, 100, 0)])
    assert (alone.cer, alone.low, alone.high) == (5, None, None)


@pytest.mark.parametrize(
    ("first", "second", "totals", "expected"),
    [
        (FIRST, SECOND, TOTALS, "B is better by 0.67 points, 95 % [0.46, 0.83], p = 0.0078, on 9 pages: real."),
        (SECOND, FIRST, TOTALS, "B is better by 0.67 points"),
        (FIRST, FIRST, TOTALS, "No difference: A and B make as many errors on 9 pages."),
        (FIRST[:3], SECOND[:3], TOTALS[:3], "No difference can be shown on 3 pages, however large: with fewer than 6"),
        ([9, 1] * 4, [1, 8] * 4, [100] * 8, "No difference can be shown on 8 pages: B makes fewer errors by 0.50"),
    ],
)
def test_the_verdict_says_what_can_be_said(
    first: list[int], second: list[int], totals: list[int], expected: str
) -> None:
    names = ("B", "A") if expected.startswith("B is") and first is SECOND else ("A", "B")
    assert verdict(paired_difference(first, second, totals), *names).startswith(expected)


def test_a_comparison_counts_characters_and_words_of_both() -> None:
    first = [score_lines([("one two", "one two"), ("three four", "thee four")])] * 6
    second = [score_lines([("one two", "one two"), ("three four", "three four")])] * 6
    result = compare(("a", "b"), first, second)
    assert (result.characters, result.words) == (102, 24)
    assert result.first.cer.percent == pytest.approx(100 / 17)
    assert result.first.wer.percent == pytest.approx(25)
    assert result.second.cer.percent == 0
    assert result.wer.points == pytest.approx(25)
    assert result.verdict.startswith("b is better by 5.88 points")


def test_lines_whose_partner_is_known_find_no_better_one() -> None:
    assert score_lines([("abc", "xyz"), ("xyz", "abc")]) == PageScore(6, 6, 0, 2, 2)
    assert score_lines([("~~~ not scored", "x"), ("a b", "a")]) == PageScore(2, 3, 0, 1, 2)


BOX = ((0, 0), (90, 0), (90, 9), (0, 9))


def true_page(*texts: str, boundary: tuple[tuple[int, int], ...] = BOX) -> Page:
    lines = tuple(Line(id="same", boundary=boundary, text=text) for text in texts)
    return Page(number=7, width=90, height=90, regions=(Region(id="r", boundary=BOX, lines=lines, text="never"),))


def test_lines_are_given_without_their_text_and_under_names_that_are_unique() -> None:
    given_lines = to_read(true_page("abc", "", "~~~", "def"))
    assert [(line.id, line.text) for line in given_lines.lines()] == [("gt-1-1", ""), ("gt-1-4", "")]
    assert given_lines.text == ""
    with pytest.raises(BadTranscription, match="neither outline nor baseline"):
        to_read(true_page("abc", boundary=()))


def test_a_reading_that_keeps_its_lines_is_scored_by_them_and_one_of_blocks_as_a_whole() -> None:
    truth = true_page("abc", "def")
    layout = to_read(truth)

    def read(*texts: str) -> Page:
        (region,) = layout.regions
        lines = tuple(line.model_copy(update={"text": text}) for line, text in zip(region.lines, texts, strict=True))
        return layout.model_copy(update={"regions": (region.model_copy(update={"lines": lines}),)})

    swapped, right = _scores(truth, (read("def", "abc"), read("abc", "def")), given=True)
    assert (swapped.errors, right.errors) == (6, 0)
    block = layout.model_copy(update={"regions": (Region(id="b", boundary=BOX, text="abc dex"),)})
    assert [each.errors for each in _scores(truth, (block, read("abc", "def")), given=True)] == [1, 0]
    # Lines that an engine found may come in any order.
    assert [each.errors for each in _scores(truth, (read("def", "abc"), read("def", "xbc")), given=False)] == [0, 1]


def test_lines_that_a_model_found_itself_are_not_taken_for_those_it_was_given() -> None:
    """As surya does: its own names for regions and lines, in its order, over the places of what it was given."""
    places = [((0, top), (90, top), (90, top + 9), (0, top + 9)) for top in (0, 20)]
    truth = Page(
        number=1,
        width=90,
        height=90,
        regions=tuple(
            Region(id=f"x{number}", boundary=place, lines=(Line(id="same", boundary=place, text=text),))
            for number, (place, text) in enumerate(zip(places, ("abc", "def"), strict=True))
        ),
    )
    layout = to_read(truth)
    (top,), (bottom,) = (region.lines for region in layout.regions)
    kept = layout.model_copy(
        update={
            "regions": tuple(
                region.model_copy(update={"lines": (line.model_copy(update={"text": text}),)})
                for region, line, text in zip(layout.regions, (top, bottom), ("abc", "def"), strict=True)
            )
        }
    )

    def own(*lines: Line) -> Page:
        regions = tuple(
            make_region(number, "text", line.box, [line.model_copy(update={"text": text})])
            for number, (line, text) in enumerate(zip(lines, ("def", "abc"), strict=True), start=1)
        )
        return layout.model_copy(update={"regions": regions})

    # In the wrong order, of which every name is right: as a whole, for both. Wrong by the lines it would be 6.
    assert own(bottom, top).text == "def\n\nabc"
    assert [score.characters for score in _scores(truth, (kept, own(bottom, top)), given=True)] == [7, 7]
    assert not {line.id for line in own(bottom, top).lines()} & {line.id for line in layout.lines()}
    # Nor are names that were kept enough, where the lines are others.
    moved = kept.model_copy(
        update={
            "regions": tuple(
                region.model_copy(update={"lines": (region.lines[0].model_copy(update={"boundary": place}),)})
                for region, place in zip(kept.regions, places[::-1], strict=True)
            )
        }
    )
    assert [score.characters for score in _scores(truth, (kept, moved), given=True)] == [7, 7]
    assert [score.characters for score in _scores(truth, (kept, kept), given=True)] == [6, 6]


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (("--engine", "surya"), {}, "surya-detection"),
        ((), {"ARCHIVE_ENGINE": "kraken"}, "kraken-blla"),
        ((), {"ARCHIVE_SEGMENTATION_MODEL": "kraken-blla"}, "kraken-blla"),
        (("--engine", "ppocr"), {"ARCHIVE_SEGMENTATION_MODEL": "kraken-blla"}, "ppocr-v6-detection"),
        ((), {"ARCHIVE_RECOGNITION_MODEL": "surya-ocr-2"}, "ppocr-v6-detection"),
    ],
)
def test_lines_to_compare_on_are_found_as_options_and_settings_say_and_no_other_model_is_asked_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    expected: str,
) -> None:
    def installed(_self: ModelLibrary, entry: ModelEntry) -> InstalledModel:
        return InstalledModel(id=entry.id, task=entry.task, engine=entry.engine, licence=entry.licence)

    seen: list[Any] = []

    def read(_pages: Any, _models: Any, _options: Any, segmentation: Any, **_: Any) -> ReadWithBoth:
        seen.append(segmentation)
        return ReadWithBoth()

    monkeypatch.setattr(ModelLibrary, "install_state", installed)
    monkeypatch.setattr("archive_pipeline.evaluation.reading.read_with_both", read)
    for name in ("a.xml", "a.png"):
        (tmp_path / name).write_bytes(b"")
    both = ["--model", "ppocr-v6-latin", "--model", "ppocr-v6-latin"]
    CliRunner().invoke(compare_models, [str(tmp_path), *both, "--lines", "engine", *arguments], env=environment)
    assert [model.id for model in seen] == [expected]
