"""How well a hand is learnt: CER on pages that are never trained with, by the number of pages that are."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from archive_pipeline.durable import file_digest
from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.comparison import Comparison, compare
from archive_pipeline.evaluation.pages import pages_with_truth
from archive_pipeline.evaluation.reading import read_with_both
from archive_pipeline.models.installed import InstalledFile, InstalledModel
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.training.recognition.loop import Progress
from archive_pipeline.training.recognition.recipe import Limits, Recipe
from archive_pipeline.training.recognition.training import ONNX, WEIGHTS, Training, train_recognition
from archive_pipeline.training_sets.importing import import_truth
from archive_pipeline.training_sets.lines import TrainingPage, pages_of_set
from archive_pipeline.training_sets.reading import ReadOptions
from archive_pipeline.training_sets.stored import TruthStore

_NAME = "bench"


@dataclass(frozen=True)
class LearningRow:
    """One training.

    Attributes:
        pages: It was trained with.
        cpu_minutes, minutes: Of the training, the cutting of lines included.
        result: Base and trained model on the frozen pages, on the lines of the ground truth.
    """

    pages: int
    training: Training
    cpu_minutes: float
    minutes: float
    result: Comparison

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"pages": self.pages, "cpu_minutes": self.cpu_minutes, "minutes": self.minutes} | {
            "training": self.training.model_dump(mode="json"),
            "result": asdict(self.result),
        }


def bench_learning(
    folder: Path,
    base: InstalledModel,
    options: ProcessingOptions,
    *,
    frozen: int,
    counts: Sequence[int],
    recipes: Sequence[Recipe],
    limits: Sequence[Limits],
    work: Path | None = None,
    told: Callable[[int, Progress], None] = lambda _, __: None,
) -> Iterator[LearningRow]:
    """Train with some pages of a folder, and read others with what came of it.

    Which pages are frozen, and in which order others are taken, goes by the digest of their names: not in a row, and
    the same at every run.

    Args:
        folder: Page images with an ALTO or PAGE file of the same stem beside each.
        frozen: Pages to be judged by.
        counts, recipes, limits: Of the trainings: how many pages, and how.
        work: Where ground truth, checkpoints and models are kept, so that a second run goes on; None for nowhere.

    Raises:
        UsageError: There are too few pages.
        ArchiveError: A page or a model cannot be read, or trained with.
    """
    pages = sorted(pages_with_truth(folder), key=lambda pair: hashlib.sha256(pair[1].name.encode()).hexdigest())
    if len(pages) < frozen + max(counts):
        raise UsageError(f"{folder} has {len(pages)} pages, and {frozen + max(counts)} are asked for")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        root = work or Path(name)
        by_file = _imported(folder, root)
        for count, recipe, limit in zip(counts, recipes, limits, strict=True):
            chosen = [by_file[truth.name] for _, truth in pages[frozen : frozen + count] if truth.name in by_file]
            where = root / f"training-{count}"
            began, cpu = time.monotonic(), time.process_time()
            training = train_recognition(chosen, [], base, recipe, where, limits=limit, told=partial(told, count))
            spent = ((time.process_time() - cpu) / 60, (time.monotonic() - began) / 60)
            model = _installed(where, f"trained-with-{count}")
            read = read_with_both(pages[:frozen], (base, model), options)
            if read.left_out:
                raise next(iter(read.left_out.values()))
            first, second = zip(*read.scores.values(), strict=True)
            yield LearningRow(count, training, *spent, compare((base.id, model.id), first, second))


def _imported(folder: Path, root: Path) -> dict[str, TrainingPage]:
    """The pages of a folder by the name of their transcription, as a person's set is stored."""
    truths = TruthStore(root / "sets")
    done = import_truth(folder, _NAME, truths, ReadOptions(), replace=True, work=root / "work")
    found = zip(done.truth.pages, pages_of_set(truths, done.truth), strict=True)
    return {entry.file: page for entry, page in found}


def _installed(folder: Path, model_id: str) -> InstalledModel:
    files = tuple(
        InstalledFile(path=path, sha256=file_digest(path), size=path.stat().st_size)
        for path in (folder / WEIGHTS, folder / ONNX)
    )
    return InstalledModel(
        id=model_id, task="recognition", engine="kraken", licence="", digest=files[0].sha256, files=files
    )
