"""How well a hand is learnt: CER on pages that are never trained with, by the number of pages that are."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from archive_pipeline.durable import copy_file, digest_of
from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.evaluating import evaluate
from archive_pipeline.evaluation.record import Evaluation
from archive_pipeline.evaluation.statistics import Difference, paired_difference
from archive_pipeline.keys import DocumentKey
from archive_pipeline.models.check import check_model
from archive_pipeline.models.importing import Description, import_model
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.language import LANGUAGE
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.promotion.comparing import compared
from archive_pipeline.training.recognition.progress import Progress
from archive_pipeline.training.recognition.recipe import Limits, Recipe
from archive_pipeline.training.recognition.training import ONNX, WEIGHTS, Training, train_recognition
from archive_pipeline.training_sets.importing import import_truth
from archive_pipeline.training_sets.lines import TrainingPage, pages_of_set
from archive_pipeline.training_sets.reading import ReadOptions
from archive_pipeline.training_sets.stored import TruthStore


@dataclass(frozen=True)
class LearningRow:
    """One training.

    Attributes:
        pages: It was trained with.
        cpu_minutes, minutes: Of the training, the cutting of lines included.
        before, after: Base and trained model on the frozen pages, on the lines of the ground truth.
        alone: The trained model without the language of the hand; None if it has none.
        difference: In CER, before minus after.
    """

    pages: int
    training: Training
    cpu_minutes: float
    minutes: float
    before: Evaluation
    after: Evaluation
    alone: Evaluation | None
    difference: Difference

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "pages": self.pages,
            "cpu_minutes": self.cpu_minutes,
            "minutes": self.minutes,
            "training": self.training.model_dump(mode="json"),
            "before": self.before.all.model_dump(mode="json"),
            "after": self.after.all.model_dump(mode="json"),
            "alone": self.alone.all.model_dump(mode="json") if self.alone else None,
            "difference": asdict(self.difference),
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
    with tempfile.TemporaryDirectory(prefix="bench-") as folder_name:
        root = work or Path(folder_name)
        pages = imported_pages(folder, root)
        if len(pages) < frozen + max(counts):
            raise UsageError(f"{folder} has {len(pages)} pages, and {frozen + max(counts)} are asked for")
        judged = pages[:frozen]
        before = evaluate(judged, base, options, folder.name)
        for count, recipe, limit in zip(counts, recipes, limits, strict=True):
            where = root / f"training-{count}"
            began, cpu = time.monotonic(), time.process_time()
            training = train_recognition(
                pages[frozen : frozen + count], [], base, recipe, where, limits=limit, told=partial(told, count)
            )
            spent = ((time.process_time() - cpu) / 60, (time.monotonic() - began) / 60)
            name = f"trained-with-{count}-{digest_of(training.files)[:8]}"
            models = [imported_model(root / "models", where, training.files, name)]
            if LANGUAGE in training.files:
                models.append(imported_model(root / "models", where, (WEIGHTS, ONNX), f"{name}-alone"))
            ours = replace(options, models_dir=root / "models")
            after, *alone = (evaluate(judged, model, ours, folder.name) for model in models)
            yield LearningRow(
                count, training, *spent, before, after, next(iter(alone), None), _difference(before, after)
            )


def _difference(before: Evaluation, after: Evaluation) -> Difference:
    both = compared(before, after)
    first, second = ([page.errors for page in each] for each in (both.current, both.candidate))
    return paired_difference(first, second, [page.characters for page in both.current])


def imported_pages(folder: Path, root: Path) -> list[TrainingPage]:
    """The pages of a folder as a person's set is stored, in the order in which they are taken."""
    truths = TruthStore(root / "sets")
    done = import_truth(folder, set_name(folder), truths, ReadOptions(), replace=True, work=root / "work")
    found = zip(done.truth.pages, pages_of_set(truths, done.truth), strict=True)
    return [page for entry, page in sorted(found, key=lambda pair: hashlib.sha256(pair[0].file.encode()).hexdigest())]


def set_name(folder: Path) -> str:
    """What a folder is called as a set of ground truth, and in the names of models."""
    return str(DocumentKey.from_path(folder.resolve().name))[:60].rstrip("-._")


def imported_model(models: Path, folder: Path, files: Collection[str], name: str) -> InstalledModel:
    """Some files of a trained model in a library of its own: only there may page workers read them."""
    with tempfile.TemporaryDirectory(prefix="model-") as copies:
        for file in files:
            copy_file(folder / file, Path(copies, file))
        description = Description(task="recognition", engine="kraken", good_for="a benchmark")
        return import_model(models, Path(copies), name, description, check=check_model).model
