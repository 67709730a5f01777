"""Fetching a model: all its files whole and checked, and then visible at once; or nothing, and the reason.

The order: where the files are (:mod:`.sources`), their bytes (:mod:`.download`), a look at what they are
(:mod:`.inspection`, :mod:`.check`), a pin if nobody had told their digest, the rename (:mod:`.staging`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive_pipeline.durable import copy_file
from archive_pipeline.errors import ModelError, ModelNotFetched, NoSpaceLeft, UsageError
from archive_pipeline.models.download import Progress, difference, download, no_progress
from archive_pipeline.models.entry import Bundled, Imported, ModelEntry, ModelFile, Served, digest_of_files
from archive_pipeline.models.inspection import check_content
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.kept import keep_entry, refuse_another, write_pin
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.network import Network
from archive_pipeline.models.remote import RemoteFile, digest
from archive_pipeline.models.sources import locate
from archive_pipeline.models.staging import publish, set_aside, staged

Check = Callable[[ModelEntry, Path], None]
"""Looks at a model's files in a folder; raises a :class:`ModelError` if the entry's engine cannot load them.

What else it raises says nothing of the model: its files stay for the next try.
"""
_MARGIN = 20_000_000  # bytes that stay free on the volume


@dataclass(frozen=True)
class Fetched:
    """What became of a model.

    Attributes:
        new: It was not here, or not whole, before.
        pinned: Nobody had told the digest of all its files: what came is pinned now.
        aside: Where the damaged copy lies that was here before.
        origin: Where it came from, for people.
    """

    model: InstalledModel
    new: bool = False
    pinned: bool = False
    aside: Path | None = None
    origin: str = ""


def fetch_model(
    library: ModelLibrary,
    entry: ModelEntry,
    network: Network,
    *,
    check: Check,
    progress: Progress = no_progress,
    waiting: Callable[[], None] = lambda: None,
    keep: bool = False,
) -> Fetched:
    """A model with its files, fetched if they are not here yet or are damaged.

    What is here and whole is found without a lock, so also where the store is mounted read-only.

    Args:
        check: Looks at what came before anybody can see it.
        waiting: Called if another process fetches it already.
        keep: Keep its entry, which the catalogue does not know.

    Raises:
        ModelError: It cannot be had, is not what it must be, or cannot be loaded. Nothing of it is visible.
        ChildError: It could not be looked at; what came is kept for the next try.
        NoSpaceLeft: The volume is full; nothing of it is left.
        StorageError: The store cannot be written.
        UsageError: A server holds it: there is nothing to fetch.
    """

    def supply(files: Sequence[ModelFile], folder: Path) -> str:
        return _over_the_network(library, entry, files, folder, network, progress)

    if isinstance(entry.source, Served):
        raise UsageError(f"model {entry.id} is held by a server of yours: there is nothing to fetch")
    if isinstance(entry.source, Bundled):
        model = library.install_state(entry)
        model.verify()
        return Fetched(model, origin=str(entry.source))
    if isinstance(entry.source, Imported):
        there = _whole(library, entry)
        if there is None:
            raise ModelNotFetched(f"model {entry.id} was imported and is not whole", remedy="Import it again.")
        return Fetched(there, origin=str(entry.source))
    return put(library, entry, supply, check=check, waiting=waiting, keep=keep)


def put(
    library: ModelLibrary,
    entry: ModelEntry,
    supply: Callable[[Sequence[ModelFile], Path], str],
    *,
    check: Check,
    waiting: Callable[[], None] = lambda: None,
    keep: bool = False,
) -> Fetched:
    """Put a model into the store, unless it is there and whole.

    Args:
        supply: Brings the files into a folder, each whole and flushed, and says where they come from.
        keep: Keep its entry, which the catalogue does not know.

    Raises:
        As :func:`fetch_model`.
    """
    if library.root is None:
        raise UsageError("there is no model store", remedy="Set MODELS_DIR.")
    model = _whole(library, entry)
    if model is not None:
        return Fetched(model)
    root = library.root
    with staged(root, entry.id, waiting) as staging:
        model = _whole(library, entry)
        if model is not None:  # another process was quicker
            shutil.rmtree(staging)
            return Fetched(model)
        if keep:
            refuse_another(root, entry)
        files = library.known_files(entry)
        _clear_strangers(staging, files)
        origin = supply(files, staging)
        try:
            came = tuple(_as_it_came(staging / file.name, file) for file in files)
            for file in came:
                check_content(staging / file.name)
            check(entry, staging)
        except ModelError:
            shutil.rmtree(staging)
            raise
        pinned = digest_of_files(files) is None
        if pinned:
            write_pin(root, entry.id, came, origin)
        key = digest_of_files(came)
        assert key is not None  # noqa: S101 - every file has a digest now
        aside = set_aside(root, key) if _differs(root / key, came) else None
        if keep:
            # Before it can be seen, and under the lock: prune must not take it for a model that nobody asks for.
            keep_entry(root, entry.model_copy(update={"files": library.known_files(entry)}))
        publish(staging, root, key)
    return Fetched(library.install_state(entry), new=True, pinned=pinned, aside=aside, origin=origin)


def _whole(library: ModelLibrary, entry: ModelEntry) -> InstalledModel | None:
    """The model, if it is here and whole."""
    try:
        model = library.install_state(entry)
    except ModelNotFetched:
        return None
    try:
        model.verify()
    except ModelError:
        return None
    return model


def _over_the_network(
    library: ModelLibrary,
    entry: ModelEntry,
    files: Sequence[ModelFile],
    folder: Path,
    network: Network,
    progress: Progress,
) -> str:
    copies = [bundled_copy(library, file) for file in files]
    if all(copies):
        # The same bytes lie in a package of the environment: no need to ask anybody.
        for file, copy in zip(files, copies, strict=True):
            if copy is not None:
                copy_file(copy, folder / file.name)
        return f"the copies in {', '.join(sorted({str(copy.parent) for copy in copies if copy}))}"
    network.require(f"model {entry.id}")
    remote = locate(entry, files, network)
    _check_space(folder, remote)
    for each in remote:
        target = folder / each.name
        if target.exists() and (not each.digests or difference(target, each)):
            target.unlink()  # of an earlier fetch, and of another version, or nobody can say
        download(each, target, network, progress)
    return str(entry.source)


def bundled_copy(library: ModelLibrary, file: ModelFile) -> Path | None:
    """A file with the same bytes in a package of the environment."""
    if file.sha256 is None:
        return None
    for entry in library.catalogue:
        if isinstance(entry.source, Bundled):
            for known, installed in zip(entry.files, library.install_state(entry).files, strict=True):
                if known.sha256 == file.sha256 and installed.path.is_file():
                    return installed.path if digest(installed.path, "sha256") == file.sha256 else None
    return None


def _check_space(folder: Path, files: Sequence[RemoteFile]) -> None:
    needed = sum(file.size or 0 for file in files) - sum(p.stat().st_size for p in folder.iterdir())
    free = shutil.disk_usage(folder).free
    if needed + _MARGIN > free:
        raise NoSpaceLeft(
            f"{needed / 1e6:,.0f} MB are needed in {folder.parents[1]}, and {free / 1e6:,.0f} MB are free",
            remedy="Free some space, or see what models prune --dry-run would remove.",
        )


def _clear_strangers(folder: Path, files: Sequence[ModelFile]) -> None:
    """Remove what an earlier entry of that id left: only what is asked for now may become visible."""
    ours = {file.name for file in files} | {f"{file.name}.part" for file in files}
    for path in folder.iterdir():
        if path.name not in ours:
            path.unlink()


def _as_it_came(path: Path, file: ModelFile) -> ModelFile:
    """A file by the bytes that lie on the disk now, whoever brought them.

    Raises:
        ModelError: They are not those of the entry.
    """
    found = digest(path, "sha256")
    if file.sha256 not in (None, found):
        raise ModelError(f"{file.name} changed while it was put into the store", remedy="Check the disk; try again.")
    return ModelFile(name=file.name, sha256=found, size=path.stat().st_size)


def _differs(folder: Path, files: Sequence[ModelFile]) -> bool:
    """Whether a file that is there already is another one; one that is missing does no harm."""
    return any((folder / file.name).exists() and digest(folder / file.name, "sha256") != file.sha256 for file in files)
