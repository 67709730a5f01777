"""Which engine and models read a document, in which language and direction: one function decides, field by field.

Nearest first: the options of the run (command line or launchpad), the document's own ``archive.yaml``, those of the
folders around it up to the upload folder, the settings of the installation, what is built in. Engine and segmentation
model are one choice in two fields: a place that names a segmentation model alone means its engine, too, and one that
names an engine alone passes over a segmentation model of another engine that is named further away.

A hand's promoted model comes where the hand is named, right behind what that place says itself. So does that of the
hand which was found for an unknown one (``hand: auto``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from archive_pipeline.engines.factory import recognition_model, segmentation_model
from archive_pipeline.errors import ArchiveError, BadSettings, ModelError, ModelNotFetched, printable
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.page import Direction, Page
from archive_pipeline.processing.document_settings import FIELDS
from archive_pipeline.processing.hand_choice import Found, promoted_for, with_promoted
from archive_pipeline.processing.said import RUN, SETTINGS, Said, said_by_options, wishes_of_run

__all__ = ["BUILT_IN", "RUN", "SETTINGS", "Choices", "Decision", "Said", "decide", "said_by_options", "wishes_of_run"]

BUILT_IN = "built in"
DEFAULT_ENGINE = "ppocr"


class Choices(BaseModel):
    """What was decided for a document.

    Attributes:
        model: Id of the recognition model.
        language: A language tag; None if nobody said.
        direction: None if nobody said: the engines then take it to run from left to right.
        hand: As somebody called it. Its promoted model is among the choices where nobody nearer named one.
        origins: Who said each of the fields that are set, by the name of the field.
    """

    model_config = ConfigDict(frozen=True)

    engine: str
    segmentation_model: str
    model: str
    language: str | None = None
    direction: Direction | None = None
    hand: str | None = None
    origins: dict[str, str]

    @property
    def chosen_by(self) -> Literal["run", "document", "settings"]:
        """Who chose engine and models, the nearest of them if there were several."""
        places = {self.origins[name] for name in ("engine", "segmentation_model", "model")}
        of_hand = any(place.startswith(promoted_for("")) for place in places)
        if RUN in places or (of_hand and self.origins["hand"].partition("; ")[0] == RUN):
            return "run"
        return "settings" if places <= {SETTINGS, BUILT_IN} else "document"

    def told(self) -> dict[str, dict[str, str]]:
        """Each field that is set, with who said it; for provenance."""
        values = self.model_dump(exclude={"origins"}, exclude_none=True)
        return {name: {"value": value, "from": self.origins[name]} for name, value in values.items()}

    def told_of(self, pages: Iterable[Page]) -> dict[str, dict[str, str]]:
        """As :meth:`told`, without what a page contradicts that was read in another run and by another choice."""
        told = self.told()
        for page in pages:
            found = {step.task: step for step in page.steps}
            if lines := found.get("segmentation"):
                if lines.engine != self.engine:
                    told.pop("engine", None)
                if lines.model != self.segmentation_model:
                    told.pop("segmentation_model", None)
                if page.direction != (self.direction or "ltr"):
                    told.pop("direction", None)
            if (text := found.get("recognition")) and text.model != self.model:
                told.pop("model", None)
        return told

    def sentence(self) -> str:
        """All of it on one line, for logs."""
        told = self.told().items()
        return printable("; ".join(f"{name.replace('_', ' ')} {each['value']} ({each['from']})" for name, each in told))


@dataclass(frozen=True)
class Decision:
    """Choices, and the models that they mean."""

    choices: Choices
    segmentation: InstalledModel
    recognition: InstalledModel


def decide(
    said: Sequence[Said], library: ModelLibrary, *, served: bool = False, found_hand: Found | None = None
) -> Decision:
    """Decide what a document is read with.

    Args:
        said: What each place says, the one that goes before the others first.
        library: The models.
        served: There is a server for surya's model.
        found_hand: Whose hand an unknown one was found to be like.

    Raises:
        UsageError, ModelError: An engine or model does not exist, or they do not go together, as the run or the
            settings have it.
        BadSettings: The same, as a file has it; names the file and the line.
        ModelNotFetched: A model is known, but not here.
        ModelError: The model that is promoted for the hand is not here any more, or another one has its id.
    """
    said = with_promoted(said, library, found_hand)
    found = {name: next((each for each in said if getattr(each.wishes, name) is not None), None) for name in FIELDS}
    segmentation, origins = _segmentation(said, found["engine"], found["segmentation_model"], library, served)
    by_model = found.pop("model")
    by, name = by_model, "model"
    if by is None:  # It is the engine's default: who chose the engine has chosen it.
        for name in ("engine", "segmentation_model"):
            by = found[name]
            if by is not None and by.where == origins["engine"]:
                break
    with _blaming(by, name):
        recognition = recognition_model(
            library, by_model.wishes.model if by_model else None, segmentation.engine, served=served
        )
        if by_model is not None and by_model.promoted and recognition.digest != by_model.promoted.digest:
            raise ModelError(f"model {recognition.id} is another one than when it was proved", remedy="")
    origins["model"] = by_model.where if by_model else BUILT_IN
    noted = {name: by for name, by in found.items() if by is not None and name not in origins}
    told = {name: by.where for name, by in noted.items()}
    if found_hand is not None and "hand" in told:
        told["hand"] += f"; {found_hand.why}"
    choices = Choices(
        engine=segmentation.engine,
        segmentation_model=segmentation.id,
        model=recognition.id,
        **{name: getattr(by.wishes, name) for name, by in noted.items()},
        origins=origins | told,
    )
    return Decision(choices, segmentation, recognition)


def _segmentation(
    said: Sequence[Said], by_engine: Said | None, by_model: Said | None, library: ModelLibrary, served: bool
) -> tuple[InstalledModel, dict[str, str]]:
    """The segmentation model, and who chose it and its engine."""
    if by_model is None:
        wanted = (by_engine and by_engine.wishes.engine) or DEFAULT_ENGINE
        with _blaming(by_engine, "engine"):
            model = segmentation_model(library, wanted, None, served=served)
        where = by_engine.where if by_engine else BUILT_IN
        return model, {"engine": where, "segmentation_model": BUILT_IN}
    with _blaming(by_model, "segmentation_model"):
        entry = library.catalogue.find(str(by_model.wishes.segmentation_model), "segmentation")
    if by_engine is not None and by_engine is not by_model and said.index(by_engine) < said.index(by_model):
        engine = str(by_engine.wishes.engine)
        fits = entry.engine == engine
        with _blaming(by_model if fits else by_engine, "segmentation_model" if fits else "engine"):
            model = segmentation_model(library, engine, entry.id if fits else None, served=served)
        return model, {"engine": by_engine.where, "segmentation_model": by_model.where if fits else BUILT_IN}
    # Of an engine that is named further away nothing is left: the model says which it is.
    engine = str(by_model.wishes.engine) if by_engine is by_model else entry.engine
    with _blaming(by_model, "segmentation_model"):
        model = segmentation_model(library, engine, entry.id, served=served)
    return model, {"engine": by_model.where, "segmentation_model": by_model.where}


@contextmanager
def _blaming(by: Said | None, name: str) -> Iterator[None]:
    """Make an error of a choice the document's, where a file of it made the choice."""
    try:
        yield
    except ArchiveError as error:
        if by is not None and by.promoted:
            raise type(error)(
                f"{by.promoted.model}, {by.where}, cannot be used: {error.what}",
                remedy=f"{error.remedy} Or go back: archive-pipeline hands rollback.".strip(),
            ) from None
        if by is None or not by.is_file:
            raise
        line = by.lines.get(name)
        what = f"{by.where}{f', line {line}' if line else ''}: {error.what}"
        kind = ModelNotFetched if isinstance(error, ModelNotFetched) else BadSettings
        raise kind(what, remedy=error.remedy) from None
