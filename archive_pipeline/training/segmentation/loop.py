"""The steps of a training, from where it stands to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import psutil
import torch

from archive_pipeline.errors import TooLarge
from archive_pipeline.training.segmentation.augment import changed
from archive_pipeline.training.segmentation.checkpoints import Checkpoints, Look, Standing, Tensors, weights_digest
from archive_pipeline.training.segmentation.losses import SegmentationLoss
from archive_pipeline.training.segmentation.network import Network
from archive_pipeline.training.segmentation.optimizer import Optimizer
from archive_pipeline.training.segmentation.prepared import PreparedPage
from archive_pipeline.training.segmentation.recipe import SegmentationRecipe
from archive_pipeline.training.segmentation.targets import TargetPainter
from archive_pipeline.training.segmentation.tensors import as_input
from archive_pipeline.training.segmentation.validation import validate

End = Literal["steps", "patience", "seconds"]
_ORDER, _CHANGE, _NETWORK = 0, 1, 2  # what a random draw is for


@dataclass(frozen=True)
class Progress:
    """What people are told of a training after each step.

    Attributes:
        step, steps: Steps that are done, and most of them.
        loss: Of this step's page; None when it goes on after a kill, and at the base.
        look: At the pages to validate by, if it was time.
        seconds: Spent so far.
    """

    step: int
    steps: int
    loss: float | None
    look: Look | None
    seconds: float


Told = Callable[[Progress], None]


class Training:
    """A training, from its last checkpoint on.

    Raises:
        UsageError, StorageError: The checkpoint is of another training, or damaged.
    """

    def __init__(
        self,
        network: Network,
        train: Sequence[PreparedPage],
        validation: Sequence[PreparedPage],
        recipe: SegmentationRecipe,
        checkpoints: Checkpoints,
    ) -> None:
        self._network = network
        self._train = train
        self._validation = validation
        self._recipe = recipe
        self._checkpoints = checkpoints
        self._device = torch.device(recipe.device)
        network.model.to(self._device)
        self._optimizer = Optimizer(network.train_layers(recipe.layers), recipe)
        self._painter = TargetPainter(network.classes, recipe.line_width)
        self._loss = SegmentationLoss(network.classes, recipe.dice)
        self.standing = Standing()
        self.best: Tensors = network.state()
        kept = checkpoints.load()
        if kept is not None:
            self.standing, state, self.best = kept
            weights = {name.removeprefix("weights."): t for name, t in state.items() if name.startswith("weights.")}
            network.model.load_state_dict(weights)
            self._optimizer.load(state)

    def run(self, told: Told = lambda _: None) -> End:
        """Train to the end.

        Raises:
            TooLarge: It needs more memory than it may have.
            StorageError: A checkpoint cannot be written.
        """
        began, before = time.monotonic(), self.standing.seconds
        standing = self.standing

        def tell(loss: float | None, look: Look | None) -> None:
            standing.seconds = before + time.monotonic() - began
            told(Progress(standing.step, self._recipe.steps, loss, look, standing.seconds))

        if not standing.looks:
            tell(None, self._look())
            self._save()
        while (end := self._end()) is None:
            loss = self._step()
            standing.step += 1
            standing.losses.append(loss)
            due = standing.step % (self._recipe.validate_every or len(self._train)) == 0
            out_of_time = before + time.monotonic() - began >= self._recipe.seconds
            look = self._look() if due or out_of_time or standing.step >= self._recipe.steps else None
            tell(loss, look)
            if look is not None or standing.step % self._recipe.checkpoint_every == 0:
                self._save()
            self._check_memory()
        return end

    def _end(self) -> End | None:
        standing, recipe = self.standing, self._recipe
        worse = sum(look.step > standing.best_step for look in standing.looks)
        if worse >= recipe.patience:
            return "patience"
        if standing.step >= recipe.steps:
            return "steps"
        return "seconds" if standing.seconds >= recipe.seconds and not standing.losses else None

    def _step(self) -> float:
        """One page: the loss before the weights are changed."""
        step, count = self.standing.step, len(self._train)
        order = self._draw(_ORDER, step // count).permutation(count)
        page = self._train[order[step % count]]
        pixels, shapes = (
            changed(page, self._draw(_CHANGE, step)) if self._recipe.augment else (page.pixels, page.shapes)
        )
        height, width = pixels.shape[:2]
        target = self._painter.draw(shapes, width, height)[None].to(self._device)
        self._network.model.train()
        # For networks with dropout: the draws of a step do not depend on those before.
        torch.manual_seed(int(self._draw(_NETWORK, step).integers(1 << 62)))
        with torch.autocast("cuda", torch.bfloat16, enabled=self._device.type == "cuda"):
            logits = self._network(as_input(pixels).to(self._device))
        loss = self._loss(logits, target, shapes)
        self._optimizer.step(loss, step)
        return float(loss.detach())

    def _draw(self, purpose: int, number: int) -> np.random.Generator:
        return np.random.default_rng([self._recipe.seed, purpose, number])

    def _look(self) -> Look:
        standing = self.standing
        found = validate(self._network, self._validation, self._painter, self._loss, self._device)
        mean = float(np.mean(standing.losses)) if standing.losses else None
        look = Look(step=standing.step, train_loss=mean, **vars(found))
        best = next((each for each in standing.looks if each.step == standing.best_step), None)
        if best is None or found.better_than(best.validation):
            standing.best_step = standing.step
            self.best = self._network.state()
        standing.looks.append(look)
        standing.losses.clear()
        return look

    def _save(self) -> None:
        weights = self._network.state()
        self.standing.weights_digest = weights_digest(weights)
        state = {f"weights.{name}": tensor for name, tensor in weights.items()}
        self._checkpoints.save(self.standing, state | self._optimizer.state(), self.best)

    def _check_memory(self) -> None:
        used = psutil.Process().memory_info().rss >> 20
        if used > self._recipe.memory_mb:
            raise TooLarge(
                f"the training takes {used} MB of memory, and may take {self._recipe.memory_mb}",
                remedy="Give it more (ARCHIVE_TRAINING_MEMORY_MB, in containers ARCHIVE_RUN_MEMORY), or leave out the "
                "widest pages; then run it again: it goes on from its last checkpoint.",
            )
