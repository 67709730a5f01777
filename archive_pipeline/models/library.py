"""The model library of an installation: its catalogue, and the files that are there.

::

    <models>/<digest>/<name>     a model's files; the folder appears when all of them are whole and checked
    <models>/pins/<id>.json      what a model without a known digest was when it was fetched first
    <models>/entries/<id>.json   entries of models that were imported, or fetched by their DOI
    <models>/catalogue.yaml      an operator's own entries

:mod:`archive_pipeline.models.staging` has what else lies there, hidden.
"""

from __future__ import annotations

from copy import copy
from importlib.util import find_spec
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from archive_pipeline.durable import read_json
from archive_pipeline.errors import ModelError, ModelNotFetched, printable
from archive_pipeline.models.catalogue import Catalogue, own_entries, read_entries
from archive_pipeline.models.entry import Bundled, Imported, ModelEntry, ModelFile, Served, Task, digest_of_files
from archive_pipeline.models.installed import InstalledFile, InstalledModel

OPERATORS = "catalogue.yaml"
_FILES = TypeAdapter(tuple[ModelFile, ...])


class ModelLibrary:
    """Models by id.

    Args:
        root: The model store; None for the bundled models alone.

    Raises:
        ModelError: The operator's catalogue or an imported entry cannot be used.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root
        entries = {entry.id: entry for entry in own_entries()}
        if root is not None:
            added = read_entries(root / OPERATORS)
            for entry in (*imported_entries(root), *added):
                if entry.id in entries:
                    raise ModelError(
                        f"model {entry.id} is there already, and a catalogue adds it again",
                        remedy=f"Give it another id in {OPERATORS}, or delete {entry_path(root, entry.id)}.",
                    )
                entries[entry.id] = entry
        self.catalogue = Catalogue(entries.values())

    def adding(self, entry: ModelEntry) -> ModelLibrary:
        """The same library with one more entry, which nothing has been written of yet."""
        other = copy(self)
        other.catalogue = Catalogue([*self.catalogue, entry])
        return other

    def installed(self, model_id: str, task: Task | None = None) -> InstalledModel:
        """The model of that id with its files.

        Raises:
            ModelError: There is none of that id, or for that task.
            ModelNotFetched: It is known, but not there yet.
        """
        return self.install_state(self.catalogue.find(model_id, task))

    def install_state(self, entry: ModelEntry) -> InstalledModel:
        """The files of an entry. Their bytes are not looked at: :meth:`InstalledModel.verify` does that.

        Raises:
            ModelNotFetched: It is not there yet.
        """
        if isinstance(entry.source, Served):
            return _installed(entry, served=entry.source.model)
        if isinstance(entry.source, Bundled):
            return _bundled(entry, entry.source)
        files = self.known_files(entry)
        digest = digest_of_files(files)
        folder = self.root / digest if self.root is not None and digest is not None else None
        if folder is None or not folder.is_dir():
            raise ModelNotFetched(
                f"model {entry.id} is not here yet",
                remedy="Import it again."
                if isinstance(entry.source, Imported)
                else f"Run archive-pipeline models fetch {entry.id}.",
            )
        return _installed(
            entry,
            digest=digest or "",
            files=_files(folder, files),
            remedy="Import it again: the damaged copy is set aside."
            if isinstance(entry.source, Imported)
            else f"Run archive-pipeline models fetch {entry.id}: it is fetched anew, the damaged copy is set aside.",
        )

    def known_files(self, entry: ModelEntry) -> tuple[ModelFile, ...]:
        """The entry's files with what they were when they were fetched first, where the catalogue does not say it."""
        if entry.digest is not None or self.root is None:
            return entry.files
        pinned = read_json(pin_path(self.root, entry.id))
        if pinned is None:
            return entry.files
        try:
            known = {file.name: file for file in _FILES.validate_python(pinned["files"])}
        except (KeyError, TypeError, ValidationError):
            path = pin_path(self.root, entry.id)
            raise ModelError(
                f"{printable(path)} is damaged", remedy=f"Delete it and run models fetch {entry.id}."
            ) from None
        return tuple(file if file.sha256 else known.get(file.name, file) for file in entry.files)


def pin_path(root: Path, model_id: str) -> Path:
    """Where it is kept what a model was when it was fetched first."""
    return root / "pins" / f"{model_id}.json"


def entry_path(root: Path, model_id: str) -> Path:
    """Where the entry of an imported model is kept."""
    return root / "entries" / f"{model_id}.json"


def imported_entries(root: Path) -> list[ModelEntry]:
    """Entries of models that were imported.

    Raises:
        ModelError: One cannot be used.
    """
    entries = []
    for path in sorted((root / "entries").glob("*.json")):
        try:
            entries.append(ModelEntry.model_validate(read_json(path)))
        except ValidationError as error:
            raise ModelError(
                f"{printable(path)} is damaged: {error.errors()[0]['msg']}", remedy="Delete it and import the model."
            ) from None
    return entries


def _bundled(entry: ModelEntry, source: Bundled) -> InstalledModel:
    spec = find_spec(source.package)
    if spec is None or spec.origin is None:
        raise ModelError(f"model {entry.id} comes with {source.package}, which is missing", remedy="Run make setup.")
    folder = Path(spec.origin).parent / source.folder
    return _installed(
        entry,
        digest=entry.digest or "",
        files=_files(folder, entry.files),
        remedy=f"It is part of the package {source.package}, so the environment is damaged: make it anew with "
        "`rm -rf .venv && make setup`; in containers, build or pull the image again.",
    )


def _files(folder: Path, files: tuple[ModelFile, ...]) -> tuple[InstalledFile, ...]:
    return tuple(
        InstalledFile(path=folder / file.name, sha256=file.sha256 or "", size=file.size or 0) for file in files
    )


def _installed(
    entry: ModelEntry,
    *,
    digest: str = "",
    files: tuple[InstalledFile, ...] = (),
    served: str = "",
    remedy: str = "",
) -> InstalledModel:
    return InstalledModel(
        id=entry.id,
        task=entry.task,
        engine=entry.engine,
        licence=entry.licence,
        digest=digest,
        files=files,
        served=served,
        remedy=remedy,
    )
