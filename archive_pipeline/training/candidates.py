"""Putting a trained model into the model library, with the record and the card of what it was made of."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from archive_pipeline.durable import copy_file, file_digest, storage_error
from archive_pipeline.errors import printable
from archive_pipeline.hand_names import hand_key
from archive_pipeline.models.check import check_model
from archive_pipeline.models.entry import ModelFile, digest_of_files
from archive_pipeline.models.importing import Description, import_model
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.language import LANGUAGE
from archive_pipeline.models.trained import TrainedRecord, UsedPage, record_of, trained_record, write_record
from archive_pipeline.training.card import CardFacts, Source, licence_of, model_card
from archive_pipeline.training.recognition.training import Training
from archive_pipeline.training.segmentation.train import MODEL, TrainedSegmentation
from archive_pipeline.training_sets.doctor.examination import text_digest
from archive_pipeline.training_sets.lines import TrainingPage

_MARK = 8
_LONGEST_KEY = 60
_COPIES = "candidate-"


def install_candidate(
    models: Path, folder: Path, made: Training, hand: str, pages: Sequence[TrainingPage], base: InstalledModel
) -> tuple[InstalledModel, TrainedRecord]:
    """Put a trained model into the library, with its record and card. The same again makes it the newest.

    Args:
        models: Folder of the library.
        folder: Of the training: it has the files of the model.
        pages: All that the model has seen, but for those that its base was trained with.

    Raises:
        ModelError: It cannot be loaded.
        StorageError: It cannot be written.
    """
    files = tuple(
        ModelFile(name=name, sha256=file_digest(folder / name), size=(folder / name).stat().st_size)
        for name in made.files
    )
    digest = digest_of_files(files) or ""
    model_id = f"{hand_key(hand)[:_LONGEST_KEY].rstrip('-._')}-{digest[:_MARK]}"
    # Before the model can be seen: what nobody knows the training of can never be promoted.
    used = _used(pages, record_of(models, base), trained_record(models, model_id))
    sources = _sources(used)
    licence = licence_of(sources, base.licence)
    record = TrainedRecord(
        model=model_id,
        digest=digest,
        hand=hand,
        key=hand_key(hand),
        base=base.id,
        training=used,
        licence=licence,
        made=made.model_dump(mode="json"),
        # Of now also for a model that was there: it is the newest candidate again.
        created=datetime.now(UTC).isoformat(timespec="microseconds"),
    )
    write_record(models, record, _card(record, made, sources, base, pages))
    return _imported(models, folder, made.files, model_id, hand, licence), record


def install_segmentation(
    models: Path,
    folder: Path,
    made: TrainedSegmentation,
    hand: str,
    pages: Sequence[TrainingPage],
    base: InstalledModel,
) -> InstalledModel:
    """Put a model that finds lines into the library, with its record and card. The same again makes it the newest.

    It is used where somebody names it, or when it is proved.

    Args:
        pages: All that the model has seen, but for those that its base was trained with.

    Raises:
        ModelError: It cannot be loaded.
        StorageError: It cannot be written.
    """
    model_id = f"{hand_key(hand)[:_LONGEST_KEY].rstrip('-._')}-lines-{made.sha256[:_MARK]}"
    used = _used(pages, record_of(models, base), trained_record(models, model_id))
    sources = _sources(used)
    licence = licence_of(sources, made.base_licence)
    file = ModelFile(name=MODEL, sha256=made.sha256, size=made.size)
    record = TrainedRecord(
        model=model_id,
        digest=digest_of_files((file,)) or "",
        task="segmentation",
        hand=hand,
        key=hand_key(hand),
        base=made.base,
        training=used,
        licence=licence,
        made=made.model_dump(mode="json"),
        created=datetime.now(UTC).isoformat(timespec="microseconds"),
    )
    facts = CardFacts(
        id=model_id,
        model_type=record.task,
        hand=hand,
        base=made.base,
        base_licence=made.base_licence,
        sources=sources,
        languages=sorted({page.language for page in pages if page.language}),
        scripts=sorted({page.script for page in pages if page.script}),
        metrics={},
        software=made.versions["kraken"],
        recipe={**made.recipe.model_dump(), "steps made": made.steps, "best step": made.best_step},
    )
    # Before the model can be seen, as above.
    write_record(models, record, model_card(facts))
    with copies_in(folder, MODEL) as copies:
        description = Description(
            task="segmentation",
            engine="kraken",
            licence=licence,
            good_for=f"lines of the hand {printable(hand)}",
        )
        return import_model(models, copies, model_id, description, check=check_model).model


def _imported(
    models: Path, folder: Path, files: Iterable[str], model_id: str, hand: str, licence: str
) -> InstalledModel:
    with copies_in(folder, *files) as copies:
        description = Description(
            task="recognition", engine="kraken", licence=licence, good_for=f"the hand {printable(hand)}"
        )
        return import_model(models, copies, model_id, description, check=check_model).model


@contextmanager
def copies_in(folder: Path, *files: str) -> Iterator[Path]:
    """A folder with copies of the model's files and nothing else; what a killed one left is removed.

    Raises:
        StorageError: The folder cannot be written.
    """
    try:
        for left in folder.glob(f"{_COPIES}*"):
            shutil.rmtree(left)
        copies = tempfile.TemporaryDirectory(prefix=_COPIES, dir=folder)
    except OSError as error:
        raise storage_error(error, folder) from error
    with copies as name:
        for file in files:
            copy_file(folder / file, Path(name, file))
        yield Path(name)


def _used(pages: Sequence[TrainingPage], *earlier: TrainedRecord | None) -> tuple[UsedPage, ...]:
    """What a model has seen: its base may have been trained here, and the same pages have come under other names."""
    used = [
        UsedPage(
            id=page.id,
            image_sha256=page.image_sha256,
            text_digest=text_digest(page.page) or "",
            licence=page.licence,
        )
        for page in pages
    ]
    return tuple(dict.fromkeys([*used, *(page for record in earlier if record for page in record.training)]))


def _sources(used: Sequence[UsedPage]) -> list[Source]:
    """By set or document: ids of pages begin with its name."""
    found = Counter((page.id.partition("/")[0], page.licence) for page in used)
    return [Source(name, count, licence) for (name, licence), count in found.items()]


def _card(
    record: TrainedRecord,
    made: Training,
    sources: Sequence[Source],
    base: InstalledModel,
    pages: Sequence[TrainingPage],
) -> str:
    return model_card(
        CardFacts(
            id=record.model,
            model_type=record.task,
            hand=record.hand,
            base=base.id,
            base_licence=base.licence,
            sources=sources,
            languages=sorted({page.language for page in pages if page.language}),
            scripts=sorted({page.script for page in pages if page.script}),
            metrics={} if made.cer is None else {"cer": round(made.cer, 2)},
            software=made.versions["kraken"],
            recipe={**made.recipe.model_dump(), "steps made": made.steps, "lines": made.lines, "key": made.key},
            notes=_notes(made),
        )
    )


def _notes(made: Training) -> list[str]:
    notes = []
    if made.cer is not None:
        notes.append("Its CER above is that of the network alone on the pages for validation, of this hand.")
    if made.language is not None:
        notes.append(f"Language of the hand: {made.language}.")
    if LANGUAGE in made.files:
        notes.append(
            f"Only archive-pipeline reads with that language. {LANGUAGE} has counts from which texts of the ground "
            "truth can be put together again: where these are not public, give the weights alone."
        )
    return notes
