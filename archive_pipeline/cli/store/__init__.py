"""``archive-pipeline store``: looking after what is stored."""

from __future__ import annotations

import click

from archive_pipeline.cli.lazy import Lazy

_COMMANDS = {
    "verify": "archive_pipeline.cli.store.verifying:verify",
    "gc": "archive_pipeline.cli.store.collecting:gc",
    "forget": "archive_pipeline.cli.store.forgetting:forget",
}


@click.group(cls=Lazy, table=_COMMANDS)
def store() -> None:
    """Look after what is stored."""
