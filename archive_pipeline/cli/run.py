"""``archive-pipeline run``: documents in, searchable documents out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from archive_pipeline.cli.instance import open_instance
from archive_pipeline.cli.progress import RunRecord, shown
from archive_pipeline.cli.tables import document_rows, print_documents
from archive_pipeline.errors import ArchiveError, UsageError
from archive_pipeline.exports.formats import choose
from archive_pipeline.intake import expand
from archive_pipeline.keys import DocumentKey
from archive_pipeline.processing.delivery import deliver
from archive_pipeline.processing.page_ranges import parse_pages
from archive_pipeline.processing.settings_reader import stored_choices
from archive_pipeline.settings import Settings, read_settings, split_names
from archive_pipeline.spelling.lists import known_languages
from archive_pipeline.store import Store
from resources.archive import ArchiveResource


def chosen_formats(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[str] | None:
    """The value of ``--formats``, or None.

    Raises:
        UsageError: There is no such format.
    """
    return None if value is None else [each.name for each in choose(split_names(value))]


def chosen_languages(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[str] | None:
    """The value of ``--spelling``, or None.

    Raises:
        UsageError: There is no list for a language.
    """
    return None if value is None else list(known_languages(split_names(value)))


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Copy the exports to OUT/<key>/.")
@click.option("--engine", help="How lines are found: ppocr (print, typescript), kraken (handwriting) or surya.")
@click.option("--model", "recognition_model", help="Id of the recognition model; see `models list`.")
@click.option("--segmentation-model", help="Id of the segmentation model.")
@click.option("--language", help="Language of the text, such as de, fr-CA or lat; goes into the exports.")
@click.option("--direction", type=click.Choice(["ltr", "rtl", "ttb"]), help="In which the text runs.")
@click.option("--pages", help="Only these pages, such as 1-3,7.")
@click.option(
    "--born-digital", type=click.Choice(["keep", "redo"]), help="Keep or redo the text of pages that have it."
)
@click.option("--formats", callback=chosen_formats, help="Exports to make, such as pdf,alto,tei; see usage.md.")
@click.option(
    "--spelling",
    callback=chosen_languages,
    help="Languages whose word lists propose other spellings of doubtful words, such as fr; '' for none.",
)
@click.option("--redo", is_flag=True, help="Do everything anew, even what is unchanged.")
@click.option("--dry-run", is_flag=True, help="Say how many pages, minutes and megabytes, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def run(paths: tuple[Path, ...], out: Path | None, redo: bool, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Make scans searchable: PDF and image files, or folders of them.

    Results are kept in the archive's store, and what was done before is not done again. Where no option says which
    models to use, an archive.yaml beside the scans may; see choosing.md.
    """
    settings = read_settings()
    if options["pages"]:
        parse_pages(options["pages"], 1)
    if out is not None and out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file", remedy="Give a folder to --out.")
    archive = ArchiveResource.from_settings(settings)
    # A model, engine or language that is none is an error of the command, not of its documents.
    archive.check(options)
    store = archive.store
    keys, refused = register_paths(paths, store, settings)
    config = {name: value for name, value in options.items() if value is not None} | {"reuse": not redo}
    # Whoever names two files by hand wants both.
    config["duplicates"] = "make"
    if dry_run:
        from archive_pipeline.cli.estimate import print_estimate

        with archive.processor(config) as processor:
            print_estimate(processor, store, settings, keys, refused, as_json)
    else:
        record = process(settings, keys, config, quiet=as_json)
        _report(store, keys, record, refused, out, as_json)
        refused |= {key: error for key in keys if (error := record.error_of(key)) is not None}
    if refused:
        raise click.exceptions.Exit(next(iter(refused.values())).exit_code)


def process(settings: Settings, keys: list[DocumentKey], config: dict[str, Any], *, quiet: bool = False) -> RunRecord:
    """Run documents through Dagster's embedded instance, showing progress."""
    from archive_pipeline.cli.dagster_run import materialise

    with shown(quiet) as record, open_instance(settings.dagster_home) as instance:
        record.errors.update(materialise(instance, settings, keys, config))
    return record


def register_paths(
    paths: Sequence[Path], store: Store, settings: Settings
) -> tuple[list[DocumentKey], dict[str, ArchiveError]]:
    """Keys of all documents that the paths name; what cannot enter is told apart and stops nothing."""
    keys: dict[DocumentKey, None] = {}
    refused: dict[str, ArchiveError] = {}
    for path in paths:
        try:
            for document in expand([path]):
                keys.setdefault(store.register(document, settings.uploads_dir))
        except ArchiveError as error:
            refused[str(path)] = error.at(document=str(path))
    return list(keys), refused


def _report(
    store: Store,
    keys: list[DocumentKey],
    record: RunRecord,
    refused: dict[str, ArchiveError],
    out: Path | None,
    as_json: bool,
) -> None:
    delivered: dict[DocumentKey, Path] = {}
    for key in keys:
        if out is not None and record.error_of(key) is None:
            try:
                delivered[key] = deliver(store.document(key), out)
            except ArchiveError as error:
                record.errors[key] = error.at(document=key)
    rows = document_rows(keys, record, refused, delivered)
    for row in rows[: len(keys)]:
        record_of = stored_choices(store.document(DocumentKey(row["document"])))
        # A document that was refused has at most those of an earlier run.
        row["chosen"] = record_of.choices.told() if record_of and not row["error"] else None
    if as_json:
        click.echo(json.dumps({"documents": rows}, ensure_ascii=False, indent=1))
    else:
        print_documents(rows)
