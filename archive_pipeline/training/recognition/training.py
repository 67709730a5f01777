"""From pages with ground truth to a trained model in a folder."""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from archive_pipeline.durable import digest_of, file_digest, make_folder, read_json, write_bytes, write_json
from archive_pipeline.engines.base import Image
from archive_pipeline.errors import UsageError
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.language import LANGUAGE, Language
from archive_pipeline.training.recognition.language import LearntLanguage, learn_language
from archive_pipeline.training.recognition.lines import CutLine, cut_lines
from archive_pipeline.training.recognition.loop import CHECKPOINT, OUT_OF_TIME, CameApart, Learning, trains_in_halves
from archive_pipeline.training.recognition.network import TrainableNetwork, trainable, write_network
from archive_pipeline.training.recognition.onnx_form import onnx_form
from archive_pipeline.training.recognition.planning import planned, slower
from archive_pipeline.training.recognition.progress import Progress
from archive_pipeline.training.recognition.recipe import Limits, Recipe
from archive_pipeline.training_sets.lines import TrainingPage

CODE = "6"
"""Version of what this package does: raise it when the same recipe would give another model."""
WEIGHTS, ONNX = "model.safetensors", "model.onnx"
_FILES = (WEIGHTS, ONNX, LANGUAGE)
_RESULT = "result.json"
_LEAST_LINES = 20
_MOST_HELD = 300
"""Lines for validation; more take longer to be read on the way than they tell."""


