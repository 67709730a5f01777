"""How right the pipeline reads: CER on folders of page images with ground truth beside them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive_pipeline.bench.commands import Command, Cost, own_command, run_command
from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.pages import pages_with_truth
from archive_pipeline.evaluation.scoring import PageScore, Score, ground_truth_lines, score, score_page


@dataclass(frozen=True)
class AccuracyRow:
    """One folder.

    Attributes:
        score: Ours.
        seconds: CPU seconds a page of the whole command, its start included.
        peer: Tesseract's score, if it was asked for.
    """

    folder: str
    score: Score
    seconds: float
    peer: Score | None = None


def bench_accuracy(
    folders: Sequence[Path], arguments: Sequence[str] = (), peer: str | None = None
) -> list[AccuracyRow]:
    """Run the main job on each folder as a user would, with a fresh store, and score its text.

    Args:
        folders: Each with page images and an ALTO or PAGE file of the same stem beside each image.
        arguments: Further arguments of ``run``, such as an engine.
        peer: Language for Tesseract, to be run beside; None for no peer.

    Raises:
        UsageError: A folder has no pages with ground truth, or the run failed.
    """
    return [_bench_folder(folder, arguments, peer) for folder in folders]


def _bench_folder(folder: Path, arguments: Sequence[str], peer: str | None) -> AccuracyRow:
    pages = pages_with_truth(folder)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        out, used = read_folder(folder, pages, Path(name), arguments)
        texts = sorted(out.glob("*/text/*.txt"))
        ours = _score(pages, [text.read_text("utf-8").splitlines() for text in texts])
        theirs = _score(pages, [_tesseract(image, peer) for image, _ in pages]) if peer else None
    return AccuracyRow(folder.name, ours, used.cpu / len(pages), theirs)


def read_folder(
    folder: Path, pages: Sequence[tuple[Path, Path]], work: Path, arguments: Sequence[str]
) -> tuple[Path, Cost]:
    """Run the main job on the images of a folder, as one document with a fresh store.

    Args:
        folder: It gives the document its name.
        pages: Images with their ground truth.
        work: An empty folder.
        arguments: Further arguments of ``run``.

    Returns:
        The folder of its exports, and what the command used.

    Raises:
        UsageError: The run failed.
    """
    scans, out = work / folder.name, work / "out"
    scans.mkdir()
    for number, (image, _) in enumerate(pages):
        # Numbered, so that pages come in the order of their names, as ground truth does.
        shutil.copyfile(image, scans / f"{number:06d}{image.suffix}")
    used = run_command(Command(own_command(scans, out, *arguments), {"ARCHIVE_HOME": str(work / "home")}))
    if used.status != 0:
        raise UsageError(f"the run on {folder} failed: {used.stderr[-500:]}")
    return out, used


def _score(pages: Sequence[tuple[Path, Path]], read: Sequence[list[str]]) -> Score:
    scored: list[PageScore] = [
        score_page(ground_truth_lines(truth), lines) for (_, truth), lines in zip(pages, read, strict=True)
    ]
    return score(scored)


def _tesseract(image: Path, language: str) -> list[str]:
    command = ["tesseract", str(image), "stdout", "-l", language, "--psm", "3"]
    done = subprocess.run(command, capture_output=True, text=True, env={"OMP_THREAD_LIMIT": "1"}, check=False)
    if done.returncode:
        raise UsageError(f"tesseract failed: {done.stderr.strip()[-300:]}")
    return done.stdout.splitlines()
