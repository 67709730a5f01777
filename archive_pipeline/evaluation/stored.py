"""Evaluations that were made, by what they were made of.

::

    <training>/evaluations/<hand key>/<model id>-<first 16 of the digest>.json
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from archive_pipeline.durable import read_json, write_json
from archive_pipeline.errors import StorageError, printable
from archive_pipeline.evaluation.record import Evaluation


class EvaluationStore:
    """Evaluations below one folder.

    Args:
        root: ``evaluations`` in the folder for training.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str, model: str, digest: str) -> Path:
        """Of a hand's key, a model's id and an evaluation's digest."""
        return self.root / key / f"{model}-{digest[:16]}.json"

    def load(self, key: str, model: str, digest: str) -> Evaluation | None:
        """An evaluation; None if it was not made.

        Raises:
            StorageError: It is there but cannot be read.
        """
        path = self.path(key, model, digest)
        data = read_json(path)
        if data is None:
            return None
        try:
            found = Evaluation.model_validate(data)
        except ValidationError:
            raise StorageError(
                f"{printable(path)} is of another version or damaged", remedy="Delete it; it is made again."
            ) from None
        return found if found.digest == digest else None

    def write(self, key: str, evaluation: Evaluation) -> Path:
        """Keep an evaluation.

        Raises:
            StorageError, NoSpaceLeft: It cannot be written.
        """
        path = self.path(key, evaluation.model, evaluation.digest)
        write_json(path, evaluation.model_dump(mode="json"))
        return path
