"""kraken's loss; only that from a page that does not say where its regions are it is not learnt that there are none."""

from __future__ import annotations

import torch
from kraken.train.losses import SoftDiceLoss

from archive_pipeline.training.segmentation.shapes import Classes, Shapes


class SegmentationLoss:
    """Binary cross-entropy and kraken's soft Dice loss, over the channels that a page says something of."""

    def __init__(self, classes: Classes, dice: float) -> None:
        self._without_regions = [
            channel for channel in range(classes.count) if channel not in set(classes.regions.values())
        ]
        self._weight = dice
        self._entropy = torch.nn.BCEWithLogitsLoss()
        self._dice = SoftDiceLoss()

    def __call__(self, logits: torch.Tensor, target: torch.Tensor, shapes: Shapes) -> torch.Tensor:
        """A number of one page.

        Args:
            logits: ``(1, classes, …)``; they are scaled to the size of the target, as kraken does.
            target: ``(1, classes, height, width)``.
        """
        logits = torch.nn.functional.interpolate(logits, size=target.shape[2:])
        if not shapes.regions_known:
            logits, target = logits[:, self._without_regions], target[:, self._without_regions]
        logits = logits.float()
        loss: torch.Tensor = self._entropy(logits, target)
        if self._weight > 0:
            loss = loss + self._weight * self._dice(torch.sigmoid(logits), target)
        return loss
