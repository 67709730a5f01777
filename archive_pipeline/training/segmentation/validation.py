"""How good a network is on the pages to validate by: its loss, and whether it finds their baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from kraken.lib.segmentation import vectorize_lines

from archive_pipeline.evaluation.baselines import BaselineScore, score_baselines, tolerance_of
from archive_pipeline.training.segmentation.losses import SegmentationLoss
from archive_pipeline.training.segmentation.network import Network
from archive_pipeline.training.segmentation.prepared import PreparedPage
from archive_pipeline.training.segmentation.targets import TargetPainter
from archive_pipeline.training.segmentation.tensors import as_input


@dataclass(frozen=True)
class Validation:
    """Means over pages.

    Attributes:
        f1, precision, recall: Of baselines, 0 to 1; see :mod:`archive_pipeline.evaluation.baselines`.
    """

    loss: float
    f1: float
    precision: float
    recall: float

    def better_than(self, other: Validation) -> bool:
        """By the baselines that are found; among equals, by the loss."""
        return (round(self.f1, 6), -self.loss) > (round(other.f1, 6), -other.loss)


@torch.no_grad()
def validate(
    network: Network,
    pages: Sequence[PreparedPage],
    painter: TargetPainter,
    loss: SegmentationLoss,
    device: torch.device,
) -> Validation:
    """Look at every page as it is, without changes."""
    network.model.eval()
    losses, scores = [], []
    for page in pages:
        height, width = page.pixels.shape[:2]
        target = painter.draw(page.shapes, width, height)[None].to(device)
        logits = network(as_input(page.pixels).to(device))
        losses.append(float(loss(logits, target, page.shapes)))
        scores.append(_score(network, page, torch.sigmoid(logits)[0].float().cpu().numpy()))
    precision = float(np.mean([score.precision for score in scores]))
    recall = float(np.mean([score.recall for score in scores]))
    return Validation(float(np.mean(losses)), float(np.mean([score.f1 for score in scores])), precision, recall)


def _score(
    network: Network, page: PreparedPage, heat: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> BaselineScore:
    """The lines that kraken makes of the network's output, against those that people drew.

    At the size of the output, as kraken's own training does: the engine scales it up before it looks for lines, which
    takes sixteen times as long.
    """
    classes = network.classes
    found = vectorize_lines(heat[[classes.start, classes.end, classes.baseline]])
    height, width = page.pixels.shape[:2]
    scale = np.array([heat.shape[2] / width, heat.shape[1] / height])
    truth = [scale * line for line in page.shapes.baselines]
    return score_baselines(truth, [np.asarray(line, np.float64) for line in found], tolerance_of(truth))
