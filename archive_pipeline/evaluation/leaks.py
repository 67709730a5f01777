"""Whether a model was trained with pages that it is to be judged by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archive_pipeline.errors import ModelError, printable
from archive_pipeline.models.trained import trained_record
from archive_pipeline.training_sets.frozen import leaked
from archive_pipeline.training_sets.lines import TrainingPage

_SHOWN = 3


def require_unseen(models: Path, model: str, pages: Sequence[TrainingPage]) -> None:
    """Refuse to judge a model by pages that it was trained with; models that were not trained here say nothing of that.

    Args:
        models: Folder of the model library.
        model: Id of a model.

    Raises:
        ModelError: It was trained with one of them, or its record cannot be read.
    """
    record = trained_record(models, model)
    used = record.training if record else ()
    if found := leaked([(each.image_sha256, each.text_digest) for each in used], pages):
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise ModelError(
            f"model {model} was trained with pages that it would be judged by: "
            f"{', '.join(map(printable, found[:_SHOWN]))}{more}",
            remedy="Judge it by others, or train it again without these.",
        )
