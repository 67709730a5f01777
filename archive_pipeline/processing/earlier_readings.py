"""The reading of a page before another model read it: kept for comparison, and pruned when it is old.

``earlier/0001.json`` is the :class:`StoredPage` of then, one a page. No export shows it, and corrections by people are
not in it: they are a layer of their own, which no reading touches.
"""

from __future__ import annotations

from archive_pipeline.errors import StorageError
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.processing.stored_pages import StoredPage, stored_page, write_model
from archive_pipeline.rendering.model import PageImage
from archive_pipeline.store import DocumentFolder


def keep_earlier(
    folder: DocumentFolder, number: int, image: PageImage, segmentation: InstalledModel, recognition: InstalledModel
) -> None:
    """Keep what a page said, before it is read by other models or such a try has failed.

    What the same models read is no other reading, and what was read of another picture cannot be compared.

    Args:
        image: What is read now.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        before = stored_page(folder.transcription(number))
    except StorageError:
        return  # damaged: nobody can compare it, and it is about to be made again
    if before is None or before.page.image_digest != image.sha256:
        return
    read: dict[str, tuple[str, str]] = {model.task: (model.id, model.digest) for model in (segmentation, recognition)}
    # Of a blank page the model that found no lines is all that there is; of a born-digital one nothing is read.
    if any(model != read.get(task) for task, model in _models_of(before).items()):
        write_model(folder.earlier(number), before)


def _models_of(stored: StoredPage) -> dict[str, tuple[str, str]]:
    """Task -> id and digest of the model that did it."""
    return {step.task: (step.model or "", step.model_digest or "") for step in stored.page.steps if step.model}
