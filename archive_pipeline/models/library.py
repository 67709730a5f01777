"""The model library of an installation: its catalogue, and the files that are there.

::

    <models>/<digest>/<name>     a model's files; the folder appears when all of them are whole and checked
    <models>/catalogue.yaml      an operator's own entries

:mod:`archive_pipeline.models.kept` has what is remembered of models beside their files, and
:mod:`archive_pipeline.models.staging` what else lies there, hidden.
"""

from __future__ import annotations

import logging
from copy import copy
from importlib.util import find_spec
from pathlib import Path

from archive_pipeline.errors import ModelError, ModelNotFetched
from archive_pipeline.models.catalogue import Catalogue, own_entries, read_entries
from archive_pipeline.models.entry import Bundled, Imported, ModelEntry, ModelFile, Served, Task, digest_of_files
from archive_pipeline.models.installed import InstalledFile, InstalledModel
from archive_pipeline.models.kept import another_has, entry_path, kept_entries, read_pin

OPERATORS = "catalogue.yaml"
_log = logging.getLogger(__name__)


class ModelLibrary:
    """Models by id.

    Args:
        root: The model store; None for the bundled models alone.

    Attributes:
        kept: Entries that came with a model: it was imported, or fetched by its DOI.
        passed_over: Those of them whose id this program's own catalogue has, too: an upgrade may bring one.

    Raises:
        ModelError: The operator's catalogue or an imported entry cannot be used.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root
        entries = {entry.id: entry for entry in own_entries()}
        self.kept = kept_entries(root) if root is not None else ()
        self.passed_over = tuple(entry for entry in self.kept if entry.id in entries)
        for entry in self.passed_over:
            _log.warning("%s", passed_over(entry))
        entries |= {entry.id: entry for entry in self.kept if entry not in self.passed_over}
        if root is not None:
            for entry in read_entries(root / OPERATORS):
                if entry.id in entries:
                    raise ModelError(
                        f"model {entry.id} is there already, and a catalogue adds it again",
                        remedy=f"Give it another id in {OPERATORS}, or delete {entry_path(root, entry.id)}.",
                    )
                entries[entry.id] = entry
        self.catalogue = Catalogue(entries.values())

    def adding(self, entry: ModelEntry) -> ModelLibrary:
        """The same library with one more entry, which nothing has been written of yet.

        Raises:
            UsageError: Another model has its id.
        """
        if any(known.id == entry.id for known in self.catalogue):
            raise another_has(entry.id)
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
        """The entry's files with what they were when they were fetched first, where the catalogue does not say it.

        Raises:
            ModelError: The pin that says it is damaged.
        """
        if entry.digest is not None or self.root is None:
            return entry.files
        pin = read_pin(self.root, entry.id)
        known = {file.name: file for file in pin.files} if pin else {}
        return tuple(file if file.sha256 else known.get(file.name, file) for file in entry.files)


def passed_over(entry: ModelEntry) -> ModelError:
    """Why a kept entry is not used, and what to do."""
    return ModelError(
        f"model {entry.id}, {entry.source}, is passed over: the catalogue of this version has another one of that id",
        remedy=f"Import or fetch yours again with another --id, then delete entries/{entry.id}.json.",
    )


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
