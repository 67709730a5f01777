"""A folder on a web server. It tells nothing of its files but their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from archive_pipeline.models.entry import Web
from archive_pipeline.models.remote import RemoteFile


def locate(source: Web, names: Sequence[str]) -> list[RemoteFile]:
    """Where the files of that folder are. Nothing is asked."""
    return [RemoteFile(name=name, url=f"{str(source.url).rstrip('/')}/{quote(name)}") for name in names]
