"""What the commands about models share: a model's state, its size, and a console that fits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from archive_pipeline.errors import ModelError, ModelNotFetched
from archive_pipeline.models.check import check_model
from archive_pipeline.models.entry import Bundled, ModelEntry, ModelFile, Served
from archive_pipeline.models.library import ModelLibrary

State = Literal["ready", "not here", "damaged", "at a server", "no server set"]
_WIDTH = 160


def state_of(library: ModelLibrary, entry: ModelEntry, *, served: bool) -> tuple[State, str]:
    """A model's state by all of its bytes, and what to do if it is not ready.

    Args:
        served: A server is set.
    """
    if isinstance(entry.source, Served):
        if served:
            return "at a server", ""
        return "no server set", f"Model {entry.id} is asked at a server: set SURYA_INFERENCE_URL; see docs/surya.md."
    try:
        library.install_state(entry).verify()
    except ModelNotFetched as error:
        return "not here", str(error)
    except ModelError as error:
        return "damaged", str(error)
    return "ready", ""


def sealed_look(entry: ModelEntry, folder: Path) -> None:
    """:func:`check_model`, and say so: it takes seconds in which nothing else is seen."""
    click.echo(f"{entry.id}: it is loaded once in a sealed process", err=True)
    check_model(entry, folder)


def files_of(library: ModelLibrary, entry: ModelEntry) -> tuple[ModelFile, ...]:
    """What is known of its files; what the entry says where its pin is damaged, which its state tells of."""
    try:
        return library.known_files(entry)
    except ModelError:
        return entry.files


def known_by(library: ModelLibrary, entry: ModelEntry) -> str:
    """How its digest is known."""
    if isinstance(entry.source, Served):
        return "not by us: a server holds it"
    if entry.digest is not None:
        return "the entry"
    try:
        files = library.known_files(entry)
    except ModelError:
        return "the first fetch, whose pin is damaged"
    if all(file.sha256 for file in files):
        return "the first fetch, which pinned it"
    return "nobody: the first fetch pins it"


def can_be_fetched(entry: ModelEntry) -> bool:
    """Whether it comes over the network."""
    return not isinstance(entry.source, Bundled | Served) and entry.source.kind != "imported"


def megabytes(size: int | None) -> str:
    """A size for people."""
    return "?" if size is None else f"{size / 1e6:,.1f}"


def console() -> Console:
    """As wide as the terminal; where there is none, as ``COLUMNS`` says, or wide enough for a table."""
    found = Console()
    return found if found.is_terminal or os.environ.get("COLUMNS") else Console(width=_WIDTH)
