"""How sure the machine was, and what that means in errors: for classes of confidence, for each model, and for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from archive_pipeline.report.calibration import Calibration, Estimate, calibrate, estimate
from archive_pipeline.report.corrected_pages import CorrectedPage
from archive_pipeline.report.pages import BINS

EDGES = (0.0, 0.5, 0.75, 0.85, 0.9, 0.95, 0.98, 0.99, 1.0)
"""Classes of confidence for people: finer where most pages are."""


@dataclass(frozen=True)
class Accuracy:
    """What is known of errors.

    Attributes:
        calibrations, estimates: By recognition model, where there is ground truth enough.
        overall: Of all pages of these models; None where there are none.
        covered: Share of all characters that were read which ``overall`` is of, 0 to 1.
        beyond: Share of those that are less sure than any page of the ground truth: there the curve is drawn on.
        classes: ``low``, ``high``, ``pages``, ``characters``, ``percent`` for each class of :data:`EDGES`, the surest
            first. ``percent`` is the expected error rate of the class; missing where nothing is known.
        whole, in_part: Pages that count as ground truth, and pages with corrections that do not.
        missing: Models without ground truth enough, by the characters that they read.
    """

    calibrations: Mapping[str, Calibration]
    estimates: Mapping[str, Estimate]
    overall: Estimate | None
    covered: float
    beyond: float
    classes: pd.DataFrame
    whole: int
    in_part: int
    missing: Sequence[str] = field(default=())


def accuracy(classes: pd.DataFrame, corrected: Iterable[CorrectedPage]) -> Accuracy:
    """Calibrate each model on the corrected pages that it read, and apply it to all pages that it read.

    Args:
        classes: As ``PageFigures.classes`` has them.
        corrected: Pages with corrections.
    """
    pages = list(corrected)
    by_model: defaultdict[str, list[CorrectedPage]] = defaultdict(list)
    for page in pages:
        if page.whole:
            by_model[page.model].append(page)
    calibrations = {}
    for model, known in sorted(by_model.items()):
        found = calibrate(
            [page.confidence for page in known],
            [page.errors for page in known],
            [page.characters for page in known],
            [page.document for page in known],
        )
        if found is not None:
            calibrations[model] = found
    mean = classes.assign(mean=classes["weighted"] / classes["characters"].where(classes["characters"] > 0))
    parts = {
        str(model): (calibrations[str(model)], rows["mean"].to_numpy("float64"), rows["characters"].to_numpy("float64"))
        for model, rows in mean[mean["characters"] > 0].groupby("model")
        if str(model) in calibrations
    }
    total, covered = float(classes["characters"].sum()), sum(float(part[2].sum()) for part in parts.values())
    beyond = sum(float(each[2][each[1] < each[0].least].sum()) for each in parts.values())
    read = classes.groupby("model")["characters"].sum().sort_values(ascending=False) if len(classes) else None
    return Accuracy(
        calibrations=calibrations,
        estimates={model: estimate([part]) for model, part in parts.items()},
        overall=estimate(list(parts.values())) if parts else None,
        covered=covered / total if total else 0.0,
        beyond=beyond / covered if covered else 0.0,
        classes=_classes(mean, calibrations),
        whole=sum(page.whole for page in pages),
        in_part=sum(not page.whole for page in pages),
        missing=[str(model) for model in (read.index if read is not None else ()) if model not in calibrations],
    )


def _classes(mean: pd.DataFrame, calibrations: Mapping[str, Calibration]) -> pd.DataFrame:
    rows = []
    for low, high in reversed(list(pairwise(EDGES))):
        inside = mean[(mean["bin"] >= round(low * BINS)) & (mean["bin"] < round(high * BINS))]
        known = inside[inside["model"].isin(list(calibrations)) & (inside["characters"] > 0)]
        wrong = sum(
            float(
                calibrations[str(model)].rate(each["mean"].to_numpy("float64")) @ each["characters"].to_numpy("float64")
            )
            for model, each in known.groupby("model")
        )
        letters = float(known["characters"].sum())
        rows.append(
            {
                "low": low,
                "high": high,
                "pages": int(inside["pages"].sum()),
                "characters": int(inside["characters"].sum()),
                "percent": 100 * wrong / letters if letters else np.nan,
            }
        )
    return pd.DataFrame(rows)
