"""The outside of very many documents: what :func:`archive_pipeline.intake.fingerprint` says of each, in less time.

Files share their folders, and with them the files that say how they are read: a folder is listed once for all.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from archive_pipeline.errors import ArchiveError
from archive_pipeline.intake import outside
from archive_pipeline.intake.digests import FileOutside, digest_of_outsides, file_outside
from archive_pipeline.intake.names import MISNAMED_SETTINGS, SETTINGS_FILE


class Outsides:
    """Looks at documents. It opens no file, and remembers folders: it is good for one plan.

    Args:
        uploads: The upload folder, absolute.
    """

    def __init__(self, uploads: Path, *, max_file_mb: int, max_pages: int) -> None:
        self._uploads = uploads
        self._max_bytes = max_file_mb << 20
        self._limits = {"max_file_mb": max_file_mb, "max_pages": max_pages}
        self._names: dict[str, frozenset[str]] = {}
        self._around: dict[str, tuple[FileOutside, ...] | None] = {}

    def fingerprint(self, path: str) -> str:
        """The fingerprint of a document as it lies there; empty if it is gone, or could not enter as it is.

        Args:
            path: Absolute.
        """
        try:
            status = os.stat(path)  # noqa: PTH116 - a hundred thousand times
            if stat.S_ISREG(status.st_mode):
                return self._of_file(path, status)
            return outside(Path(path), self._uploads, **self._limits)[1]
        except (OSError, ValueError, ArchiveError):
            # A run would refuse it, and say why; a plan has no use for it.
            return ""

    def _of_file(self, path: str, status: os.stat_result) -> str:
        if not 0 < status.st_size <= self._max_bytes or not os.access(path, os.R_OK):
            return ""
        folder, name = os.path.split(path)
        around = self._settings_around(folder)
        own = f"{name}.{SETTINGS_FILE}"
        names = self._names_in(folder)
        if around is None or f"{name}.{MISNAMED_SETTINGS}" in names:
            return ""
        settings = [file_outside(_regular(Path(folder, own))), *around] if own in names else around
        return digest_of_outsides("file", [(name, status.st_size, status.st_mtime_ns)], settings)

    def _settings_around(self, folder: str) -> tuple[FileOutside, ...] | None:
        """Of the settings files that hold for all files of a folder, the nearest first; None if one cannot be."""
        if folder not in self._around:
            self._around[folder] = self._look_around(Path(folder))
        return self._around[folder]

    def _look_around(self, folder: Path) -> tuple[FileOutside, ...] | None:
        inside = folder.is_relative_to(self._uploads)
        above = self._settings_around(str(folder.parent)) if inside and folder != self._uploads else ()
        names = self._names_in(str(folder))
        if above is None or MISNAMED_SETTINGS in names:
            return None
        if SETTINGS_FILE not in names:
            return above
        try:
            return file_outside(_regular(folder / SETTINGS_FILE)), *above
        except OSError:
            return None

    def _names_in(self, folder: str) -> frozenset[str]:
        if folder not in self._names:
            self._names[folder] = frozenset(os.listdir(folder))  # noqa: PTH208 - names are all that is asked for
        return self._names[folder]


def _regular(file: Path) -> Path:
    """Raises OSError where it is a link or no regular file, which a run refuses."""
    if not stat.S_ISREG(file.lstat().st_mode):
        raise OSError(f"{file} is no regular file")
    return file
