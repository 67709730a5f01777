"""``archive-pipeline``: one module per family of commands, imported when it is called."""

from __future__ import annotations

import importlib
import json
import sys

import click

from archive_pipeline import __version__
from archive_pipeline.errors import ArchiveError

_COMMANDS = {
    "run": "archive_pipeline.cli.run:run",
    "export": "archive_pipeline.cli.export:export",
    "register": "archive_pipeline.cli.register:register",
    "ui": "archive_pipeline.cli.ui:ui",
    "demo": "archive_pipeline.cli.demo:demo",
    "store": "archive_pipeline.cli.store:store",
    "models": "archive_pipeline.cli.models:models",
    "doctor": "archive_pipeline.cli.doctor:doctor",
    "bench": "archive_pipeline.cli.bench:bench",
}


class _Lazy(click.Group):
    """Imports a command only when it is called: Dagster alone takes seconds."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in _COMMANDS:
            return None
        module, _, function = _COMMANDS[name].partition(":")
        command = getattr(importlib.import_module(module), function)
        assert isinstance(command, click.Command)  # noqa: S101 - a slip in the table above
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
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
