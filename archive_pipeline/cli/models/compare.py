"""``archive-pipeline models compare``: which of two models reads better, and whether that is sure."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from archive_pipeline.engines.factory import recognition_model
from archive_pipeline.errors import UsageError
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.settings import read_settings

if TYPE_CHECKING:
    from archive_pipeline.evaluation.comparison import Comparison
    from archive_pipeline.evaluation.reading import ReadWithBoth
    from archive_pipeline.evaluation.statistics import Rate


@click.command("compare")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--model", "ids", multiple=True, required=True, help="A recognition model; give two.")
@click.option(
    "--lines",
    type=click.Choice(["truth", "engine"]),
    default="truth",
    show_default=True,
    help="Lines that both read: those of the ground truth, or those that the engine finds.",
)
@click.option("--engine", help="With --lines engine: which engine finds them.")
@click.option("--segmentation-model", help="With --lines engine: which model finds them.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare_models(
    folders: tuple[Path, ...],
    ids: tuple[str, ...],
    lines: str,
    engine: str | None,
    segmentation_model: str | None,
    as_json: bool,
) -> None:
    """Compare two recognition models on FOLDERS of page images with PAGE or ALTO ground truth beside each.

    Both read the same lines of the same pages. Says how many errors each makes, and whether the difference is real.
    """
    from archive_pipeline.evaluation.comparison import compare
    from archive_pipeline.evaluation.pages import pages_with_truth
    from archive_pipeline.evaluation.reading import read_with_both
    from archive_pipeline.processing.choice import Said, decide, said_by_options, wishes_of_run
    from archive_pipeline.processing.options import ProcessingOptions

    if len(ids) != 2:
        given = "1 model was" if len(ids) == 1 else f"{len(ids)} models were"
        raise UsageError(f"{given} given", remedy="Give --model twice.")
    if lines == "truth" and (engine or segmentation_model):
        raise UsageError(
            "no lines are looked for: those of the ground truth are read",
            remedy="Add --lines engine, or leave out --engine and --segmentation-model.",
        )
    settings = read_settings()
    library = ModelLibrary(settings.models_dir)
    options = ProcessingOptions.from_settings(settings)
    served = options.surya_url is not None
    models = (
        recognition_model(library, ids[0], served=served),
        recognition_model(library, ids[1], served=served),
    )
    segmentation = None
    if lines == "engine":
        # With a model, since nobody asks for the engine's own: it may not be there, or need a server.
        asked = wishes_of_run(engine=engine, segmentation_model=segmentation_model, model=ids[0])
        said = (Said("options", asked), said_by_options(options)[1])
        segmentation = decide(said, library, served=served).segmentation
    pages = [page for folder in folders for page in pages_with_truth(folder)]
    with click.progressbar(length=len(pages), label="pages", file=click.get_text_stream("stderr")) as bar:
        read = read_with_both(
            pages,
            models,
            options,
            segmentation,
            told=lambda _: bar.update(1),
        )
    scores = list(read.scores.values())
    if not sum(first.characters for first, _ in scores):
        reasons = "; ".join(str(error) for error in list(read.left_out.values())[:3])
        raise UsageError(f"there is no page with ground truth that both could read{': ' if reasons else ''}{reasons}")
    result = compare((ids[0], ids[1]), [first for first, _ in scores], [second for _, second in scores])
    _print_json(result, read, lines) if as_json else _print(result, read, lines)
    if read.left_out:
        raise click.exceptions.Exit(4)


def _print(result: Comparison, read: ReadWithBoth, lines: str) -> None:
    table = Table("model", "CER %", "95 % interval", "WER %", "95 % interval", box=None, pad_edge=False)
    if lines == "engine":
        table.add_column("extra %")
    for each in (result.first, result.second):
        cells = [each.model, *_cells(each.cer), *_cells(each.wer)]
        table.add_row(*cells, *([f"{each.extra:.1f}"] if lines == "engine" else []))
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)
    whose = "the lines of the ground truth" if lines == "truth" else "the lines that the engine found"
    empty = len(read.scores) - result.cer.pages
    click.echo(
        f"{result.cer.pages} pages, {result.characters} characters, {result.words} words, read on {whose}; "
        f"intervals by bootstrap over pages{f'; {empty} more have no text to score' if empty else ''}"
    )
    for name, difference in (("CER", result.cer), ("WER", result.wer)):
        between = f"[{difference.low:.2f}, {difference.high:.2f}]" if not math.isnan(difference.low) else "unknown"
        click.echo(
            f"{name}, first minus second: {difference.points:.2f} points, 95 % {between}, p = {difference.p:.4f} "
            "(paired by page)"
        )
    click.echo(result.verdict)
    for error in read.left_out.values():
        click.echo(f"Left out for both: {error}", err=True)


def _cells(rate: Rate) -> list[str]:
    interval = "unknown" if math.isnan(rate.low) else f"{rate.low:.2f} to {rate.high:.2f}"
    return [f"{rate.percent:.2f}", interval]


def _print_json(result: Comparison, read: ReadWithBoth, lines: str) -> None:
    data = asdict(result) | {
        "lines": lines,
        "verdict": result.verdict,
        "is_real": result.cer.is_real,
        "pages": [
            {"image": str(image), "first": asdict(first), "second": asdict(second)}
            for (image, _), (first, second) in read.scores.items()
        ],
        "left_out": {str(image): str(error) for (image, _), error in read.left_out.items()},
    }
    click.echo(json.dumps(_without_nan(data), ensure_ascii=False, indent=1))


def _without_nan(data: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(data, dict):
        return {name: _without_nan(value) for name, value in data.items()}
    if isinstance(data, list):
        return [_without_nan(value) for value in data]
    return None if isinstance(data, float) and math.isnan(data) else data
