"""The settings files of documents, each read once: kept by digest in this process and beside the document."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from archive_pipeline.durable import read_json, write_json
from archive_pipeline.errors import ArchiveError, BadSettings, ChildNotStarted, printable
from archive_pipeline.intake.settings_files import read_settings_file, settings_files, shown_name
from archive_pipeline.processing.choice import Choices, Said
from archive_pipeline.processing.document_settings import VERSION, FileSettings
from archive_pipeline.store import DocumentFolder

Parse = Callable[[bytes], dict[str, Any]]
"""Parses the bytes of a settings file in a sealed child."""


class ChoiceRecord(BaseModel):
    """``choices.json``: what a document was last read with.

    Attributes:
        files: The settings files that were read, by digest.
        choices: What was decided.
    """

    model_config = ConfigDict(frozen=True)

    version: str = VERSION
    files: dict[str, FileSettings] = {}
    choices: Choices


class SettingsReader:
    """Reads settings files.

    Args:
        uploads: The upload folder; None if there is none.
        parse: How a file that is not known is parsed.
    """

    def __init__(self, uploads: Path | None, parse: Parse) -> None:
        self._uploads = uploads
        self._parse = parse
        self._known: dict[str, FileSettings] = {}

    def read(self, document: Path, folder: DocumentFolder) -> tuple[tuple[Said, ...], dict[str, FileSettings]]:
        """What the settings files of a document say, the nearest first; and all of them by digest.

        Raises:
            BadSettings: One cannot be obeyed; names it.
        """
        record = stored_choices(folder)
        if record is not None and record.version == VERSION:
            self._known |= record.files
        said: list[Said] = []
        used: dict[str, FileSettings] = {}
        for file in settings_files(document, self._uploads):
            data = read_settings_file(file, self._uploads)
            digest = hashlib.sha256(data).hexdigest()
            name = printable(shown_name(file, self._uploads))
            if digest not in self._known:
                self._known[digest] = self._parsed(data, name)
            used[digest] = self._known[digest]
            said.append(Said(name, used[digest].wishes, used[digest].lines, is_file=True))
        return tuple(said), used

    def _parsed(self, data: bytes, name: str) -> FileSettings:
        try:
            return FileSettings.model_validate(self._parse(data))
        except ChildNotStarted:
            raise
        except BadSettings as error:
            parted = ", " if error.what.startswith("line ") else ": "
            raise BadSettings(f"{name}{parted}{error.what}", remedy=error.remedy) from None
        except ArchiveError as error:
            raise BadSettings(f"{name}: it could not be read: {error.what}") from None
        except ValidationError:
            raise BadSettings(f"{name}: it could not be read: the answer of its reader is none") from None


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
