"""The networks of kraken that can be trained, behind one face: lines and widths in, logits and lengths out."""

from __future__ import annotations

import json
import unicodedata
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from kraken.lib.codec import PytorchCodec
from kraken.lib.ppocr import PPOCRv6Model
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import load_models
from safetensors.torch import save_model
from torch import nn

from archive_pipeline.engines.kraken_decoding import symbols_of
from archive_pipeline.errors import ModelError
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.training.recognition.bundled_weights import bundled_network
from archive_pipeline.training.recognition.fused import fused, write_back

_PREFIX = uuid.UUID("8f1b8e7e-6d0a-5e39-9a55-3a1b2f1a9c11")


class TrainableNetwork:
    """A recognition network of kraken, and the form of it that is trained.

    Args:
        model: kraken's model; it changes.

    Attributes:
        height, channels: Of the lines that it reads.
        module: What is trained: ``module(lines, widths)`` gives logits (N x classes x 1 x steps) and lengths (N).
    """

    def __init__(self, model: PPOCRv6Model | TorchVGSLModel) -> None:
        self.model = model
        _, self.channels, self.height, _ = model.input
        self.module: nn.Module

    @property
    def codec(self) -> PytorchCodec:
        return self.model.codec

    def learn_characters(self, texts: Iterable[str], seed: int) -> list[str]:
        """Extend the codec by the characters that it lacks, and prepare the form that is trained.

        Returns:
            The new characters.
        """
        new = sorted({character for text in texts for character in self._in_form(text)} - set(self.codec.c2l))
        if new:
            codec = self.codec.add_labels(new)
            torch.manual_seed(seed)  # the new rows are drawn
            _resize(self.model, codec)
        self.module = fused(self.model.nn) if isinstance(self.model, PPOCRv6Model) else self.model.nn
        self.module.requires_grad_(True)
        return new

    def labels(self, text: str) -> list[int]:
        """The labels of a text; characters that no label stands for are left out, as in pages for validation."""
        return [int(label) for label in self.codec.encode(self._in_form(text))]

    @property
    def symbols(self) -> dict[int, str]:
        """The text of each label."""
        return symbols_of(self.codec)

    def text(self, labels: Iterable[int]) -> str:
        """The text of labels of one line: best path, repetitions and blanks gone already."""
        read = "".join(part for part, *_ in self.codec.decode([(label, 0, 0, 1.0) for label in labels]))
        return unicodedata.normalize("NFC", read)

    def _in_form(self, text: str) -> str:
        """Text as the network writes it: some, such as McCATMuS, write letters and accents apart (NFD)."""
        apart = any(unicodedata.combining(character) for part in self.codec.c2l for character in part)
        return unicodedata.normalize("NFD" if apart else "NFC", text)

    def finished(self) -> PPOCRv6Model | TorchVGSLModel:
        """kraken's model with what was learnt."""
        if isinstance(self.model, PPOCRv6Model):
            write_back(self.module, self.model.nn)
        return self.model.eval()


def trainable(base: InstalledModel) -> TrainableNetwork:
    """Load a base: the bundled PP-OCRv6 recogniser, or a recognition model of kraken.

    Raises:
        ModelError: It cannot be loaded, or cannot be trained.
    """
    if base.engine == "ppocr":
        return TrainableNetwork(bundled_network(base))
    if base.engine != "kraken" or base.task != "recognition":
        raise ModelError(
            f"model {base.id} cannot be trained",
            remedy="Choose a recognition model of kraken, or ppocr-v6-latin, as base.",
        )
    base.verify()
    try:
        found = load_models((base.with_suffix(".safetensors") or base.files[0]).path, tasks=["recognition"])
    except Exception as error:  # whatever kraken raises at a file that is none of its own
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"model {base.id} cannot be loaded by kraken: {reason}", remedy=base.remedy) from error
    model = next((each for each in found if isinstance(each, PPOCRv6Model | TorchVGSLModel)), None)
    if model is None or model.codec is None or model.input[2] < 8 or model.input[1] not in (1, 3):
        raise ModelError(
            f"model {base.id} has no network that reads lines and can be trained",
            remedy="Choose a recognition model of kraken, or ppocr-v6-latin, as base.",
        )
    # However its lines were cut: from now on it learns ours.
    model.seg_type, model.use_legacy_polygons = "baselines", False
    model.one_channel_mode = "L" if model.input[1] == 1 else None
    return TrainableNetwork(model)


def write_network(model: PPOCRv6Model | TorchVGSLModel, path: Path) -> None:
    """Write a model as kraken's writer does, but with a fixed name inside: the same weights give the same bytes."""
    name = str(uuid.uuid5(_PREFIX, type(model).__name__))
    metadata: dict[str, Any] = {
        name: {
            "_kraken_min_version": model._kraken_min_version,
            "_tasks": model.model_type,
            "_model": type(model).__name__,
            **model.user_metadata,
        }
    }
    save_model(
        nn.ModuleDict({name: model}),
        str(path),
        metadata={"kraken_meta": json.dumps(metadata, sort_keys=True, ensure_ascii=False)},
    )


def _resize(model: Any, codec: PytorchCodec) -> None:
    model.add_codec(codec)
    model.resize_output(codec.max_label + 1)
