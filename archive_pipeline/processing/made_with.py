"""What a document was made with, in the few words that are kept of it: to see later whether that is another thing now.

A run is kept from redoing what is unchanged by the keys of each page; this is for those who must know it of a hundred
thousand documents without opening one.
"""

from __future__ import annotations

from archive_pipeline.document_states import ChosenBy
from archive_pipeline.durable import digest_of
from archive_pipeline.engines.factory import signature
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.processing.choice import BUILT_IN, RUN, SETTINGS, Choices, Decision
from archive_pipeline.processing.stored_pages import RENDERING_VERSION

_LETTERS = 16


def made_with(segmentation: InstalledModel, recognition: InstalledModel) -> str:
    """Two digests with a point between them: of the models, and of the versions of the code that runs them.

    Options such as the resolution are in neither: who changes one asks for a run where it is worth it.
    """
    models = [(model.id, model.digest, model.served) for model in (segmentation, recognition)]
    code = [RENDERING_VERSION, *(signature(model)[3:] for model in (segmentation, recognition))]
    return f"{digest_of('models', models)[:_LETTERS]}.{digest_of('code', code)[:_LETTERS]}"


def models_of(made: str) -> str:
    """The part of it that is about the models."""
    return made.partition(".")[0]


def chosen_by(choices: Choices) -> tuple[ChosenBy, ChosenBy]:
    """Who chose the segmentation and the recognition model. Who chose the engine has chosen how lines are found."""
    origins = choices.origins
    lines = [_by(origins.get(name, BUILT_IN)) for name in ("segmentation_model", "engine")]
    return next((by for by in lines if by != "settings"), "settings"), _by(origins["model"])


def kept_of(decision: Decision) -> dict[str, str]:
    """The fields of :class:`~archive_pipeline.document_states.DocumentState` that say what a document is read with."""
    segmentation_by, recognition_by = chosen_by(decision.choices)
    return {
        "made_with": made_with(decision.segmentation, decision.recognition),
        "segmentation": decision.segmentation.id,
        "recognition": decision.recognition.id,
        "segmentation_by": segmentation_by,
        "recognition_by": recognition_by,
    }


def _by(where: str) -> ChosenBy:
    if where in (BUILT_IN, SETTINGS):
        return "settings"
    return "run" if where == RUN else "file"
