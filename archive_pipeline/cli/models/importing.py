"""``archive-pipeline models import``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import click

from archive_pipeline.cli.models.fetching import fetched_row
from archive_pipeline.cli.models.shared import sealed_look
from archive_pipeline.errors import UsageError
from archive_pipeline.models.entry import Engine, Task
from archive_pipeline.models.importing import Description, import_model
from archive_pipeline.settings import read_settings


@click.command("import")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--id", "model_id", required=True, help="Id of the model: of the catalogue, or a new one.")
@click.option("--task", type=click.Choice(get_args(Task)), help="What a new one does.")
@click.option("--engine", type=click.Choice(get_args(Engine)), help="Which engine loads a new one.")
@click.option("--licence", default="NOASSERTION", show_default=True, help="SPDX id of its licence.")
@click.option("--language", "languages", multiple=True, metavar="fra", help="ISO 639-3; may be given again.")
@click.option("--script", "scripts", multiple=True, metavar="Latn", help="ISO 15924; may be given again.")
@click.option("--good-for", default="", help="What it is good for, in a few words.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def import_(
    path: Path,
    model_id: str,
    task: Task | None,
    engine: Engine | None,
    licence: str,
    languages: tuple[str, ...],
    scripts: tuple[str, ...],
    good_for: str,
    as_json: bool,
) -> None:
    """Copy a model into the store: a file of weights, or a folder with weights and configuration.

    It is loaded once in a sealed process, and refused if it is no model of that engine. A model of the catalogue needs
    no more than its --id: its files must be those that the catalogue names.
    """
    if (task is None) != (engine is None):
        raise UsageError("a new model needs both --task and --engine")
    description = None
    if task is not None and engine is not None:
        description = Description(
            task=task, engine=engine, licence=licence, languages=languages, scripts=scripts, good_for=good_for
        )
    done = import_model(
        read_settings().models_dir,
        path,
        model_id,
        description,
        check=sealed_look,
        waiting=lambda: click.echo(f"{model_id}: another process is writing it; waiting", err=True),
    )
    if as_json:
        click.echo(json.dumps({"id": model_id} | fetched_row(done), indent=1, ensure_ascii=False))
    else:
        what = "imported" if done.new else "here already, whole"
        click.echo(f"{model_id}: {what}, SHA-256 {done.model.digest}. Use it with --model or --segmentation-model.")
