"""Whether lines and regions were found: figures that can be worked out by hand, and what holds for any page."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archive_pipeline.evaluation.baselines import score_baselines, tolerance_of
from archive_pipeline.evaluation.segmentation import over_pages, segmentation_metrics
from archive_pipeline.page import Line, Page, Region, RegionType

SIZE = 1000


def line(left: int, top: int, right: int, bottom: int) -> Line:
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Line(id=f"l{left}-{top}", boundary=corners, baseline=((left, bottom - 5), (right, bottom - 5)))


def page(*lines: Line, kind: RegionType = "text", around: tuple[tuple[int, int], ...] = ()) -> Page:
    regions = (Region(id="r", type=kind, boundary=around, lines=lines),) if lines or around else ()
    return Page(number=1, width=SIZE, height=SIZE, regions=regions)


def box(left: int, top: int, right: int, bottom: int) -> tuple[tuple[int, int], ...]:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


TRUTH = page(*(line(100, 100 + 40 * row, 700, 130 + 40 * row) for row in range(5)))

lines = st.builds(
    lambda left, top, width, height: line(left, top, left + width, top + height),
    st.integers(0, 600),
    st.integers(0, 900),
    st.integers(30, 350),
    st.integers(15, 60),
)
some_lines = st.lists(lines, min_size=1, max_size=6, unique_by=lambda each: each.boundary)


@settings(max_examples=40)
@given(some_lines)
@example([line(0, 788, 33, 848)])  # short, alone, and far from the origin
def test_the_truth_itself_is_perfect(found):
    score = segmentation_metrics(page(*found), page(*found))
    assert (score.line_recall, score.line_precision) == (1, 1)
    assert score.baseline_f1 == pytest.approx(1, abs=1e-6)


@settings(max_examples=20)
@given(some_lines)
def test_nothing_found_is_no_recall_and_lines_on_an_empty_page_are_no_precision(found):
    nothing, all_lines = segmentation_metrics(page(*found), page()), segmentation_metrics(page(), page(*found), 10)
    assert (nothing.line_recall, nothing.baseline_recall, nothing.baseline_f1) == (0, 0, 0)
    assert (all_lines.line_precision, all_lines.baseline_precision, all_lines.baseline_f1) == (0, 0, 0)


def test_no_lines_found_on_a_page_without_lines_is_perfect():
    score = segmentation_metrics(page(), page())
    assert (score.line_recall, score.line_precision, score.baseline_f1) == (1, 1, 1)


@settings(max_examples=40)
@given(some_lines, some_lines, st.floats(1, 40))
def test_truth_and_found_exchanged_exchange_recall_and_precision(one, other, tolerance):
    there = segmentation_metrics(page(*one), page(*other), tolerance)
    back = segmentation_metrics(page(*other), page(*one), tolerance)
    assert (there.line_recall, there.line_precision) == (back.line_precision, back.line_recall)
    assert there.baseline_recall == pytest.approx(back.baseline_precision, abs=1e-6)
    assert there.baseline_f1 == pytest.approx(back.baseline_f1, abs=1e-6)


@settings(max_examples=40)
@given(some_lines, some_lines, st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(one, other, draw: random.Random):
    before = segmentation_metrics(page(*one), page(*other))
    after = segmentation_metrics(page(*draw.sample(one, len(one))), page(*draw.sample(other, len(other))))
    assert after.matched == before.matched
    assert after.baseline_f1 == pytest.approx(before.baseline_f1, abs=1e-6)


def test_a_missing_line_costs_recall_and_one_too_many_costs_precision():
    true_lines = list(TRUTH.lines())
    score = segmentation_metrics(TRUTH, page(*true_lines[:4], line(100, 800, 700, 830)))
    assert (score.lines, score.found, score.matched) == (5, 5, 4)
    assert score.line_recall == score.line_precision == pytest.approx(0.8)
    assert score.baseline_f1 == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize(("moved", "matched"), [(33, 1), (34, 0)], ids=["half", "less than half"])
def test_a_line_is_found_from_half_overlap_on(moved, matched):
    # A box of 100 moved by 33 shares 67 of 133, by 34 shares 66 of 134.
    score = segmentation_metrics(page(line(0, 0, 100, 30)), page(line(moved, 0, 100 + moved, 30)))
    assert score.matched == matched


def test_one_true_line_pays_for_one_found_line_only():
    twice = page(line(0, 0, 100, 30), line(1, 0, 101, 30))
    score = segmentation_metrics(page(line(0, 0, 100, 30)), twice)
    assert (score.line_recall, score.line_precision) == (1, 0.5)


def test_two_lines_found_as_one_are_not_found():
    score = segmentation_metrics(page(line(0, 0, 300, 30), line(320, 0, 620, 30)), page(line(0, 0, 620, 30)))
    assert score.matched == 0


@pytest.mark.parametrize(
    ("moved", "expected"), [(0, 1.0), (10, 1.0), (15, 0.75), (20, 0.5), (25, 0.25), (30, 0.0)], ids=str
)
def test_a_baseline_counts_less_beyond_the_tolerance_and_nothing_beyond_three(moved, expected):
    """Lines are 40 pixels apart, so that the tolerance is 10."""
    truth = [np.array([[100.0, 40.0 * row], [700.0, 40.0 * row]]) for row in (1, 2, 3)]
    assert tolerance_of(truth) == 10
    far = [np.array([[100.0, 2000.0], [700.0, 2000.0]])] * 2  # the two others are found nowhere near
    score = score_baselines(truth, [truth[0] - [0, moved], *far], tolerance_of(truth))
    assert score.recall == pytest.approx(expected / 3, abs=1e-5)


@settings(max_examples=30)
@given(some_lines, some_lines, st.sampled_from([0.5, 2.0, 7.0]))
def test_the_score_of_baselines_does_not_depend_on_the_resolution(one, other, factor):
    truth = [np.array(each.baseline, np.float64) for each in one]
    found = [np.array(each.baseline, np.float64) for each in other]
    small = score_baselines(truth, found, 10)
    large = score_baselines([factor * each for each in truth], [factor * each for each in found], 10 * factor)
    assert large.f1 == pytest.approx(small.f1, abs=0.02)  # the number of samples is rounded


def test_the_distance_of_lines_is_that_to_the_nearest_one_beside_it():
    columns = [np.array([[x, y], [x + 300.0, y]]) for x in (0.0, 400.0) for y in (100.0, 148.0, 196.0)]
    assert tolerance_of(columns) == 12
    assert tolerance_of([points[:, ::-1] for points in columns]) == 12  # columns of Japanese, from top to bottom
    assert tolerance_of([]) == 0


def test_regions_are_compared_as_one_area_and_pictures_are_none():
    truth = page(around=box(0, 0, 100, 100))
    assert segmentation_metrics(truth, page(around=box(0, 0, 100, 50))).region_iou == pytest.approx(0.5)
    assert segmentation_metrics(truth, page(around=box(0, 0, 100, 100), kind="graphic")).region_iou == 0
    assert segmentation_metrics(page(), truth).region_iou is None


def test_a_polygon_that_crosses_itself_is_compared_all_the_same():
    bow = Line(id="bow", boundary=((0, 0), (100, 50), (100, 0), (0, 50)), baseline=((0, 25), (100, 25)))
    assert segmentation_metrics(page(bow), page(bow)).matched == 1


def test_over_pages_lines_are_added_and_baselines_are_means():
    good, bad = segmentation_metrics(TRUTH, TRUTH), segmentation_metrics(page(line(0, 0, 100, 30)), page())
    both = over_pages([good, bad])
    assert (both.lines, both.found, both.matched) == (6, 5, 5)
    assert both.line_recall == pytest.approx(5 / 6)
    assert both.baseline_f1 == pytest.approx(0.5, abs=1e-6)
    assert both.region_iou is None
    with pytest.raises(ValueError, match="no pages"):
        over_pages([])
