"""The models that can be used, each with its origin, licence and digest.

The bundled ones come inside Python packages of the lock file and need no download.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from archive_pipeline.errors import ModelError

Task = Literal["segmentation", "recognition"]


class ModelEntry(BaseModel):
    """One model.

    Attributes:
        engine: Which engine loads it.
        package, file: The Python package that carries it, and the file's path inside that package.
        sha256, size: Of the file; size in bytes.
        good_for: What it is good for, in a few words for the list.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    task: Task
    engine: Literal["ppocr", "kraken"]
    script: str
    licence: str
    source: str
    package: str
    file: str
    sha256: str
    size: int
    good_for: str

    def path(self) -> Path:
        """Where the file lies.

        Raises:
            ModelError: The package is not installed.
        """
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            raise ModelError(f"model {self.id} comes with {self.package}, which is missing", remedy="Run make setup.")
        return Path(spec.origin).parent / self.file

    def read(self) -> bytes:
        """The file's bytes, checked against the digest.

        Raises:
            ModelError: It is missing or differs by a bit.
        """
        try:
            data = self.path().read_bytes()
        except OSError as error:
            raise ModelError(
                f"model {self.id} cannot be read: {error.strerror}", remedy="Run make setup to install it again."
            ) from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ModelError(
                f"model {self.id} is damaged: {self.path()} does not have the expected SHA-256",
                remedy=f"Install {self.package} again in the version of requirements.lock.",
            )
        return data


BUNDLED = (
    ModelEntry(
        id="ppocr-v6-detection",
        task="segmentation",
        engine="ppocr",
        script="any",
        licence="Apache-2.0",
        source="PP-OCRv6 small detection, PaddlePaddle; ONNX file of RapidOCR",
        package="rapidocr",
        file="models/PP-OCRv6_det_small.onnx",
        sha256="090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
        size=9_929_594,
        good_for="lines of print and typescript, tables",
    ),
    ModelEntry(
        id="kraken-blla",
        task="segmentation",
        engine="kraken",
        script="any",
        licence="Apache-2.0",
        source="kraken's default segmenter, 10.5281/zenodo.14602569",
        package="kraken",
        file="blla.mlmodel",
        sha256="77a638a83c9e535620827a09e410ed36391e9e8e8126d5796a0f15b978186056",
        size=5_047_020,
        good_for="baselines and regions of handwriting, curved lines",
    ),
    ModelEntry(
        id="ppocr-v6-latin",
        task="recognition",
        engine="ppocr",
        script="Latin",
        licence="Apache-2.0",
        source="PP-OCRv6 small recognition, PaddlePaddle; ONNX file of RapidOCR, Latin labels only",
        package="rapidocr",
        file="models/PP-OCRv6_rec_small.onnx",
        sha256="6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        size=21_234_383,
        good_for="print and typescript in Latin script",
    ),
)


@cache
def catalogue() -> dict[str, ModelEntry]:
    """All models by id."""
    return {entry.id: entry for entry in BUNDLED}


def find_model(model_id: str, task: Task) -> ModelEntry:
    """The model of that id.

    Raises:
        ModelError: There is none of that id for that task.
    """
    entry = catalogue().get(model_id)
    if entry is None or entry.task != task:
        known = ", ".join(e.id for e in catalogue().values() if e.task == task)
        raise ModelError(f"there is no {task} model '{model_id}'", remedy=f"Choose one of: {known}.")
    return entry
