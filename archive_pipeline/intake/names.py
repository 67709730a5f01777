"""What a file's name says, before anybody opens it."""

from __future__ import annotations

import re
from pathlib import PurePath

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".jp2", ".j2k", ".jpx", ".jpf", ".webp"}
)
DOCUMENT_SUFFIXES = IMAGE_SUFFIXES | {".pdf"}
REFUSED_SUFFIX = ".refused.txt"
"""Of the notes that are left beside refused files."""

SETTINGS_FILE = "archive.yaml"
"""Says how documents are read: of its folder, and as ``letter.pdf.archive.yaml`` of that file alone."""
MISNAMED_SETTINGS = "archive.yml"
"""Refused with the right name, rather than passed over without a word."""

# Browsers, rsync, SMB and scanners write under such names until a file is whole.
_PARTIAL_SUFFIXES = frozenset({".part", ".partial", ".crdownload", ".download", ".filepart", ".tmp", ".temp", ".swp"})
_OF_THE_SYSTEM = frozenset({"thumbs.db", "desktop.ini", "@eadir", "__macosx", "lost+found"})


def natural_order(name: str) -> tuple[tuple[int | str, ...], str]:
    """Sort key by which ``page2`` comes before ``page10``, whatever their case.

    Digits are compared as numbers; the name itself decides between names that are otherwise equal (``1`` and ``01``).
    """
    parts = re.split(r"([0-9]+)", name.casefold())
    # re.split puts text at even and digits at odd places, so numbers are only ever compared with numbers.
    return tuple(int(part) if i % 2 else part for i, part in enumerate(parts)), name


def is_settings(name: str) -> bool:
    """Whether a file of this name says how documents are read, or was meant to, and is none itself."""
    return any(name == settings or name.endswith(f".{settings}") for settings in (SETTINGS_FILE, MISNAMED_SETTINGS))


def set_aside(name: str) -> str | None:
    """Why a file or folder of that name is never a document or page; None if it may be one."""
    lower = name.lower()
    if lower in _OF_THE_SYSTEM:
        return "made by the operating system"
    if lower.startswith((".", "~$")):
        return "hidden"
    if PurePath(lower).suffix in _PARTIAL_SUFFIXES or lower.endswith("~"):
        return "still being written, or left over"
    if lower.endswith(REFUSED_SUFFIX):
        return "a note of ours"
    return None


def is_image(name: str) -> bool:
    return PurePath(name).suffix.lower() in IMAGE_SUFFIXES


def is_document(name: str) -> bool:
    return PurePath(name).suffix.lower() in DOCUMENT_SUFFIXES
