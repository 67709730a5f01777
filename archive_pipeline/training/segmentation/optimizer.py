"""AdamW with a rising start and a bound on the gradient; its state as named tensors, so that it needs no pickle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from archive_pipeline.training.segmentation.recipe import SegmentationRecipe

_PREFIX = "optimizer."


class Optimizer:
    """AdamW over named weights.

    Args:
        weights: Those to train, with their names.
    """

    def __init__(self, weights: Sequence[tuple[str, torch.nn.Parameter]], recipe: SegmentationRecipe) -> None:
        self._weights = list(weights)
        self._recipe = recipe
        self._adam = torch.optim.AdamW(
            [parameter for _, parameter in weights], lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )

    def step(self, loss: torch.Tensor, number: int) -> None:
        """Change the weights by the gradient of a loss.

        Args:
            number: Of the step, from 0.
        """
        share = min(1.0, (number + 1) / self._recipe.warmup) if self._recipe.warmup else 1.0
        for group in self._adam.param_groups:
            group["lr"] = share * self._recipe.learning_rate
        self._adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([parameter for _, parameter in self._weights], self._recipe.clip)
        self._adam.step()

    def state(self) -> dict[str, torch.Tensor]:
        """A copy of what AdamW remembers of each weight; empty before the first step."""
        return {
            f"{_PREFIX}{key}.{name}": value.detach().clone().contiguous()
            for name, parameter in self._weights
            for key, value in self._adam.state.get(parameter, {}).items()
        }

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """The inverse of :meth:`state`; other tensors are passed over."""
        for name, parameter in self._weights:
            for key in ("step", "exp_avg", "exp_avg_sq"):
                value = state.get(f"{_PREFIX}{key}.{name}")
                if value is not None:
                    # AdamW keeps its count of steps on the CPU.
                    place = torch.device("cpu") if key == "step" else parameter.device
                    self._adam.state[parameter][key] = value.clone().to(place)
