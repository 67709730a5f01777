"""Page images with ground truth beside them."""

from __future__ import annotations

from pathlib import Path

from archive_pipeline.errors import UsageError

IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")


def pages_with_truth(folder: Path) -> list[tuple[Path, Path]]:
    """Page images with their ground truth, in name order.

    Raises:
        UsageError: There are none.
    """
    pages = []
    for truth in sorted(folder.glob("*.xml")):
        image = next((truth.with_suffix(suffix) for suffix in IMAGES if truth.with_suffix(suffix).is_file()), None)
        if image is not None:
            pages.append((image, truth))
    if not pages:
        raise UsageError(f"{folder} has no page images with an XML file of the same name")
    return pages
