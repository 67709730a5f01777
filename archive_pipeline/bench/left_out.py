"""Whether what was learnt from some folders makes another one worse: each is left out once, and judged by."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from archive_pipeline.bench.learning import imported_model, imported_pages, set_name
from archive_pipeline.durable import digest_of
from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.evaluating import evaluate
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.promotion.comparing import compared
from archive_pipeline.promotion.decision import Decision, ModelName
from archive_pipeline.promotion.figures import Figures
from archive_pipeline.promotion.weighing import weigh
from archive_pipeline.training.recognition.progress import Progress
from archive_pipeline.training.recognition.recipe import Limits, Recipe
from archive_pipeline.training.recognition.training import Training, train_recognition


@dataclass(frozen=True)
class LeftOut:
    """One folder, and a model that was trained with all others.

    Attributes:
        folder: Its name.
        training: With the others.
        decision: Whether that model would read this folder.
    """

    folder: str
    training: Training
    decision: Decision

    @property
    def figures(self) -> Figures:
        """Of both models on the pages of the folder."""
        if self.decision.frozen is None:
            raise UsageError(f"{self.folder} has no text to be judged by")
        return self.decision.frozen

    @property
    def after(self) -> float:
        """CER of what reads the folder after the decision, in percent."""
        return (self.figures.candidate if self.decision.promoted else self.figures.current).value

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "folder": self.folder,
            "training": self.training.model_dump(mode="json"),
            "decision": self.decision.model_dump(mode="json"),
        }


def bench_left_out(
    folders: Sequence[Path],
    base: InstalledModel,
    options: ProcessingOptions,
    recipe: Recipe,
    limits: Limits,
    *,
    work: Path | None = None,
    told: Callable[[str, Progress], None] = lambda _, __: None,
) -> Iterator[LeftOut]:
    """Train without each folder in turn, and decide by that folder.

    Args:
        folders: Of page images with an ALTO or PAGE file of the same stem beside each.
        work: Where ground truth, checkpoints and models are kept, so that a second run goes on; None for nowhere.

    Raises:
        UsageError: There are too few folders, two have one name, or there are too few lines.
        ArchiveError: A page or a model cannot be read, or trained with.
    """
    if len(folders) < 2:
        raise UsageError("there are too few folders", remedy="Give two or more.")
    if len({set_name(folder) for folder in folders}) < len(folders):
        raise UsageError("two of the folders have the same name", remedy="Rename one: they are told apart by it.")
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        root = work or Path(scratch)
        pages = {set_name(folder): imported_pages(folder, root) for folder in folders}
        for name, judged in pages.items():
            others = [page for other, found in pages.items() if other != name for page in found]
            where = root / f"training-without-{name}"
            training = train_recognition(others, [], base, recipe, where, limits=limits, told=partial(told, name))
            model_name = f"without-{name}-{digest_of(training.files)[:8]}"
            model = imported_model(root / "models", where, training.files, model_name)
            before = evaluate(judged, base, options, name)
            after = evaluate(judged, model, replace(options, models_dir=root / "models"), name)
            decision = weigh(
                name,
                ModelName(id=base.id, digest=base.digest),
                ModelName(id=model.id, digest=model.digest),
                compared(before, after),
                {},
            )
            yield LeftOut(name, training, decision)