class Training(BaseModel):
    """What a training was made of and what came of it.

    Attributes:
        key: Digest of all that it depends on.
        recipe: With what was worked out at the start.
        steps: That were made; fewer than in the recipe if it ended early.
        ended: Why it did.
        new_characters: That the base did not know.
        lines, characters: That it was trained with.
        cer: Of the network alone on the pages for validation, in percent; None if there were none.
        language: How that of the hand was chosen, or why there is none; None if none was to be.
        curve: Of each evaluation: step, loss, cer, seconds.
        files: Their SHA-256.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    base: str
    base_digest: str
    recipe: Recipe
    steps: int
    ended: str = ""
    new_characters: tuple[str, ...] = ()
    lines: int
    characters: int
    validation_lines: int
    cer: float | None
    language: LearntLanguage | None = None
    curve: tuple[dict[str, float | None], ...]
    seconds: float
    versions: dict[str, str]
    files: dict[str, str]


@dataclass(frozen=True)
class Resources:
    """What opening the page images may take; see :func:`.lines.cut_lines`."""

    child_mb: int = 4096
    page_seconds: float = 300.0


def train_recognition(
    train: Sequence[TrainingPage],
    validate: Sequence[TrainingPage],
    base: InstalledModel,
    recipe: Recipe,
    folder: Path,
    *,
    limits: Limits | None = None,
    resources: Resources | None = None,
    told: Callable[[Progress], None] = lambda _: None,
    said: Callable[[str], None] = lambda _: None,
) -> Training:
    """Train a model: ``model.safetensors``, ``model.onnx`` and mostly ``language.json`` are then in the folder.

    Killed, it goes on from its last checkpoint when it is called again with the same; finished, it does nothing more.

    Args:
        train, validate: Pages; those to be judged by must be among neither.
        base: What to begin with.
        folder: Of this training alone.
        told: Called after each evaluation. What it raises ends the training, which can go on later.
        said: Told in sentences of what is done before the first batch, and after the last.

    Raises:
        UsageError: There are too few lines.
        ModelError: The base cannot be trained.
        ArchiveError: A page image cannot be read, or a limit was reached.
    """
    limits, resources = limits or Limits(), resources or Resources()
    network = trainable(base)
    said(f"Lines are cut out of {len(train) + len(validate)} pages.")
    cut = [
        cut_lines(
            pages,
            network.height,
            child_mb=resources.child_mb,
            seconds=resources.page_seconds,
            most_mb=limits.memory_mb // 4,
        )
        for pages in (train, validate)
    ]
    lines, held = ([line for line in each if line.text] for each in cut)
    held = held[:: -(-len(held) // _MOST_HELD) or 1]
    if len(lines) < _LEAST_LINES:
        raise UsageError(
            f"there are {len(lines)} lines to train with, and {_LEAST_LINES} are the least",
            remedy="Transcribe some more; forty lines are a beginning, a few hundred are good.",
        )
    # Minutes decide only where the steps are worked out from them.
    known = _key(base, recipe, limits.minutes if recipe.steps is None else None, lines, held)
    make_folder(folder)
    if (done := _finished(folder, known)) is not None:
        _clear(folder, done)
        return done
    new = network.learn_characters((line.text for line in lines), recipe.seed)
    learning = Learning(network, lines, held, recipe)
    plan = planned(folder, known, recipe, learning, limits.minutes, said)
    started, left = time.monotonic(), 1.0
    while True:
        try:
            state = learning.run(
                plan, known, limits.model_copy(update={"minutes": left * limits.minutes}), folder, told
            )
            break
        except CameApart as error:
            left = 1 - (time.monotonic() - started) / 60 / limits.minutes
            plan = slower(folder, known, recipe, plan, left, error)
            rate = f"{plan.learning_rate:.1g} as its highest learning rate"
            said(f"{error.what}. It begins anew with {rate} and {plan.steps} batches.")
            network = trainable(base)
            network.learn_characters((line.text for line in lines), recipe.seed)
            learning = Learning(network, lines, held, recipe)
    language, learnt = learn_language(network, lines, held, recipe.ngrams, learning.device, said)
    files = _write(network, [line.strip for line in held or lines], language, folder)
    training = Training(
        key=known,
        base=base.id,
        base_digest=base.digest,
        recipe=recipe.model_copy(update=plan.model_dump()),
        steps=state.step,
        ended=state.ended,
        new_characters=tuple(new),
        lines=len(lines),
        characters=sum(len(line.text) for line in lines),
        validation_lines=len(held),
        cer=state.best_cer,
        language=learnt,
        curve=tuple(state.curve),
        seconds=round(state.seconds, 1),
        versions=_versions(),
        files={name: file_digest(folder / name) for name in files},
    )
    write_json(folder / _RESULT, training.model_dump(mode="json"))
    _clear(folder, training)
    return training


def _clear(folder: Path, training: Training) -> None:
    """Remove the checkpoint of a finished training, which is three times the model."""
    if training.ended != OUT_OF_TIME:
        (folder / CHECKPOINT).unlink(missing_ok=True)


def _versions() -> dict[str, str]:
    names = ("kraken", "torch", "numpy", "opencv-python-headless", "pillow", "archive-pipeline")
    return {name: importlib.metadata.version(name) for name in names} | {"halves": str(trains_in_halves())}


def _key(
    base: InstalledModel, recipe: Recipe, minutes: float | None, lines: Sequence[CutLine], held: Sequence[CutLine]
) -> str:
    """The digest of all that a training depends on, down to each pixel."""
    content = [[(line.text, digest_of(line.strip.tobytes().hex())) for line in each] for each in (lines, held)]
    versions = {name: version for name, version in _versions().items() if name != "archive-pipeline"}
    return digest_of(
        "recognition", CODE, base.id, base.digest, recipe.model_dump(mode="json"), minutes, content, versions
    )


def _finished(folder: Path, key: str) -> Training | None:
    data = read_json(folder / _RESULT)
    try:
        found = Training.model_validate(data)
    except ValidationError:
        return None
    if found.key != key or found.ended == OUT_OF_TIME or not {WEIGHTS, ONNX} <= set(found.files):
        return None
    # A kill may have come between the files of another training and its result.
    paths = {name: folder / name for name in _FILES if name in found.files}
    whole = all(path.is_file() and file_digest(path) == found.files[name] for name, path in paths.items())
    return found if whole else None


def _write(
    network: TrainableNetwork, strips: Sequence[Image], language: Language | None, folder: Path
) -> tuple[str, ...]:
    """Write the files of a model, and give the names of those that it has."""
    (folder / LANGUAGE).unlink(missing_ok=True)  # of another training
    if language is not None:
        write_bytes(folder / LANGUAGE, language.model_dump_json().encode())
    write_bytes(folder / ONNX, onnx_form(network, strips))
    temporary = folder / f".{WEIGHTS}.new"
    write_network(network.finished(), temporary)
    write_bytes(folder / WEIGHTS, temporary.read_bytes())
    temporary.unlink()
    return _FILES if language is not None else (WEIGHTS, ONNX)
