"""The training of a segmentation model as a whole: from pages and a base to a file that the engine loads."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict

from archive_pipeline.durable import digest_of, file_digest, write_json
from archive_pipeline.errors import BadGroundTruth, UsageError, printable
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.training.segmentation.checkpoints import Checkpoints, Look, weights_digest
from archive_pipeline.training.segmentation.fixed import fixed
from archive_pipeline.training.segmentation.loop import End, Told, Training
from archive_pipeline.training.segmentation.network import Network
from archive_pipeline.training.segmentation.output import write_model
from archive_pipeline.training.segmentation.prepared import page_digest, prepare
from archive_pipeline.training.segmentation.recipe import SegmentationRecipe
from archive_pipeline.training_sets.lines import TrainingPage

MODEL, RECORD = "model.safetensors", "trained.json"
VERSION = "1"
"""Of this room: raise it when the same pages, base and recipe give another model."""


class UsedPage(BaseModel):
    """A page that a model was made from.

    Attributes:
        use: ``train``, or ``validate``: it was chosen by that page, so it must not be judged by it.
        truth_digest: Of its image and of where its lines and regions are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    use: Literal["train", "validate"]
    image_sha256: str
    truth_digest: str
    licence: str | None
    lines: int


class TrainedSegmentation(BaseModel):
    """A model that was trained, with all that it depends on.

    Attributes:
        sha256, size: Of :data:`MODEL` in the folder of the training.
        weights_digest: Of the weights alone.
        base, base_digest: Model that it began with.
        versions: Of the libraries, and the kind of processor: what "the same bits" holds for.
        pages: That it was made from.
        left_out: Why other pages were not used, by their id.
        undrawn_lines: Lines without a baseline that can be drawn, on the pages that were used.
        steps: That were done; ``best_step`` is the one whose weights are in the file, 0 for those of the base.
        end: Why it ended.
        looks: At the pages to validate by, the base first.
        seconds: That it took. Stopped by time, a training gives another model on another machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    sha256: str
    size: int
    weights_digest: str
    base: str
    base_digest: str
    base_licence: str
    recipe: SegmentationRecipe
    versions: dict[str, str]
    pages: tuple[UsedPage, ...]
    left_out: dict[str, str]
    undrawn_lines: int
    steps: int
    best_step: int
    end: End
    looks: tuple[Look, ...]
    seconds: float

    @property
    def improved(self) -> bool:
        """Whether it is better than its base on the pages to validate by; if not, its weights are those of the base."""
        return self.best_step > 0


def train_segmentation(
    train: Sequence[TrainingPage],
    validate: Sequence[TrainingPage],
    base: InstalledModel,
    recipe: SegmentationRecipe,
    folder: Path,
    told: Told = lambda _: None,
) -> TrainedSegmentation:
    """Fine-tune a segmentation model; one that was killed goes on, and so does one that is given more steps.

    Args:
        train: Pages to learn from.
        validate: Pages that say which step was best, and when to end. Not those that a model is judged by.
        folder: Of this training alone (:func:`~archive_pipeline.training.alone.alone_in`): checkpoints, then
            :data:`MODEL` and :data:`RECORD`. What another one left there is replaced.
        told: Called after each step.

    Raises:
        BadGroundTruth: No page of one of the two can be used.
        UsageError: A page is in both.
        ModelError: The base cannot be trained.
        TooLarge: It needs more memory than the recipe allows.
        ChildNotStarted, StorageError: The installation's fault.
    """
    _require_apart(train, validate)
    versions = _versions(recipe)
    used = [_used(page, "train") for page in train] + [_used(page, "validate") for page in validate]
    key = digest_of(VERSION, recipe.decides(), base.digest, versions, [page.model_dump() for page in used])
    checkpoints = Checkpoints(folder, key)
    with fixed(recipe.threads):
        network = Network.load(base)
        made_ready, left_out = prepare(
            [*train, *validate], network.classes, recipe.height, network.channels, memory_mb=recipe.memory_mb
        )
        names = {page.id for page in validate}
        learned = [page for page in made_ready if page.id not in names]
        judged = [page for page in made_ready if page.id in names]
        for pages, what in ((learned, "learn from"), (judged, "validate by")):
            if not pages:
                reasons = "; ".join(str(error) for error in list(left_out.values())[:3])
                raise BadGroundTruth(f"there is no page to {what}{f' ({reasons})' if reasons else ''}")
        training = Training(network, learned, judged, recipe, checkpoints)
        end = training.run(told)
        network.model.load_state_dict(training.best)
    standing = training.standing
    about = network.model.user_metadata
    about["metrics"] = [[look.step, {"val_bl_f1": look.f1}] for look in standing.looks]
    about["hyper_params"] = recipe.model_dump(mode="json")
    network.model.to("cpu")
    write_model(network.model, folder / MODEL)
    made = TrainedSegmentation(
        sha256=file_digest(folder / MODEL),
        size=(folder / MODEL).stat().st_size,
        weights_digest=weights_digest(training.best),
        base=base.id,
        base_digest=base.digest,
        base_licence=base.licence,
        recipe=recipe,
        versions=versions,
        pages=tuple(page for page in used if page.id not in left_out),
        left_out={name: str(error) for name, error in left_out.items()},
        undrawn_lines=sum(page.shapes.left_out for page in made_ready),
        steps=standing.step,
        best_step=standing.best_step,
        end=end,
        looks=tuple(standing.looks),
        seconds=round(standing.seconds, 1),
    )
    write_json(folder / RECORD, made.model_dump(mode="json"))
    return made


def _require_apart(train: Sequence[TrainingPage], validate: Sequence[TrainingPage]) -> None:
    """By group and by image: the same page may lie in two sets."""
    images = {page.image_sha256 for page in train}
    names = {name for page in train for name in (page.id, page.group)}
    for page in validate:
        if page.image_sha256 in images or page.group in names or page.id in names:
            raise UsageError(
                f"page {printable(page.id)} is among those to learn from and among those to validate by",
                remedy="Split them again, by page.",
            )


def _used(page: TrainingPage, use: Literal["train", "validate"]) -> UsedPage:
    return UsedPage(
        id=page.id,
        use=use,
        image_sha256=page.image_sha256,
        truth_digest=page_digest(page),
        licence=page.licence,
        lines=sum(1 for _ in page.page.lines()),
    )


def _versions(recipe: SegmentationRecipe) -> dict[str, str]:
    names = ("kraken", "torch", "numpy", "opencv-python-headless", "pillow", "scikit-image", "shapely")
    found = {name: importlib.metadata.version(name) for name in names if _is_there(name)}
    return found | {
        "machine": platform.machine(),
        "cpu": torch.backends.cpu.get_cpu_capability() if recipe.device == "cpu" else torch.cuda.get_device_name(),
    }


def _is_there(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
