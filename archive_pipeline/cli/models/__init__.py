"""``archive-pipeline models``: one module per command."""

from __future__ import annotations

import click

from archive_pipeline.cli.lazy import Lazy

_COMMANDS = {
    "list": "archive_pipeline.cli.models.listing:list_models",
    "show": "archive_pipeline.cli.models.showing:show",
    "search": "archive_pipeline.cli.models.searching:search",
    "fetch": "archive_pipeline.cli.models.fetching:fetch",
    "import": "archive_pipeline.cli.models.importing:import_",
    "verify": "archive_pipeline.cli.models.verifying:verify",
    "prune": "archive_pipeline.cli.models.pruning:prune",
    "compare": "archive_pipeline.cli.models.compare:compare_models",
}


@click.group(cls=Lazy, table=_COMMANDS)
def models() -> None:
    """The models that can be used: list, find, fetch, import, verify, compare and remove them."""
