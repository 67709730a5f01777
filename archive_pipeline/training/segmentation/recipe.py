"""All that a training of segmentation depends on beside its pages and its base."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from archive_pipeline.engines.kraken_input import HEIGHT


class SegmentationRecipe(BaseModel):
    """How a segmentation network is trained; one page is one step.

    Attributes:
        height: Pixels to which a page is scaled. Another than the engine's is for experiments: the engine always
            scales to its own.
        layers: ``all``, or ``last``: those after the convolutions, which see lines and no more strokes.
        steps: Most steps.
        validate_every: Steps between two looks at the pages to validate by; 0 for as many as there are pages.
        patience: Looks without a better result after which it ends.
        checkpoint_every: Steps after which at most one is lost by a kill.
        learning_rate, weight_decay: Of AdamW.
        warmup: Steps in which the learning rate rises.
        clip: Longest gradient.
        dice: Weight of kraken's Dice loss beside the cross-entropy.
        line_width: Of drawn baselines, in pixels of the scaled page.
        augment: Whether pages are turned, scaled, moved and lit a little, each time otherwise.
        seed: Same seed, same pages and base, same machine and libraries: same bits.
        seconds: Longest time of the training itself, over all its parts; the pages to validate by count.
        memory_mb: Most memory of this process, in megabytes of 2^20 bytes.
        threads: Of torch. Another number gives other bits.
        device: ``cpu``, or ``cuda`` for a GPU, with mixed precision (bfloat16).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    height: int = Field(HEIGHT, ge=64, le=3000)
    layers: Literal["all", "last"] = "all"
    steps: int = Field(1000, ge=1)
    validate_every: int = Field(0, ge=0)
    patience: int = Field(5, ge=1)
    checkpoint_every: int = Field(10, ge=1)
    learning_rate: float = Field(1e-4, gt=0)
    weight_decay: float = Field(1e-5, ge=0)
    warmup: int = Field(10, ge=0)
    clip: float = Field(1.0, gt=0)
    dice: float = Field(0.5, ge=0)
    line_width: int = Field(8, ge=1)
    augment: bool = True
    seed: int = Field(1, ge=0)
    seconds: float = Field(3600, gt=0, allow_inf_nan=False)
    memory_mb: int = Field(8192, ge=1024)
    threads: int = Field(2, ge=1)
    device: Literal["cpu", "cuda"] = "cpu"

    def decides(self) -> dict[str, object]:
        """What the result depends on: a training may be given more time or memory while it is under way."""
        return self.model_dump(mode="json", exclude={"seconds", "memory_mb", "checkpoint_every", "steps", "patience"})
