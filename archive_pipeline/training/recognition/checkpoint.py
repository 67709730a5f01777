"""What a training needs to go on after a kill, in one file that is there whole or not at all.

Weights, the optimiser's two moments, the mean and the best weights are tensors of a safetensors file (never a pickle);
all else is JSON in its metadata. Nothing that is drawn has a state: it is seeded by the step.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from archive_pipeline.durable import write_bytes
from archive_pipeline.errors import StorageError, printable

_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass
class State:
    """Where a training is.

    Attributes:
        key: Digest of recipe, base and lines; a checkpoint of others is of no use.
        step: Batches done.
        seconds: Spent so far, over all attempts.
        best_cer: On the pages for validation, in percent; None before the first evaluation.
        best_step: When that was.
        waited: Evaluations since then.
        curve: ``{"step", "loss", "cer", "seconds"}`` of each evaluation.
        losses: Sum and count of losses since the last evaluation.
        ended: Why it stopped before its last step; empty if it did not.
    """

    key: str
    step: int = 0
    seconds: float = 0.0
    best_cer: float | None = None
    best_step: int = 0
    waited: int = 0
    curve: list[dict[str, float | None]] = field(default_factory=list)
    losses: tuple[float, int] = (0.0, 0)
    ended: str = ""


class Tensors:
    """The tensors of a training: weights, their running mean, the best ones."""

    def __init__(self, module: nn.Module, optimiser: torch.optim.Optimizer, *, average: bool) -> None:
        self.weights = {name: each for name, each in module.named_parameters() if each.requires_grad}
        self._optimiser = optimiser
        self.mean = {name: each.detach().clone() for name, each in self.weights.items()} if average else {}
        self.best: dict[str, torch.Tensor] = {}

    @torch.no_grad()
    def keep_best(self) -> None:
        """Make the current result the best one."""
        self.best = {name: each.detach().clone() for name, each in (self.mean or self.weights).items()}

    @torch.no_grad()
    def follow(self, decay: float) -> None:
        """Have the mean follow the weights."""
        for name, mean in self.mean.items():
            mean.lerp_(self.weights[name].detach(), 1 - decay)

    @torch.no_grad()
    def exchange(self, others: dict[str, torch.Tensor]) -> None:
        """Exchange the weights for others, in place: twice is never."""
        for name, other in others.items():
            weight = self.weights[name]
            kept = weight.detach().clone()
            weight.copy_(other)
            other.copy_(kept)

    def save(self, path: Path, state: State) -> None:
        """Write a checkpoint.

        Raises:
            StorageError: It cannot be written.
        """
        tensors = {f"weight:{name}": each.detach() for name, each in self.weights.items()}
        tensors |= {f"mean:{name}": each for name, each in self.mean.items()}
        tensors |= {f"best:{name}": each for name, each in self.best.items()}
        for name, weight in self.weights.items():
            for moment in _MOMENTS:
                if moment in (kept := self._optimiser.state.get(weight, {})):
                    tensors[f"{moment}:{name}"] = kept[moment]
        plain = {name: each.cpu().contiguous() for name, each in tensors.items()}
        write_bytes(path, save(plain, metadata={"state": json.dumps(asdict(state))}))

    @torch.no_grad()
    def load(self, path: Path, key: str) -> State | None:
        """Go on from a checkpoint; None where there is none of this training.

        Raises:
            StorageError: It is damaged.
        """
        if not path.exists():
            return None
        try:
            with safe_open(path, framework="pt") as opened:  # type: ignore[no-untyped-call]
                state = State(**json.loads((opened.metadata() or {})["state"]))
                if state.key != key:
                    return None
                found = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no dictionary
            self._take(found, state.step)
        except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError, OSError) as error:
            raise StorageError(
                f"the checkpoint {printable(path)} is damaged: {' '.join(str(error).split())[:200]}",
                remedy="Delete it; the training then begins anew.",
            ) from None
        state.losses = (state.losses[0], state.losses[1])
        return state

    def _take(self, found: dict[str, torch.Tensor], step: int) -> None:
        for name, weight in self.weights.items():
            weight.copy_(found[f"weight:{name}"])
            if step:
                kept: dict[str, Any] = {moment: _like(found[f"{moment}:{name}"], weight) for moment in _MOMENTS}
                self._optimiser.state[weight] = {"step": torch.tensor(float(step)), **kept}
        for name, mean in self.mean.items():
            mean.copy_(found[f"mean:{name}"])
        best = {name.removeprefix("best:"): each for name, each in found.items() if name.startswith("best:")}
        self.best = {name: _like(each, self.weights[name]) for name, each in best.items()}


def _like(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """On the same device and laid out in memory in the same way, on which sums depend in their last bits."""
    return torch.empty_like(weight).copy_(values)
