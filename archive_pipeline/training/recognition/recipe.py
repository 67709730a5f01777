"""How a model is trained: all that decides what comes out, so that the same recipe gives the same model."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from archive_pipeline.models.language import MOST_CHARACTERS

SCHEMA_VERSION = 1
MOST_THREADS = 256


class Recipe(BaseModel):
    """How recognition is trained.

    A time limit cannot be part of it, for it would make a slow machine's model another one: ``steps`` are. Where they
    are not given they are worked out once, from the limit and the speed that is measured at the start, and noted. So
    is the learning rate, by how well the base reads already what it is to learn; a training that comes apart all the
    same begins anew with a lower one and the steps that still fit.

    Attributes:
        steps: Batches; None to work it out.
        batch: Lines in a batch; None for the usual number (:func:`.batches.usual_batch`).
        learning_rate: The highest; it rises over ``warm_up`` batches and then falls as a cosine to a fiftieth. None for
            the usual one.
        weight_decay: Of AdamW (Loshchilov & Hutter 2019), on matrices and kernels only.
        clip: Norm to which gradients are cut.
        augmentation: 0 for none, 1 for the usual amount.
        average: Of the exponential mean of the weights that is kept beside them and becomes the model; 0 for none.
        evaluations: How often the pages for validation are read on the way.
        patience: After so many evaluations without a better one it stops; 0 for never.
        ngrams: Characters of those that are counted in the lines (:mod:`.language`); 0 for none.
        seed: Of everything that is drawn.
        threads: Sums of floats depend on how they are parted, so these belong to the recipe.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    steps: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    batch: Annotated[int, Field(ge=1, le=256)] | None = None
    learning_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    warm_up: Annotated[int, Field(ge=0)] = 60
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.05
    clip: Annotated[float, Field(gt=0)] = 5.0
    augmentation: Annotated[float, Field(ge=0, le=3)] = 1.0
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    evaluations: Annotated[int, Field(ge=1, le=1000)] = 12
    patience: Annotated[int, Field(ge=0)] = 5
    ngrams: Annotated[int, Field(ge=0, le=MOST_CHARACTERS)] = 6
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    threads: Annotated[int, Field(ge=1, le=MOST_THREADS)] = 2


class Plan(BaseModel):
    """What a recipe leaves open, as it was worked out at the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: Annotated[int, Field(ge=1)]
    batch: Annotated[int, Field(ge=1)]
    learning_rate: Annotated[float, Field(gt=0)]


class Limits(BaseModel):
    """What a training may take of the machine.

    Attributes:
        minutes: It ends within these. If it is slower than it was measured at the start, it stops early and says so.
        memory_mb: Of the process; beyond it the training is ended with an error, and can go on from its checkpoint.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0
    memory_mb: Annotated[int, Field(gt=0)] = 6144
