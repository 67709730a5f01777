"""Whether a model was trained with pages that it is to be judged by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from archive_pipeline.durable import read_json
from archive_pipeline.errors import ModelError, printable
from archive_pipeline.training_sets.frozen import leaked
from archive_pipeline.training_sets.lines import TrainingPage

_SHOWN = 3


class _UsedPage(BaseModel):
    image_sha256: str
    text_digest: str = ""


class _Trained(BaseModel):
    """Of the record of a trained model, what is asked here."""

    training: tuple[_UsedPage, ...]


def require_unseen(models: Path, model: str, pages: Sequence[TrainingPage]) -> None:
    """Refuse to judge a model by pages that it was trained with; models that were not trained here say nothing of that.

    Args:
        models: Folder of the model library.
        model: Id of a model.

    Raises:
        ModelError: It was trained with one of them, or its record cannot be read.
    """
    path = models / "trained" / f"{model}.json"
    data = read_json(path)
    if data is None:
        return
    try:
        used = _Trained.model_validate(data).training
    except ValidationError:
        raise ModelError(
            f"{printable(path)} is of another version or damaged, so nobody knows what {model} was trained with",
            remedy="Train the model again.",
        ) from None
    if found := leaked([(each.image_sha256, each.text_digest) for each in used], pages):
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise ModelError(
            f"model {model} was trained with pages that it would be judged by: "
            f"{', '.join(map(printable, found[:_SHOWN]))}{more}",
            remedy="Judge it by others, or train it again without these.",
        )
