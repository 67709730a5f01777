"""``archive-pipeline models search``."""

from __future__ import annotations

import json

import click
from rich.table import Table
from rich.text import Text

from archive_pipeline.cli.models.shared import console
from archive_pipeline.errors import printable
from archive_pipeline.library_folders import BELOW_MODELS
from archive_pipeline.models.network import Network
from archive_pipeline.models.sources.htrmopo import Card, listing
from archive_pipeline.settings import read_settings

_EVERY = 25


@click.command()
@click.argument("text", required=False, default="")
@click.option("--language", metavar="fra", help="ISO 639-3.")
@click.option("--script", metavar="Latn", help="ISO 15924.")
@click.option("--task", help="Such as recognition or segmentation.")
@click.option("--offline", is_flag=True, help="Never touch the network; also ARCHIVE_OFFLINE=1.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def search(text: str, language: str | None, script: str | None, task: str | None, offline: bool, as_json: bool) -> None:
    """Find models in HTRMoPo, the repository on Zenodo; then models fetch doi:…

    TEXT must be in a model's summary, authors or DOI. The first search reads the card of each record, which takes
    minutes; later ones only what is new.
    """
    settings = read_settings()

    def tell(done: int) -> None:
        if done % _EVERY == 0:
            click.echo(f"{done} records", err=True)

    cards, told = listing(
        Network.from_settings(settings, offline=offline), settings.models_dir / BELOW_MODELS["HTRMOPO_DIR"], tell
    )
    found = [card for card in cards if fits(card, text, language, script, task)]
    if as_json:
        click.echo(json.dumps([card.model_dump(mode="json") for card in found], indent=1, ensure_ascii=False))
    else:
        console().print(_table(found))
        click.echo(f"{len(found)} of {len(cards)} models. Fetch one with archive-pipeline models fetch doi:…")
    for sentence in told:
        click.echo(f"Not read: {sentence}", err=True)


def fits(
    card: Card, text: str, language: str | None = None, script: str | None = None, task: str | None = None
) -> bool:
    """Whether a card has all that was asked for."""
    haystack = f"{card.summary} {card.authors} {card.doi}".lower()
    return (
        all(word in haystack for word in text.lower().split())
        and (language is None or language in card.language)
        and (script is None or script in card.script)
        and (task is None or task in card.model_type)
    )


def _table(found: list[Card]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("DOI", no_wrap=True)
    table.add_column("summary", ratio=3)
    table.add_column("script; languages", ratio=1)
    table.add_column("does")
    table.add_column("licence")
    for card in sorted(found, key=lambda card: card.publication_date, reverse=True):
        languages = "; ".join(filter(None, [", ".join(card.script), ", ".join(card.language)]))
        software = "" if card.software_name in ("", "kraken") else f" ({card.software_name})"
        table.add_row(
            Text(f"doi:{card.doi}"),
            Text(printable(card.summary)),
            Text(printable(languages)),
            Text(printable(", ".join(card.model_type) + software)),
            Text(printable(card.license)),
        )
    return table
