"""``archive-pipeline``: one module per family of commands, imported when it is called."""

from __future__ import annotations

import json
import sys

import click

from archive_pipeline import __version__
from archive_pipeline.cli.lazy import Lazy
from archive_pipeline.errors import ArchiveError

_COMMANDS = {
    "run": "archive_pipeline.cli.run:run",
    "export": "archive_pipeline.cli.export:export",
    "register": "archive_pipeline.cli.register:register",
    "night": "archive_pipeline.cli.night:night",
    "ui": "archive_pipeline.cli.ui:ui",
    "results": "archive_pipeline.cli.results:results",
    "demo": "archive_pipeline.cli.demo:demo",
    "corrections": "archive_pipeline.cli.corrections:corrections",
    "ground-truth": "archive_pipeline.cli.ground_truth:ground_truth",
    "evaluate": "archive_pipeline.cli.evaluate:evaluate",
    "train": "archive_pipeline.cli.train:train",
    "hands": "archive_pipeline.cli.hands:hands",
    "diff": "archive_pipeline.cli.diff:diff",
    "store": "archive_pipeline.cli.store:store",
    "report": "archive_pipeline.cli.report:report",
    "models": "archive_pipeline.cli.models:models",
    "doctor": "archive_pipeline.cli.doctor:doctor",
    "bench": "archive_pipeline.cli.bench:bench",
}


@click.group(cls=Lazy, table=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Turn scans of letters, registers and typescripts into searchable text."""


def main() -> None:
    """Run the command line; errors of ours become one sentence and an exit code."""
    try:
        status = cli.main(standalone_mode=False)
    except ArchiveError as error:
        if "--json" in sys.argv:
            click.echo(json.dumps({"error": error.to_dict()}, ensure_ascii=False))
        click.echo(f"Error: {error}", err=True)
        status = error.exit_code
    except click.exceptions.Exit as exit_:
        status = exit_.exit_code
    except click.Abort:
        status = 130
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    sys.exit(status if isinstance(status, int) else 0)
