"""What each place says of how a document is read: a run, the files around it, the settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from archive_pipeline.errors import UsageError
from archive_pipeline.models.hands import Promoted
from archive_pipeline.processing.document_settings import Wishes, reason_of
from archive_pipeline.processing.options import ProcessingOptions

RUN = "options of the run"
SETTINGS = "settings of the installation"
_WISHES = TypeAdapter(tuple[Wishes, ...])
_OF_MODELS = {"engine", "segmentation_model", "model", "hand"}


@dataclass(frozen=True)
class Said:
    """What one place says.

    Attributes:
        where: Its name, for people.
        lines: Where it is a file, on which line each field stands.
        is_file: A mistake in it is the document's, not the command's.
        promoted: What it says is a model that was promoted for a hand.
    """

    where: str
    wishes: Wishes
    lines: Mapping[str, int] = field(default_factory=dict)
    is_file: bool = False
    promoted: Promoted | None = None


def wishes_of_run(**options: Any) -> Wishes:
    """The wishes that options of a run, or settings, are; those that are None say nothing.

    Raises:
        UsageError: A value cannot be.
    """
    try:
        return Wishes.model_validate({name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        raise UsageError(reason_of(error), remedy="See choosing.md.") from None


def said_by_options(options: ProcessingOptions) -> tuple[Said, Said]:
    """What the run and the settings of the installation say of every document."""
    settings = wishes_of_run(
        engine=options.engine,
        segmentation_model=options.segmentation_model,
        model=options.recognition_model,
    )
    return Said(RUN, options.asked), Said(SETTINGS, settings)


def said_of(wishes: Iterable[Wishes]) -> str:
    """What files say of models and hand, the nearest first, as :attr:`.DocumentState.said` keeps it."""
    told = (each.model_dump(include=_OF_MODELS, exclude_none=True) for each in wishes)
    return json.dumps([each for each in told if each], ensure_ascii=False)


def said_again(text: str) -> tuple[Said, ...]:
    """The inverse of :func:`said_of`.

    Raises:
        ValueError: It is none.
    """
    return tuple(Said("an archive.yaml", each) for each in _WISHES.validate_json(text))
