"""``archive-pipeline ground-truth``: transcriptions that models are trained with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archive_pipeline.cli import training_places
from archive_pipeline.errors import ArchiveError, printable
from archive_pipeline.settings import Settings, read_settings

if TYPE_CHECKING:
    from archive_pipeline.training_sets.reading import ReadOptions

_FOUND_ERRORS = 3


@click.group(name="ground-truth")
def ground_truth() -> None:
    """Look over and store transcriptions that models are trained with."""


def read_options(settings: Settings) -> ReadOptions:
    """How ground truth is read, with this installation's limits and images."""
    from archive_pipeline.processing.page_images_index import PageImages
    from archive_pipeline.rendering.model import RenderOptions
    from archive_pipeline.store import Store
    from archive_pipeline.training_sets.reading import ReadOptions

    return ReadOptions(
        render=RenderOptions(max_pixels=settings.max_pixels),
        memory_mb=settings.worker_memory_mb,
        seconds=settings.page_timeout,
        lookup=PageImages(Store(settings.store_dir)).file,
    )


@ground_truth.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--not-in",
    "test_sets",
    multiple=True,
    metavar="NAME",
    help="Stored ground truth that is for tests: its pages must not be here. May be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(paths: tuple[Path, ...], test_sets: tuple[str, ...], as_json: bool) -> None:
    """Say what is wrong with ground truth, and repair nothing.

    PATHS are folders or ZIP files, each a set: PAGE or ALTO files with page images, or line images with .gt.txt files.
    The exit code is 3 if there is an error, which would keep a page or line out of a training.
    """
    from archive_pipeline.training_sets.checking import check_set, pages_for_tests

    settings = read_settings()
    options, test = read_options(settings), pages_for_tests(training_places.truths(settings), test_sets)
    # Where ground truth may be stored, a ZIP is unpacked there: the folder for temporary files may be small.
    work = settings.training_dir / "work" if os.access(settings.training_dir, os.W_OK) else None
    results: list[dict[str, Any]] = []
    failed: list[ArchiveError] = []
    for path in paths:
        try:
            checked = check_set(path, options, test, work)
        except ArchiveError as error:
            failed.append(error)
            results.append({"path": str(path), "error": error.to_dict()})
            click.echo(f"Error: {error}", err=True)
            continue
        results.append({"path": str(path), **checked.to_dict()})
        if not as_json:
            for finding in checked.findings:
                click.echo(str(finding))
            click.echo(f"{printable(path)}: {checked.summary()}")
    if as_json:
        click.echo(json.dumps({"sets": results}, ensure_ascii=False, indent=1))
    if failed:
        raise click.exceptions.Exit(failed[0].exit_code)
    if any(result["errors"] for result in results):
        raise click.exceptions.Exit(_FOUND_ERRORS)


@ground_truth.command(name="import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Under which it is stored; a-z, 0-9, '.', '_' and '-'.")
@click.option("--replace", is_flag=True, help="Let it take the place of other ground truth of that name.")
@click.option("--not-in", "test_sets", multiple=True, metavar="NAME", help="As for check.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def import_(path: Path, name: str, replace: bool, test_sets: tuple[str, ...], as_json: bool) -> None:
    """Store a folder or ZIP of ground truth, for trainings.

    Pages that cannot be trained with are left out, and it says which and why. The same again changes nothing.
    """
    from archive_pipeline.training_sets.checking import pages_for_tests
    from archive_pipeline.training_sets.importing import import_truth

    settings = read_settings()
    truths = training_places.truths(settings)
    done = import_truth(
        path,
        name,
        truths,
        read_options(settings),
        replace=replace,
        test=pages_for_tests(truths, test_sets),
        work=settings.training_dir / "work",
    )
    truth = done.truth
    if as_json:
        click.echo(json.dumps({"changed": done.changed, **truth.model_dump(mode="json")}, ensure_ascii=False, indent=1))
        return
    for file, reason in truth.left_out.items():
        click.echo(f"left out: {printable(file)}: {printable(reason)}", err=True)
    skipped = sum(len(page.skip) for page in truth.pages)
    click.echo(
        f"{name}: {len(truth.pages)} pages, {truth.lines} lines"
        + (f", {skipped} of them unfit to train with" if skipped else "")
        + (f", {len(truth.left_out)} pages left out" if truth.left_out else "")
        + ("" if done.changed else " (as it was stored before)")
    )
    if truth.findings:
        click.echo(f"{len(truth.findings)} findings: archive-pipeline ground-truth check {printable(path)}", err=True)


@ground_truth.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """Print the ground truth that is stored."""
    truths = training_places.truths(read_settings())
    rows: list[dict[str, Any]] = []
    for name in truths.names():
        truth = truths.load(name)
        if truth is not None:
            row: dict[str, Any] = {
                "name": name,
                "pages": len(truth.pages),
                "lines": truth.lines,
                "digest": truth.digest,
            }
            rows.append(row | {"writer": truth.writer, **truth.hand.model_dump(exclude={"writer"})})
    if as_json:
        click.echo(json.dumps({"ground_truth": rows}, ensure_ascii=False, indent=1))
        return
    for row in rows:
        told = [row[field] for field in ("writer", "script", "language", "period", "licence") if row[field]]
        click.echo(f"{row['name']}: {row['pages']} pages, {row['lines']} lines ({printable(', '.join(told))})")
    if not rows:
        click.echo("There is none. Import some: archive-pipeline ground-truth import PATH --name NAME")


@ground_truth.command()
@click.argument("hand")
@click.option(
    "--test",
    "test_set",
    metavar="NAME",
    help="Stored ground truth that is for tests from now on, as a whole, for ever.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def split(hand: str, test_set: str | None, as_json: bool) -> None:
    """Say which pages of a HAND models are judged by, and which they are trained with.

    About a quarter is frozen for ever as soon as there are enough, and of those that come later a quarter, too.
    """
    found = training_places.split(read_settings(), hand, test_set)
    parts = {"frozen": found.frozen, "train": found.train, "validate": found.validate}
    if as_json:
        data = {name: [page.id for page in pages] for name, pages in parts.items()}
        told = {"missing": found.missing, "corrected": found.corrected, "shortage": found.shortage}
        whole = {"hand": hand, "key": found.key, "digest": found.digest, **data, "left_out": found.left_out, **told}
        click.echo(json.dumps(whole, ensure_ascii=False, indent=1))
        return
    for name, pages in parts.items():
        lines = sum(1 for page in pages for _ in page.lines())
        click.echo(f"{name}: {len(pages)} pages, {lines} lines")
        for page in pages if name == "frozen" else ():
            note = " (corrected since it was frozen)" if page.id in found.corrected else ""
            click.echo(f"  {printable(page.id)}{note}")
    for name, reason in found.left_out.items():
        click.echo(f"left out: {printable(name)}: {printable(reason)}", err=True)
    for name in found.missing:
        click.echo(f"frozen, but not there any more: {printable(name)}", err=True)
    if found.shortage:
        click.echo(f"Note: {found.shortage}", err=True)
