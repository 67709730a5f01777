"""``archive-pipeline models prune``."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import click

from archive_pipeline.errors import UsageError, printable
from archive_pipeline.models.entry import Bundled
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.prune import Candidate, candidates, remove
from archive_pipeline.processing.used_models import used_models
from archive_pipeline.settings import read_settings
from archive_pipeline.store import Store


@click.command()
@click.argument("ids", metavar="[ID…]", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All models that are not bundled.")
@click.option("--older-than", type=click.FloatRange(min=0), default=0, metavar="DAYS", help="Only what came before.")
@click.option("--even-used", is_flag=True, help="Also models that stored results were made with.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def prune(
    ids: tuple[str, ...], everything: bool, older_than: float, even_used: bool, dry_run: bool, as_json: bool
) -> None:
    """Remove leftovers of fetches, damaged copies, and models that no entry names; with ID also that model.

    A model that a stored result was made with, or that has read a hand, stays, unless --even-used; so do all where
    there is no store to look at. One that reads a hand now, or would after a rollback, stays in any case.
    """
    settings = read_settings()
    library = ModelLibrary(settings.models_dir)
    for model_id in ids:
        if isinstance(library.catalogue.find(model_id).source, Bundled):
            raise UsageError(f"model {model_id} is part of a package, and cannot be pruned")
    store = Store(settings.store_dir)
    used = used_models(store)
    rows = []
    for each in candidates(library, used or (), asked_for=ids, everything=everything):
        if each.days < older_than:
            continue
        stays = _promoted(each) or ("" if even_used else _needed(each, store, used))
        if not stays and not dry_run and not remove(each, settings.models_dir):
            stays = "another process is fetching it"
        rows.append(_row(each, stays))
        if not as_json:
            what = f"stays: {stays}" if stays else "would go" if dry_run else "removed"
            click.echo(f"{printable(each.what)} ({each.size / 1e6:,.1f} MB): {what}")
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
    elif not rows:
        click.echo("There is nothing to remove.")


def _promoted(each: Candidate) -> str:
    """For which hands a model must stay; empty for none."""
    hands = printable(", ".join(each.hands))
    return f"it reads the hand {hands}, or would after a rollback (archive-pipeline hands show)" if hands else ""


def _needed(each: Candidate, store: Store, used: Counter[str] | None) -> str:
    """Why a model must stay for the sake of stored results, or of a hand's history; empty if it need not."""
    if each.kind != "model":
        return ""
    if each.once:
        return f"it has read the hand {printable(', '.join(each.once))}; add --even-used"
    if used is None:
        return (
            f"nobody can say what was read with it, since there is no {printable(store.root / 'documents')}; "
            "set ARCHIVE_STORE or mount the store, or add --even-used"
        )
    return f"{used[each.folder.name]} documents were read with it" if each.used else ""


def _row(each: Candidate, stays: str) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "what": each.what,
        "folder": str(each.folder),
        "bytes": each.size,
        "days": round(each.days, 1),
        "used": each.used,
        "hands": list(each.hands),
        "once": list(each.once),
        "stays": stays or None,
    }
