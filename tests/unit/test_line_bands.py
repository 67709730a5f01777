"""What of a line is given to a network: all lines of a page at one size of letters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from archive_pipeline.engines.baseline_strips import baseline_strip, on_paper, usual_band_of
from archive_pipeline.engines.line_bands import Band, band_to_read, reach, usual_band
from archive_pipeline.page import Line, Point

BASELINE = ((0, 100), (400, 100))


def test_the_reach_is_that_of_the_furthest_points_on_either_side() -> None:
    assert reach(BASELINE, [(0, 60), (200, 45), (400, 70), (400, 120), (0, 112)]) == Band(55, 20)


def test_a_boundary_that_is_all_above_reaches_nowhere_below() -> None:
    assert reach(BASELINE, [(0, 60), (400, 60), (400, 90), (0, 90)]) == Band(40, 0)


@given(st.floats(0, 2 * math.pi), st.integers(-300, 300))
def test_the_reach_of_a_line_is_the_same_however_it_is_turned(angle: float, bend: int) -> None:
    def turned(points: list[tuple[int, int]]) -> list[Point]:
        return [
            (
                round(1000 * (x * math.cos(angle) - y * math.sin(angle))),
                round(1000 * (x * math.sin(angle) + y * math.cos(angle))),
            )
            for x, y in points
        ]

    baseline = [(0, 0), (500, bend), (1000, 0)]
    boundary = [(0, -80), (500, bend - 60), (1000, -80), (1000, 30), (500, bend + 20), (0, 30)]
    here = reach([(1000 * x, 1000 * y) for x, y in baseline], [(1000 * x, 1000 * y) for x, y in boundary])
    there = reach(turned(baseline), turned(boundary))
    assert (there.above, there.below) == pytest.approx((here.above, here.below), abs=10)


def test_a_point_that_repeats_changes_nothing() -> None:
    boundary = [(0, 60), (400, 60), (400, 120), (0, 120)]
    assert reach(((0, 100), (0, 100), (400, 100), (400, 100)), boundary) == reach(BASELINE, boundary)


def test_lines_of_one_size_are_read_in_the_band_of_the_page() -> None:
    usual = usual_band([Band(40, 10), Band(44, 12), Band(90, 11)])
    assert usual == Band(44, 11)
    assert band_to_read(Band(70, 11), usual) == band_to_read(Band(30, 10), usual) == Band(44, 11).scaled(0.8)


@pytest.mark.parametrize("own", [Band(100, 30), Band(20, 5)])
def test_a_heading_and_a_small_note_keep_their_own(own: Band) -> None:
    assert band_to_read(own, Band(44, 11)) == own.scaled(0.8)


def test_a_line_on_its_own_has_its_own() -> None:
    assert usual_band([]) is None
    assert band_to_read(Band(44, 11), None) == Band(44, 11).scaled(0.8)


def strip(height: int, ink: range) -> PillowImage.Image:
    """Paper of 200 with rows of ink, and above it 10 rows that are outside."""
    pixels = np.full((height, 60, 3), 200, np.uint8)
    pixels[ink] = 20
    pixels[:10] = 0
    return PillowImage.fromarray(pixels)


def test_outside_is_paper_and_the_edge_that_was_mixed_with_black_too() -> None:
    given = np.asarray(strip(100, range(60, 70))).copy()
    given[10] = 60  # what kraken makes of paper beside black
    found = np.asarray(on_paper(PillowImage.fromarray(given), Band(70, 30), Band(70, 30)))
    assert found.shape == given.shape
    assert (found[:60] == 200).all()
    assert (found[60:70] == 20).all()


def test_rows_beyond_the_band_are_cut_off_and_missing_ones_are_paper() -> None:
    found = np.asarray(on_paper(strip(100, range(60, 70)), Band(70, 30), Band(20, 50)))
    assert found.shape == (70, 60, 3)
    assert (found[10:20] == 20).all()  # the baseline, at row 70, is at row 20
    assert (np.delete(found, range(10, 20), 0) == 200).all()


def line(top: int, baseline: int, bottom: int) -> Line:
    boundary = ((50, top), (950, top), (950, bottom), (50, bottom))
    return Line(id=f"l{baseline}", baseline=((50, baseline), (950, baseline)), boundary=boundary)


def test_a_flourish_makes_no_line_smaller_than_the_others_of_its_page() -> None:
    page = np.full((1000, 1000, 3), 220, np.uint8)
    lines = [line(160, 200, 212), line(260, 300, 312), line(350, 400, 430)]
    for each in lines:
        x, y = each.baseline[0]
        page[y - 20 : y, x + 100 : x + 700] = 30
    usual = usual_band_of(page, lines)
    assert usual is not None
    assert (usual.above, usual.below) == pytest.approx((40, 12), abs=1)

    def size(each: Line, band: Band | None) -> tuple[int, int]:
        """Rows of ink, and columns of the whole."""
        found = baseline_strip(page, each, 48, band)
        assert found is not None
        assert found.shape[0] == 48
        return int((found[:, found.shape[1] // 2].mean(1) < 120).sum()), found.shape[1]

    sizes = [size(each, usual) for each in lines]
    assert max(rows for rows, _ in sizes) - min(rows for rows, _ in sizes) <= 1
    assert [columns for _, columns in sizes] == pytest.approx([900 * 48 / (52 * 0.8)] * 3, rel=0.06)
    # By its own, the third would be a good deal smaller.
    assert size(lines[2], None)[0] < 0.7 * sizes[2][0]
