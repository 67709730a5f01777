"""``archive-pipeline bench left-out``: whether learning from some folders makes another worse."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table


@click.command(name="left-out")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--minutes", default=20, show_default=True, type=click.IntRange(1), help="Of each training.")
@click.option("--steps", type=click.IntRange(1), help="Batches of each training instead, the same on every machine.")
@click.option("--batch", type=click.IntRange(1, 256), help="Lines in a batch; by default as many as their width says.")
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1), help="Of each training.")
@click.option("--base", default="ppocr-v6-latin", show_default=True, help="The model to begin with.")
@click.option("--work", type=click.Path(path_type=Path), help="Keep models and checkpoints here; a second run goes on.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def left_out(
    folders: tuple[Path, ...],
    minutes: int,
    steps: int | None,
    batch: int | None,
    threads: int,
    base: str,
    work: Path | None,
    as_json: bool,
) -> None:
    """For each of FOLDERS: a model trained with all others, and whether it would be promoted to read this one.

    FOLDERS have page images with an ALTO or PAGE file of the same name beside each.
    """
    from archive_pipeline.bench.left_out import bench_left_out
    from archive_pipeline.models.library import ModelLibrary
    from archive_pipeline.processing.options import ProcessingOptions
    from archive_pipeline.settings import read_settings
    from archive_pipeline.training.recognition.recipe import Limits, Recipe

    settings = read_settings()
    table = Table("left out", "pages", "CER % before", "of the candidate", "decision", "CER % after", "p", box=None)
    results = []
    for row in bench_left_out(
        folders,
        ModelLibrary(settings.models_dir).installed(base, "recognition"),
        ProcessingOptions.from_settings(settings),
        Recipe(steps=steps, batch=batch, patience=0, threads=threads),
        Limits(minutes=minutes),
        work=work,
        told=lambda name, at: click.echo(
            f"without {name}: step {at.step} of {at.steps}, epoch {at.epoch}, loss {at.loss:.3f}, {at.seconds:.0f} s",
            err=True,
        ),
    ):
        found = row.figures
        table.add_row(
            row.folder,
            str(len(found.pages)),
            f"{found.current.value:.2f}",
            f"{found.candidate.value:.2f}",
            row.decision.verdict,
            f"{row.after:.2f}",
            f"{found.p:.4f}",
        )
        click.echo(f"{row.folder}: {' '.join(row.decision.reasons)}", err=True)
        results.append(row.to_dict())
    if as_json:
        click.echo(json.dumps(results, ensure_ascii=False, indent=1))
        return
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)
