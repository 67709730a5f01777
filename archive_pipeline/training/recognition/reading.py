"""Reading cut lines with a network in training, and its CER on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import torch
from rapidfuzz.distance import Levenshtein

from archive_pipeline.training.recognition.lines import CutLine
from archive_pipeline.training.recognition.network import TrainableNetwork
from archive_pipeline.training.recognition.tensors import batch_tensor

_BATCH = 4


def read_lines(network: TrainableNetwork, lines: Sequence[CutLine], device: torch.device) -> list[str]:
    """What the network reads: best path (Graves et al. 2006), in the order of display."""
    texts = [""] * len(lines)
    for index, logits in line_logits(network, lines, device):
        texts[index] = network.text(best_path(logits))
    return texts


def line_logits(
    network: TrainableNetwork, lines: Sequence[CutLine], device: torch.device
) -> Iterator[tuple[int, torch.Tensor]]:
    """What the network says of each line (its index, classes x steps), in the order of their widths."""
    order = sorted(range(len(lines)), key=lambda index: lines[index].strip.shape[1])
    was_training = network.module.training
    network.module.eval()
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        batch, widths = batch_tensor([lines[index].strip for index in chosen], network.channels)
        with torch.inference_mode():
            logits, lengths = network.module(batch.to(device), widths.to(device))
        for index, line, length in zip(chosen, logits.squeeze(2), lengths, strict=True):
            yield index, line[:, : int(length)]
    network.module.train(was_training)


def character_error_rate(truth: Iterable[str], read: Iterable[str]) -> float:
    """In percent, blanks evened out; for the way only: models are judged by :mod:`archive_pipeline.evaluation`."""
    errors = characters = 0
    for true, found in zip(truth, read, strict=True):
        errors += Levenshtein.distance(true, " ".join(found.split()))
        characters += len(true)
    return 100 * errors / max(characters, 1)


def best_path(logits: torch.Tensor) -> list[int]:
    """The labels of a line.

    Args:
        logits: Classes x steps.
    """
    return [label for label, _ in groupby(logits.argmax(0).tolist()) if label]
