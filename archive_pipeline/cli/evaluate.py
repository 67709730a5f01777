"""``archive-pipeline evaluate``: how well a model reads a hand, or a folder of ground truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from archive_pipeline.cli import training_places
from archive_pipeline.cli.ground_truth import read_options
from archive_pipeline.errors import ArchiveError, UsageError, printable
from archive_pipeline.settings import Settings, read_settings

if TYPE_CHECKING:
    from archive_pipeline.evaluation.record import Evaluation, Figure
    from archive_pipeline.models.installed import InstalledModel
    from archive_pipeline.processing.options import ProcessingOptions
    from archive_pipeline.training_sets.lines import TrainingPage
    from archive_pipeline.training_sets.splitting import Split

_CONFUSIONS = 10


@click.command()
@click.argument("what", metavar="HAND_OR_FOLDER")
@click.option("--model", "model_id", required=True, help="A recognition model.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write all of it as JSON.")
@click.option(
    "--report", "report_file", type=click.Path(path_type=Path, dir_okay=False), help="Write it as a page of HTML."
)
def evaluate(what: str, model_id: str, json_file: Path | None, report_file: Path | None) -> None:
    """Count the errors that a model makes on text that is known.

    HAND is read on its frozen pages, with which no model is trained. FOLDER is a folder or ZIP of PAGE or ALTO files
    with page images, or of line images with .gt.txt files; write it with a slash if a hand has its name, too.
    """
    from archive_pipeline.engines.factory import recognition_model
    from archive_pipeline.models.library import ModelLibrary
    from archive_pipeline.processing.options import ProcessingOptions

    settings = read_settings()
    options = ProcessingOptions.from_settings(settings)
    library = ModelLibrary(settings.models_dir)
    model = recognition_model(library, model_id, served=options.surya_url is not None)
    path = Path(what)
    split = _split_of(settings, what, path)
    if split is None:
        with _pages_in(settings, path) as pages:
            found = _evaluate(settings, pages, model, options, path.resolve().name, None)
            _write(found, pages, options, json_file, report_file)
    else:
        if not split.frozen:
            raise UsageError(
                f"the hand {printable(what)} has no frozen pages: {split.shortage.partition('. ')[0]}",
                remedy=split.shortage.partition(". ")[2],
            )
        for said in _said_of(split.shortage, split.corrected, split.missing):
            click.echo(said, err=True)
        found = _evaluate(settings, split.frozen, model, options, what, split.key)
        _write(found, split.frozen, options, json_file, report_file)
    _print(found)
    if found.left_out:
        raise click.exceptions.Exit(4)


def _split_of(settings: Settings, what: str, path: Path) -> Split | None:
    """The pages of a hand; None if a folder is meant: one with a slash in it, or one whose name no hand has."""
    if "/" in what and path.exists():
        return None
    try:
        return training_places.split(settings, what)
    except UsageError as error:
        if path.exists():
            return None
        raise UsageError(error.what, remedy=f"{error.remedy} Or give a folder or ZIP that is there.") from None
    except ArchiveError as error:
        # Which hands there are, nobody can say then; so which of both is meant, the caller has to.
        if path.exists():
            error.remedy = f"{error.remedy} Or, if the folder or ZIP of that name is meant, write ./{printable(what)}"
        raise


def _said_of(shortage: str, corrected: Sequence[str], missing: Sequence[str]) -> Iterator[str]:
    if shortage:
        yield f"Note: {shortage}"
    if corrected:
        yield f"Note: corrected since they were frozen: {', '.join(map(printable, corrected))}."
    if missing:
        yield f"Note: frozen pages that are not there any more: {', '.join(map(printable, missing))}."


@contextmanager
def _pages_in(settings: Settings, path: Path) -> Iterator[Sequence[TrainingPage]]:
    """The pages of a folder or ZIP, for as long as they are looked at; what is unfit is said."""
    import tempfile

    from archive_pipeline.keys import DocumentKey
    from archive_pipeline.training_sets.importing import import_truth
    from archive_pipeline.training_sets.lines import pages_of_set
    from archive_pipeline.training_sets.stored import TruthStore

    name = str(DocumentKey.from_path(path.resolve().name))[:80]
    with tempfile.TemporaryDirectory(prefix="evaluate-") as folder:
        truths = TruthStore(Path(folder) / "sets")
        truth = import_truth(path, name, truths, read_options(settings), work=Path(folder) / "work").truth
        for file, reason in truth.left_out.items():
            click.echo(f"left out: {printable(file)}: {printable(reason)}", err=True)
        if skipped := sum(len(page.skip) for page in truth.pages):
            click.echo(
                f"{skipped} lines have errors and do not count: archive-pipeline ground-truth check {printable(path)}",
                err=True,
            )
        yield list(pages_of_set(truths, truth))


def _evaluate(
    settings: Settings,
    pages: Sequence[TrainingPage],
    model: InstalledModel,
    options: ProcessingOptions,
    of: str,
    key: str | None,
) -> Evaluation:
    """Evaluate on pages; what is found of a hand, by its key, is kept."""
    from archive_pipeline.evaluation import evaluating
    from archive_pipeline.evaluation.leaks import require_unseen
    from archive_pipeline.evaluation.once import evaluate_once

    require_unseen(settings.models_dir, model, pages, training_places.frozen(settings))
    with click.progressbar(length=len(pages), label="pages", file=click.get_text_stream("stderr")) as bar:
        if key is None:
            return evaluating.evaluate(pages, model, options, of, lambda _: bar.update(1))
        store = training_places.evaluations(settings)
        return evaluate_once(store, key, pages, model, options, of, lambda _: bar.update(1))


def _write(
    found: Evaluation,
    pages: Sequence[TrainingPage],
    options: ProcessingOptions,
    json_file: Path | None,
    report_file: Path | None,
) -> None:
    from archive_pipeline.durable import write_json
    from archive_pipeline.evaluation.pictures import line_pictures, shown_places
    from archive_pipeline.report.evaluation_page import write_evaluation

    if json_file is not None:
        write_json(json_file, found.model_dump(mode="json"))
    if report_file is not None:
        write_evaluation(found, line_pictures(pages, shown_places(found), options), report_file)


def _print(found: Evaluation) -> None:
    table = Table(
        "", "pages", "characters", "CER %", "95 % interval", "WER %", "95 % interval", box=None, pad_edge=False
    )
    rows = [("all", found.all)]
    for parts in (found.documents, found.scripts):
        rows += [(printable(name), figures) for name, figures in parts.items()] if len(parts) > 1 else []
    for name, figures in rows:
        cer, wer = figures.cer, figures.wer
        table.add_row(name, str(cer.pages), str(cer.total), *_cells(cer), *_cells(wer))
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)
    click.echo(
        f"{found.all.cer.errors} wrong characters (grapheme clusters), {found.all.wer.errors} of {found.all.wer.total} "
        "words wrong; intervals by bootstrap over pages"
    )
    if found.all.cer_s.errors != found.all.cer.errors:
        click.echo(f"With ſ taken for s, the CER is {found.all.cer_s.percent:.2f} %")
    if found.confusions:
        told = (
            f"{_shown(each.truth)} as {_shown(each.read)} ({each.count})" for each in found.confusions[:_CONFUSIONS]
        )
        click.echo(f"Most often read: {', '.join(told)}")
    for reason in found.left_out.values():
        click.echo(f"Left out: {printable(reason)}", err=True)


def _shown(text: str) -> str:
    return {"": "nothing", " ": "a blank"}.get(text, printable(text))


def _cells(figure: Figure) -> list[str]:
    interval = "unknown" if figure.low is None else f"{figure.low:.2f} to {figure.high:.2f}"
    return [f"{figure.percent:.2f}", interval]
