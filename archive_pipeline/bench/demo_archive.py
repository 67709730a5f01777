"""How well the demo archive was read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archive_pipeline.demo.archive import DemoArchive
from archive_pipeline.evaluation.scoring import Score, ground_truth_lines, score, score_page


def score_demo(archive: DemoArchive, outputs: Sequence[Path]) -> Score:
    """Score the text exports against the ground truth.

    Args:
        outputs: Export folder of each document, in the order of ``archive.documents``.
    """
    pages = []
    for document, output in zip(archive.documents, outputs, strict=True):
        for truth in sorted((archive.ground_truth / document.name).glob("*.xml")):
            text = output / "text" / f"{truth.stem}.txt"
            pages.append(score_page(ground_truth_lines(truth), text.read_text("utf-8").splitlines()))
    return score(pages)
