"""Reading cut lines with a network in training, and its CER on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    order = sorted(range(len(lines)), key=lambda index: lines[index].strip.shape[1])
    was_training = network.module.training
    network.module.eval()
    with torch.inference_mode():
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            batch, widths = batch_tensor([lines[index].strip for index in chosen], network.channels)
            logits, lengths = network.module(batch.to(device), widths.to(device))
            for index, labels, length in zip(chosen, logits.squeeze(2).argmax(1), lengths, strict=True):
                texts[index] = network.text(_runs(labels[: int(length)].tolist()))
    network.module.train(was_training)
    return texts


def character_error_rate(truth: Iterable[str], read: Iterable[str]) -> float:
    """In percent, blanks evened out; for the way only: models are judged by :mod:`archive_pipeline.evaluation`."""
    errors = characters = 0
    for true, found in zip(truth, read, strict=True):
        errors += Levenshtein.distance(true, " ".join(found.split()))
        characters += len(true)
    return 100 * errors / max(characters, 1)


def _runs(labels: Iterable[int]) -> list[int]:
    return [label for label, _ in groupby(labels) if label]
