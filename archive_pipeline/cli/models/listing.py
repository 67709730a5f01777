"""``archive-pipeline models list``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from archive_pipeline.cli.models.shared import console, files_of, known_by, megabytes, state_of
from archive_pipeline.errors import printable
from archive_pipeline.models.entry import ModelEntry
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.settings import read_settings

_MOST_LANGUAGES, _MOST_SCRIPTS = 3, 2
_STYLES = {"ready": "green", "not here": "dim", "damaged": "bold red", "at a server": "cyan", "no server set": "dim"}
_TITLES = {"segmentation": "Finding lines", "recognition": "Reading them"}


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_models(as_json: bool) -> None:
    """All models: what they are good for, their licence, and whether they are here."""
    settings = read_settings()
    library = ModelLibrary(settings.models_dir)
    entries = list(library.catalogue)
    states = [state_of(library, entry, served=settings.surya_url is not None) for entry in entries]
    if as_json:
        rows = [as_row(library, entry, *state) for entry, state in zip(entries, states, strict=True)]
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    out = console()
    for task, title in _TITLES.items():
        chosen = [pair for pair in zip(entries, states, strict=True) if pair[0].task == task]
        out.print(_table(f"{title} ({task})", chosen))
        out.print()
    _notes(out, entries, states)


def as_row(library: ModelLibrary, entry: ModelEntry, state: str, remedy: str) -> dict[str, Any]:
    """A model for machines."""
    return entry.model_dump(mode="json") | {
        "files": [file.model_dump() for file in files_of(library, entry)],
        "state": state,
        "remedy": remedy,
        "digest_known_by": known_by(library, entry),
    }


def languages(entry: ModelEntry) -> str:
    """Scripts and languages in short."""
    parts = [_short(entry.scripts, _MOST_SCRIPTS), _short(entry.languages, _MOST_LANGUAGES)]
    return "; ".join(filter(None, parts)) or "any"


def _short(names: Sequence[str], most: int) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" +{more}" if more > 0 else "")


def _licence(entry: ModelEntry) -> str:
    if entry.licence == "NOASSERTION":
        short = "not known"
    elif entry.licence.startswith("LicenseRef-"):
        short = "its own"
    else:
        short = printable(entry.licence)
    return f"{short} *" if entry.licence_note else short


def _table(title: str, chosen: Sequence[tuple[ModelEntry, tuple[str, str]]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, expand=True)
    table.add_column("id", no_wrap=True, min_width=22)
    table.add_column("engine", no_wrap=True)
    table.add_column("good for", ratio=3)
    table.add_column("languages", ratio=2)
    table.add_column("licence", max_width=14, overflow="fold")
    table.add_column("MB", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True, min_width=len("no server set"))
    for entry, (state, _) in chosen:
        table.add_row(
            Text(entry.id),
            entry.engine,
            Text(printable(entry.good_for)),
            languages(entry),
            Text(_licence(entry)),
            megabytes(entry.size) if entry.files else "",
            Text(state, style=_STYLES[state]),
        )
    return table


def _notes(out: Console, entries: Sequence[ModelEntry], states: Sequence[tuple[str, str]]) -> None:
    if any(entry.licence_note for entry in entries):
        out.print("* The licence has a note: archive-pipeline models show ID.")
    if any(state == "not here" for state, _ in states):
        out.print("What is not here comes with archive-pipeline models fetch ID; more is found by models search.")
    for state, remedy in states:
        if state == "no server set":
            out.print(Text(remedy))
        if state == "damaged":
            out.print(Text(f"Damaged: {remedy}", style="bold red"))
