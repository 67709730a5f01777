"""A model that is there: its files on this machine, and what they must be."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from archive_pipeline.errors import ModelError, printable
from archive_pipeline.models.entry import Engine, Task


class InstalledFile(BaseModel):
    """One file, as it must be."""

    model_config = ConfigDict(frozen=True)

    path: Path
    sha256: str
    size: int


class InstalledModel(BaseModel):
    """What an engine is given to load. It can be sent to a page worker as JSON.

    Attributes:
        digest: As :attr:`archive_pipeline.models.entry.ModelEntry.digest`; empty for a served model.
        files: The weights come first.
        served: Name of the model at its server; for a model with files, that of a second one whose layout it takes;
            else empty.
        remedy: What to do if a file is damaged.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    task: Task
    engine: Engine
    licence: str
    digest: str = ""
    files: tuple[InstalledFile, ...] = ()
    served: str = ""
    remedy: str = ""

    @property
    def path(self) -> Path:
        """The weights."""
        return self.files[0].path

    @property
    def folder(self) -> Path:
        """Where all files lie."""
        return self.path.parent

    def with_suffix(self, suffix: str) -> InstalledFile | None:
        """The first file of a kind, such as ``.onnx``."""
        return next((file for file in self.files if file.path.suffix == suffix), None)

    def named(self, name: str) -> InstalledFile | None:
        """The file of that name."""
        return next((file for file in self.files if file.path.name == name), None)

    def read(self, file: InstalledFile | None = None) -> bytes:
        """The bytes of a file, by default of the weights, checked against their digest.

        Raises:
            ModelError: They are missing or differ by a bit.
        """
        return self._read(file or self.files[0])

    def verify(self) -> None:
        """Check every file.

        Raises:
            ModelError: One is missing or differs by a bit.
        """
        for file in self.files:
            try:
                with file.path.open("rb") as opened:
                    found = hashlib.file_digest(opened, "sha256").hexdigest()
            except OSError as error:
                raise self._unreadable(error) from error
            if found != file.sha256:
                raise self._damaged(file)

    def _read(self, file: InstalledFile) -> bytes:
        try:
            data = file.path.read_bytes()
        except OSError as error:
            raise self._unreadable(error) from error
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise self._damaged(file)
        return data

    def _unreadable(self, error: OSError) -> ModelError:
        return ModelError(f"model {self.id} cannot be read: {error.strerror}", remedy=self.remedy)

    def _damaged(self, file: InstalledFile) -> ModelError:
        return ModelError(
            f"model {self.id} is damaged: {printable(file.path)} does not have the expected SHA-256",
            remedy=self.remedy,
        )
