"""The network: loaded from its model, and what it says of itself."""

from __future__ import annotations

from typing import Any

import torch
from kraken.models import load_models

from archive_pipeline.engines.tiny_weights import drop_tiny_weights
from archive_pipeline.errors import ModelError
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.training.segmentation.shapes import Classes


class Network:
    """A kraken segmentation network that can be trained.

    Attributes:
        model: kraken's object, with its metadata.
        classes: Of its output.
        channels: Of its input: 1 for grey, 3 for RGB.
    """

    def __init__(self, model: Any, classes: Classes) -> None:
        self.model = model
        self.classes = classes
        self.channels: int = model.input[1]

    @classmethod
    def load(cls, base: InstalledModel) -> Network:
        """Load a model to start from.

        Raises:
            ModelError: It is damaged, or none for baselines that kraken can train.
        """
        if base.task != "segmentation" or base.engine != "kraken":
            raise ModelError(
                f"model {base.id} cannot be trained here: it is no segmentation model of kraken",
                remedy="Take kraken-blla, or one that was made from it.",
            )
        base.verify()  # kraken itself wants a path
        try:
            (model,) = load_models(base.path, tasks=["segmentation"])
            classes = Classes.of(model.user_metadata["class_mapping"], model.output[1])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"model {base.id} cannot be trained by kraken: {error}") from error
        if model.input[1] not in (1, 3):
            raise ModelError(f"model {base.id} cannot be trained here: its input has {model.input[1]} channels")
        drop_tiny_weights(model)
        return cls(model, classes)

    def train_layers(self, which: str) -> list[tuple[str, torch.nn.Parameter]]:
        """Choose the layers to train: ``all``, or ``last``, those from the first recurrent one on.

        Returns:
            Their weights with their names, in the network's order.
        """
        layers = list(self.model.nn.children())
        first = next((at for at, layer in enumerate(layers) if _is_recurrent(layer)), 0) if which == "last" else 0
        for number, layer in enumerate(layers):
            layer.requires_grad_(number >= first)
        return [(name, weights) for name, weights in self.model.named_parameters() if weights.requires_grad]

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits of the input ``(pages, channels, height, width)``, a fraction of its size: a quarter for blla."""
        found: torch.Tensor = self.model.nn(pixels)[0]
        return found

    def state(self) -> dict[str, torch.Tensor]:
        """A copy of all weights, by name."""
        return {name: tensor.detach().clone().contiguous() for name, tensor in self.model.state_dict().items()}


def _is_recurrent(layer: torch.nn.Module) -> bool:
    return any(isinstance(part, torch.nn.RNNBase) for part in layer.modules())
