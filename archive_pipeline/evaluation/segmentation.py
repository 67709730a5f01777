"""How well lines and regions were found on a page, against those that people drew."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from shapely import STRtree, make_valid, polygons
from shapely.ops import unary_union

from archive_pipeline.evaluation.baselines import Points, score_baselines, tolerance_of
from archive_pipeline.page import Line, Page, Region

OVERLAP = 0.5
"""Intersection over union from which two polygons are one line."""


@dataclass(frozen=True)
class SegmentationScore:
    """Of one page, or of several (:func:`over_pages`).

    Attributes:
        lines, found: True and found lines.
        matched: Pairs of a true and a found line whose polygons overlap by half (intersection over union), each line in
            one pair at most, as many pairs as there can be.
        baseline_precision, baseline_recall, baseline_f1: See :mod:`archive_pipeline.evaluation.baselines`.
        region_iou: Intersection over union of all that is text region, 0 to 1; None where the truth has no regions.
    """

    lines: int
    found: int
    matched: int
    baseline_precision: float
    baseline_recall: float
    baseline_f1: float
    region_iou: float | None

    @property
    def line_recall(self) -> float:
        """Share of true lines that are found at 50 % overlap; 1 where there are none."""
        return self.matched / self.lines if self.lines else 1.0

    @property
    def line_precision(self) -> float:
        """Share of found lines that are true at 50 % overlap; 1 where there are none."""
        return self.matched / self.found if self.found else 1.0


def segmentation_metrics(truth: Page, found: Page, tolerance: float | None = None) -> SegmentationScore:
    """Compare what was found on a page with what is there.

    Lines count whether they have text or not, in any order. The baselines of lines that have none are not compared.

    Args:
        tolerance: Of baselines, in pixels; None for a quarter of the distance between the true lines.
    """
    true_lines, found_lines = list(truth.lines()), list(found.lines())
    true_baselines, found_baselines = _baselines(true_lines), _baselines(found_lines)
    reach = tolerance_of(true_baselines) if tolerance is None else tolerance
    baselines = score_baselines(true_baselines, found_baselines, reach)
    return SegmentationScore(
        lines=len(true_lines),
        found=len(found_lines),
        matched=_matched(true_lines, found_lines),
        baseline_precision=baselines.precision,
        baseline_recall=baselines.recall,
        baseline_f1=baselines.f1,
        region_iou=_region_iou(truth, found),
    )


def over_pages(scores: Sequence[SegmentationScore]) -> SegmentationScore:
    """Of several pages: lines are added up, baselines and regions are means over pages.

    Raises:
        ValueError: There are no pages.
    """
    if not scores:
        raise ValueError("no pages")
    regions = [score.region_iou for score in scores if score.region_iou is not None]
    return SegmentationScore(
        lines=sum(score.lines for score in scores),
        found=sum(score.found for score in scores),
        matched=sum(score.matched for score in scores),
        baseline_precision=statistics.fmean(score.baseline_precision for score in scores),
        baseline_recall=statistics.fmean(score.baseline_recall for score in scores),
        baseline_f1=statistics.fmean(score.baseline_f1 for score in scores),
        region_iou=statistics.fmean(regions) if regions else None,
    )


def _baselines(lines: Sequence[Line]) -> list[Points]:
    return [np.array(line.baseline, np.float64) for line in lines if len(line.baseline) > 1]


def _matched(truth: Sequence[Line], found: Sequence[Line]) -> int:
    true_areas, found_areas = _areas([line.boundary for line in truth]), _areas([line.boundary for line in found])
    if not len(true_areas) or not len(found_areas):
        return 0
    pairs: NDArray[np.float64] = np.zeros((len(true_areas), len(found_areas)))
    for place, area in enumerate(true_areas):
        for other in STRtree(found_areas).query(area):
            pairs[place, other] = _iou(area, found_areas[other]) >= OVERLAP
    rows, columns = linear_sum_assignment(pairs, maximize=True)
    return int(pairs[rows, columns].sum())


def _region_iou(truth: Page, found: Page) -> float | None:
    true_areas, found_areas = _areas(_text_regions(truth.regions)), _areas(_text_regions(found.regions))
    if not true_areas:
        return None
    return _iou(unary_union(true_areas), unary_union(found_areas))


def _text_regions(regions: Sequence[Region]) -> list[tuple[tuple[int, int], ...]]:
    return [region.boundary for region in regions if region.type not in ("graphic", "stamp")]


def _areas(boundaries: Sequence[tuple[tuple[int, int], ...]]) -> list[Any]:
    """Polygons, the crossing ones mended; lines without one are not there."""
    made = (make_valid(polygons(boundary)) for boundary in boundaries if len(boundary) > 2)
    return [area for area in made if area.area > 0]


def _iou(one: Any, other: Any) -> float:
    union = one.union(other).area
    return float(one.intersection(other).area / union) if union else 0.0
