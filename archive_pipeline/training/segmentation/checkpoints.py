"""Where a training stands, so that it can go on after a kill at any line.

::

    <folder>/state-<step>.safetensors   weights and the optimizer's state
    <folder>/best-<step>.safetensors    the weights that were best on the pages to validate by
    <folder>/checkpoint.json            which two of them count, with their digests; written last

No pickles: loading one runs what is in it. Random draws have no state to keep: each follows from seed and step.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from archive_pipeline.durable import make_folder, read_json, to_json, write_bytes
from archive_pipeline.errors import StorageError, printable
from archive_pipeline.training.segmentation.validation import Validation

Tensors = dict[str, torch.Tensor]
_NAME = "checkpoint.json"


class Look(BaseModel):
    """One look at the pages to validate by.

    Attributes:
        train_loss: Mean since the look before; None for the first, of the base.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int
    train_loss: float | None
    loss: float
    f1: float
    precision: float
    recall: float

    @property
    def validation(self) -> Validation:
        return Validation(self.loss, self.f1, self.precision, self.recall)


class Standing(BaseModel):
    """How far a training is.

    Attributes:
        step: Steps that are done.
        best_step: After which the network was best; 0 for the base.
        looks: All of them, that at the base first.
        losses: Of the steps since the last look.
        seconds: Spent so far.
        weights_digest: SHA-256 over all weights.
    """

    model_config = ConfigDict(extra="forbid")

    step: int = 0
    best_step: int = 0
    looks: list[Look] = []
    losses: list[float] = []
    seconds: float = 0.0
    weights_digest: str = ""


class _Checkpoint(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    key: str
    standing: Standing
    state_file: str
    state_sha256: str
    best_file: str
    best_sha256: str


class Checkpoints:
    """The checkpoint of one training.

    Args:
        folder: Of the training.
        key: What it depends on: pages, base, recipe, libraries.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self._key = key
        self._best: tuple[str, str] = ("", "")
        make_folder(folder)

    def load(self) -> tuple[Standing, Tensors, Tensors] | None:
        """The standing, the state and the best weights; None if there is none yet of this very training.

        Raises:
            StorageError: It is damaged.
        """
        data = read_json(self._folder / _NAME)
        if data is None:
            return None
        try:
            checkpoint = _Checkpoint.model_validate(data)
        except ValidationError:
            raise self._damaged(_NAME) from None
        if checkpoint.key != self._key:
            return None
        state = self._read(checkpoint.state_file, checkpoint.state_sha256)
        best = self._read(checkpoint.best_file, checkpoint.best_sha256)
        self._best = (checkpoint.best_file, checkpoint.best_sha256)
        return checkpoint.standing, state, best

    def save(self, standing: Standing, state: Tensors, best: Tensors) -> None:
        """Keep where it stands. Until the last line the checkpoint before is the one that counts.

        Raises:
            NoSpaceLeft, StorageError: It cannot be written.
        """
        state_file = f"state-{standing.step:07}.safetensors"
        state_sha256 = self._write(state_file, state)
        best_file = f"best-{standing.best_step:07}.safetensors"
        if self._best[0] != best_file:
            self._best = (best_file, self._write(best_file, best))
        checkpoint = _Checkpoint(
            key=self._key,
            standing=standing,
            state_file=state_file,
            state_sha256=state_sha256,
            best_file=best_file,
            best_sha256=self._best[1],
        )
        write_bytes(self._folder / _NAME, to_json(checkpoint.model_dump(mode="json")))
        for path in (*self._folder.glob("state-*.safetensors"), *self._folder.glob("best-*.safetensors")):
            if path.name not in (state_file, best_file):
                path.unlink(missing_ok=True)

    def _write(self, name: str, tensors: Tensors) -> str:
        data = save(tensors)
        write_bytes(self._folder / name, data)
        return hashlib.sha256(data).hexdigest()

    def _read(self, name: str, sha256: str) -> Tensors:
        path = self._folder / Path(name).name
        try:
            data = path.read_bytes()
        except OSError:
            raise self._damaged(name) from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise self._damaged(name)
        try:
            tensors: Tensors = load(data)
        except SafetensorError:
            raise self._damaged(name) from None
        return tensors

    def _damaged(self, name: str) -> StorageError:
        return StorageError(
            f"the checkpoint {printable(self._folder / name)} is damaged",
            remedy="Remove the folder of this training and begin anew.",
        )


def weights_digest(weights: Tensors) -> str:
    """SHA-256 over names, kinds, shapes and bits."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
