"""The handler of the sealed child that parses one settings file. It imports no more than that takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from archive_pipeline.processing.document_settings import parse_settings


def handle(request: dict[str, Any], _files: list[BinaryIO], _scratch: Path) -> dict[str, Any]:
    """Parse ``request["data"]``, in which Latin-1 stands for bytes, one character each."""
    settings: dict[str, Any] = parse_settings(request["data"].encode("latin-1")).model_dump(mode="json")
    return settings
