"""A model that somebody brings along: a file or a folder, copied into the store by its digest.

With the id of a model of the catalogue, the files must be those of the catalogue: so a machine without a network gets
them. With a new id, the model gets an entry of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from archive_pipeline.durable import copy_file
from archive_pipeline.errors import ModelError, NoSpaceLeft, UsageError, printable
from archive_pipeline.models.download import difference
from archive_pipeline.models.entry import Bundled, Engine, Imported, ModelEntry, ModelFile, Served, Task
from archive_pipeline.models.fetch import Check, Fetched, put
from archive_pipeline.models.inspection import check_content, check_name
from archive_pipeline.models.kept import keep_entry
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.remote import RemoteFile, digest

_CONFIGURATION, _DERIVED = ".json", ".onnx"


class Description(BaseModel):
    """What only the person who imports a model knows of it."""

    model_config = ConfigDict(frozen=True)

    task: Task
    engine: Engine
    licence: str = "NOASSERTION"
    languages: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    good_for: str = ""


def import_model(
    root: Path,
    path: Path,
    model_id: str,
    description: Description | None,
    *,
    check: Check,
    waiting: Callable[[], None] = lambda: None,
) -> Fetched:
    """Copy a model into the store.

    Args:
        path: The weights, or a folder with the weights and their configuration.
        description: Of a model that the catalogue does not know; None for one that it knows.

    Raises:
        ModelError: A file is of a kind that is not loaded, is no model, or is not the one of the catalogue.
        UsageError: The id cannot be used, or the description is missing.
    """
    library = ModelLibrary(root)
    known = next((entry for entry in library.catalogue if entry.id == model_id), None)
    if known is not None:
        _refuse_what_no_file_can_bring(known)
    paths = _files(path)
    from_catalogue = known is not None and known not in library.kept
    if known is not None and from_catalogue and path.is_dir():
        # What else lies in a folder that somebody downloaded is of no interest.
        paths = [each for each in paths if each.name in {file.name for file in known.files}]
    for each in paths:
        _look(each)
    if known is not None and from_catalogue:
        return put(library, known, _copies(paths), check=check, waiting=waiting)
    entry = _entry(path, paths, model_id, description)
    if known is not None and known.digest != entry.digest:
        raise UsageError(
            f"there is another model '{model_id}'", remedy=f"Choose another id, or models prune {model_id} first."
        )
    view = library if known else library.adding(entry)
    done = put(view, entry, _copies(paths), check=check, waiting=waiting, keep=True)
    if not done.new and known is None:
        # The bytes were here, for another entry, which may say that they do something else.
        check(entry, done.model.folder)
        keep_entry(root, entry)
    return done


def _refuse_what_no_file_can_bring(entry: ModelEntry) -> None:
    """A model that never lies in the store has no use for a file, whatever is in it."""
    if isinstance(entry.source, Served):
        what = "is held by a server of yours: it has no file here"
    elif isinstance(entry.source, Bundled):
        what = f"is part of the package {entry.source.package}, and is read from there alone"
    else:
        return
    raise UsageError(f"model {entry.id} {what}", remedy="Choose another --id for yours, with --task and --engine.")


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise UsageError(f"there is no {printable(path)}")
    if not path.is_dir():
        return [path]
    paths = sorted(each for each in path.iterdir() if not each.name.startswith("."))
    # The weights come first; an ONNX file beside others is derived from them.
    paths.sort(key=lambda each: (each.suffix.lower() == _CONFIGURATION, each.suffix.lower() == _DERIVED))
    if all(each.suffix.lower() == _CONFIGURATION for each in paths):
        raise ModelError(f"there are no weights in {printable(path)}")
    return paths


def _look(path: Path) -> None:
    check_name(path.name)
    try:
        if not path.is_file():
            raise ModelError(f"{printable(path)} is no file", remedy="Put the model's files into one folder.")
        check_content(path)
    except OSError as error:
        raise ModelError(f"{printable(path)} cannot be read: {error.strerror}") from None


def _entry(path: Path, paths: Sequence[Path], model_id: str, description: Description | None) -> ModelEntry:
    if description is None:
        raise UsageError(
            f"the catalogue has no model '{printable(model_id)}'",
            remedy="Say what the new one is for: --task and --engine.",
        )
    try:
        return ModelEntry(
            id=model_id,
            source=Imported(kind="imported", name=printable(path.name)),
            files=tuple(
                ModelFile(name=each.name, sha256=digest(each, "sha256"), size=each.stat().st_size) for each in paths
            ),
            **description.model_dump(exclude={"good_for"}),
            good_for=description.good_for or f"imported from {printable(path.name)}",
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{where} cannot be {printable(repr(first['input']))}: {first['msg']}") from None


def _copies(paths: Sequence[Path]) -> Callable[[Sequence[ModelFile], Path], str]:
    def supply(files: Sequence[ModelFile], folder: Path) -> str:
        given = {each.name: each for each in paths}
        missing = [file.name for file in files if file.name not in given]
        if missing:
            raise ModelError(
                f"{', '.join(missing)} is missing: the model has that name in the catalogue",
                remedy="Give the file as its source has it, or the folder with all of them.",
            )
        needed = sum(given[file.name].stat().st_size for file in files)
        if shutil.disk_usage(folder).free < needed:
            raise NoSpaceLeft(f"{needed / 1e6:,.0f} MB are needed in {folder.parents[1]}")
        for file in files:
            target = folder / file.name
            copy_file(given[file.name], target)
            expected = RemoteFile(
                name=file.name, url="", size=file.size, digests={"sha256": file.sha256} if file.sha256 else {}
            )
            wrong = difference(target, expected)
            if wrong:
                target.unlink()
                raise ModelError(
                    f"{printable(given[file.name])} is not the file of the catalogue: {wrong}",
                    remedy="Import it under another id, if you want it all the same.",
                )
        return ", ".join(printable(given[file.name]) for file in files)

    return supply
