"""``archive-pipeline bench learning``: how well a hand is learnt, by how many pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table


class _Numbers(click.ParamType):
    """Whole numbers above 0 with commas between them."""

    name = "NUMBERS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        try:
            numbers = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            numbers = (0,)
        if min(numbers) < 1:
            self.fail(f"{value!r} is no list of numbers such as 2,5,10", param, ctx)
        return numbers


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--frozen", default=10, show_default=True, type=click.IntRange(1), help="Pages to be judged by.")
@click.option(
    "--pages", default="2,5,10,26", type=_Numbers(), show_default=True, help="Pages to train with, of each training."
)
@click.option("--minutes", default="6,9,12,60", type=_Numbers(), show_default=True, help="Of each training.")
@click.option("--steps", type=_Numbers(), help="Batches of each training instead, the same on every machine.")
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1), help="Of each training.")
@click.option("--base", default="ppocr-v6-latin", show_default=True, help="The model to begin with.")
@click.option("--work", type=click.Path(path_type=Path), help="Keep models and checkpoints here; a second run goes on.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def learning(
    folder: Path,
    frozen: int,
    pages: tuple[int, ...],
    minutes: tuple[int, ...],
    steps: tuple[int, ...] | None,
    threads: int,
    base: str,
    work: Path | None,
    as_json: bool,
) -> None:
    """CER of a model trained for the hand of FOLDER, on pages that are frozen, against the model it began with.

    FOLDER has page images with an ALTO or PAGE file of the same name beside each.
    """
    from archive_pipeline.bench.learning import bench_learning
    from archive_pipeline.models.library import ModelLibrary
    from archive_pipeline.processing.options import ProcessingOptions
    from archive_pipeline.settings import read_settings
    from archive_pipeline.training.recognition.recipe import Limits, Recipe

    settings = read_settings()
    if len(minutes) != len(pages) or len(steps or pages) != len(pages):
        raise click.UsageError("give as many --minutes (and --steps) as --pages")
    recipes = [Recipe(steps=each, patience=0, threads=threads) for each in steps or [None] * len(pages)]
    cers = ("CER % before", "network alone", "after", "95 % interval")
    table = Table("pages", "lines", "steps", "CPU min", *cers, "WER %", "p", box=None)
    rows = bench_learning(
        folder,
        ModelLibrary(settings.models_dir).installed(base, "recognition"),
        ProcessingOptions.from_settings(settings),
        frozen=frozen,
        counts=pages,
        recipes=recipes,
        limits=[Limits(minutes=each) for each in minutes],
        work=work,
        told=lambda count, at: click.echo(
            f"{count} pages: step {at.step} of {at.steps}, epoch {at.epoch}, loss {at.loss:.3f}, {at.seconds:.0f} s",
            err=True,
        ),
    )
    results = []
    for row in rows:
        before, after = row.before.all, row.after.all
        table.add_row(
            str(row.pages),
            str(row.training.lines),
            str(row.training.steps),
            f"{row.cpu_minutes:.1f}",
            f"{before.cer.percent:.2f}",
            "" if row.alone is None else f"{row.alone.all.cer.percent:.2f}",
            f"{after.cer.percent:.2f}",
            "unknown" if after.cer.low is None else f"{after.cer.low:.2f} to {after.cer.high:.2f}",
            f"{after.wer.percent:.2f}",
            f"{row.difference.p:.4f}",
        )
        results.append(row.to_dict())
    if as_json:
        click.echo(json.dumps(results, ensure_ascii=False, indent=1))
        return
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)
