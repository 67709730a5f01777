"""The pages where a person's hour helps most: those on which the most wrong characters are to be expected."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from archive_pipeline.errors import ArchiveError
from archive_pipeline.keys import DocumentKey
from archive_pipeline.processing.stored_pages import page_to_export
from archive_pipeline.report.calibration import Calibration
from archive_pipeline.store import Store

PAGES = 20
COLUMNS = ["document", "page", "characters", "confidence", "errors", "model"]
_LOOKED_AT = 5
"""Times the pages that are wanted are looked at closely: what the ledgers say of characters is an average."""


def work_list(
    doubtful: pd.DataFrame, calibrations: Mapping[str, Calibration], store: Store, wanted: int = PAGES
) -> pd.DataFrame:
    """The pages, the most errors first.

    Args:
        doubtful: Candidates, as ``PageFigures.doubtful`` has them.
        calibrations: By recognition model.

    Returns:
        :data:`COLUMNS`. ``errors`` is missing where there is no ground truth for the model: such pages are ranked among
        the others by their doubt (characters times one less the confidence).
    """
    rows = []
    for row in _roughly(doubtful, calibrations).head(wanted * _LOOKED_AT).itertuples():
        found = _closely(store, str(row.document), int(str(row.page)))
        if found is None:
            continue
        characters, confidence = found
        calibration = calibrations.get(str(row.model))
        share = float(calibration.rate(confidence)) if calibration else 1 - confidence
        rows.append(
            {
                "document": row.document,
                "page": row.page,
                "characters": characters,
                "confidence": confidence,
                "errors": characters * share if calibration else None,
                "model": row.model,
                "rank": characters * share,
            }
        )
    table = pd.DataFrame(rows, columns=[*COLUMNS, "rank"])
    table["errors"] = table["errors"].astype("float64")
    ordered = table.sort_values(["rank", "document", "page"], ascending=[False, True, True], kind="stable")
    return ordered[COLUMNS].head(wanted).reset_index(drop=True)


def _roughly(doubtful: pd.DataFrame, calibrations: Mapping[str, Calibration]) -> pd.DataFrame:
    rank = (1 - doubtful["confidence"]).astype("float64")
    for model, calibration in calibrations.items():
        of = doubtful["model"] == model
        expected = calibration.rate(doubtful["confidence"].to_numpy("float64"))
        rank = rank.where(~of, pd.Series(expected, index=doubtful.index))
    return doubtful.assign(rank=rank * doubtful["characters"]).sort_values("rank", ascending=False, kind="stable")


def _closely(store: Store, document: str, number: int) -> tuple[int, float] | None:
    """Characters that nobody corrected yet, and how sure the machine is of them."""
    try:
        page = page_to_export(store.document(DocumentKey(document)), number)
    except ArchiveError:
        return None  # the checks name it
    characters = sum(len(line.text) for line in page.lines() if line.correction is None and line.confidence is not None)
    return (characters, page.confidence) if characters and page.confidence is not None else None
