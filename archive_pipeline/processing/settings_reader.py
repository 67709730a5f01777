"""The settings files of documents, each parsed once in this process, in a sealed child of its own.

Not in a page worker: that has looked at other people's scans, and one that a scan has taken over could answer for all
documents below the file. Nor is what was stored of it before believed, which may have come from such a worker."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from archive_pipeline.durable import read_json, storage_error, write_json
from archive_pipeline.errors import ArchiveError, BadSettings, ChildNotStarted, StorageError, printable
from archive_pipeline.intake.settings_files import read_settings_file, settings_files, shown_name
from archive_pipeline.processing.choice import Choices
from archive_pipeline.processing.document_settings import FileSettings
from archive_pipeline.processing.said import Said
from archive_pipeline.sealed import Limits, SealedChild
from archive_pipeline.store import DocumentFolder

Parse = Callable[[bytes], dict[str, Any]]
"""Parses the bytes of a settings file in a sealed child."""

_ENTRY = "archive_pipeline.processing.settings_child:handle"
_LIMITS = Limits(memory_mb=512, file_mb=1, open_files=64)
_SECONDS = 30.0


def parse_sealed(data: bytes) -> dict[str, Any]:
    """Parse a settings file in a child that lives for nothing else.

    Raises:
        ArchiveError: It cannot be obeyed, or the child did not do it.
    """
    try:
        with (
            tempfile.TemporaryDirectory(prefix="settings-") as scratch,
            SealedChild(_ENTRY, write=Path(scratch), limits=_LIMITS) as child,
        ):
            return child.call({"data": data.decode("latin-1")}, timeout=_SECONDS)
    except OSError as error:
        raise storage_error(error, Path(tempfile.gettempdir())) from error


class ChoiceRecord(BaseModel):
    """``choices.json``: what a document was last read with.

    Attributes:
        files: The settings files that were read, by digest; for provenance.
        choices: What was decided.
    """

    model_config = ConfigDict(frozen=True)

    files: dict[str, FileSettings] = {}
    choices: Choices


class SettingsReader:
    """Reads settings files.

    Args:
        uploads: The upload folder; None if there is none.
        parse: How a file that is not known is parsed.
    """

    def __init__(self, uploads: Path | None, parse: Parse = parse_sealed) -> None:
        self._uploads = uploads
        self._parse = parse
        self._known: dict[str, FileSettings | BadSettings] = {}

    def read(self, document: Path) -> tuple[tuple[Said, ...], dict[str, FileSettings]]:
        """What the settings files of a document say, the nearest first; and all of them by digest.

        Raises:
            BadSettings: One cannot be obeyed; names it.
        """
        said: list[Said] = []
        used: dict[str, FileSettings] = {}
        for file in settings_files(document, self._uploads):
            data = read_settings_file(file, self._uploads)
            digest = hashlib.sha256(data).hexdigest()
            name = printable(shown_name(file, self._uploads))
            found = used[digest] = self._settings(digest, data, name)
            said.append(Said(name, found.wishes, found.lines, is_file=True))
        return tuple(said), used

    def _settings(self, digest: str, data: bytes, name: str) -> FileSettings:
        if digest not in self._known:
            try:
                self._known[digest] = self._parsed(data)
            except BadSettings as error:
                # Also kept: all documents below a broken file are refused, and one child is enough to know it.
                self._known[digest] = error
        found = self._known[digest]
        if isinstance(found, FileSettings):
            return found
        parted = ", " if found.what.startswith("line ") else ": "
        raise BadSettings(f"{name}{parted}{found.what}", remedy=found.remedy)

    def _parsed(self, data: bytes) -> FileSettings:
        try:
            return FileSettings.model_validate(self._parse(data))
        except (BadSettings, ChildNotStarted, StorageError):
            raise
        except ArchiveError as error:
            raise BadSettings(f"it could not be read: {error.what}") from None
        except ValidationError:
            raise BadSettings("it could not be read: the answer of its reader is none") from None


def stored_choices(folder: DocumentFolder) -> ChoiceRecord | None:
    """What the document was last read with; None if that was never, or is of an older version."""
    data = read_json(folder.choices)
    try:
        return ChoiceRecord.model_validate(data) if data else None
    except ValidationError:
        return None


def store_choices(folder: DocumentFolder, choices: Choices, files: dict[str, FileSettings]) -> None:
    data = ChoiceRecord(choices=choices, files=files).model_dump(mode="json")
    if read_json(folder.choices) != data:
        write_json(folder.choices, data)
