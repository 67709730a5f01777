"""``archive-pipeline bench registry``: seconds of what an archive of very many documents makes slow."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from archive_pipeline.bench.week.dagster_facts import Dagster, Tick

_CHUNK = 1_000
_TICKS = 3
_PARTITIONS_PAGE = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { id
  partitionKeysByDimension { name type partitionKeys }
  assetPartitionStatuses { ... on DefaultPartitionStatuses {
    materializedPartitions materializingPartitions failedPartitions } } } } }"""
"""What the partitions page of an asset asks for, in the words of Dagster's own UI."""
_ASSETS_PAGE = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { id
  partitionStats { numMaterialized numMaterializing numPartitions numFailed } } } }"""
"""What the graph of assets asks for each of them."""


@click.command()
@click.option("--documents", default=20_000, show_default=True, help="That are registered and made.")
@click.option("--new", default=1_000, show_default=True, help="That are uploaded then at once.")
@click.option("--batch", default=10, show_default=True, help="Documents of one run.")
def registry(documents: int, new: int, batch: int) -> None:
    """Seconds of sensor ticks, of the UI's partitions page and of listings, with very many documents."""
    from archive_pipeline.bench.registry import add_files, register_all
    from archive_pipeline.bench.week.dagster_facts import Dagster
    from archive_pipeline.bench.week.embedded import configure, embedded
    from archive_pipeline.cli.instance import open_instance
    from archive_pipeline.store import Store
    from archive_pipeline.uploads.register import UploadRegister

    folder = Path(tempfile.mkdtemp(prefix="registry-"))
    table = Table("what", "seconds", box=None)

    def timed(what: str, act: Callable[[], Any]) -> Any:
        began = time.monotonic()
        result = act()
        table.add_row(what, f"{time.monotonic() - began:.2f}")
        click.echo(f"{what}: {time.monotonic() - began:.2f} s")
        return result

    try:
        add_files(folder / "uploads", 0, documents)
        keys = register_all(folder / "uploads", folder / "store")
        instance = open_instance(folder / "dagster")
        timed(f"registering {documents} partitions", lambda: _add_partitions(instance, keys))
        _pretend_all_made(instance, folder / "dagster", keys)
        timed("listing the store", lambda: Store(folder / "store").keys())
        timed("reading the register of uploads", lambda: UploadRegister(folder / "store").all())
        timed("listing partitions", lambda: instance.get_dynamic_partitions("documents"))
        # No run begins: what is measured is what asks for them.
        configure(folder / "dagster", concurrent_runs=0)
        with embedded(folder, {"ARCHIVE_BATCH": str(batch)}) as installation:
            dagster = Dagster(installation.url)
            dagster.wait_until_ready(600)
            key = {"path": ["document_exports"]}
            timed("partitions page of an asset, first time", lambda: dagster.ask(_PARTITIONS_PAGE, key=key))
            timed("partitions page of an asset, again", lambda: dagster.ask(_PARTITIONS_PAGE, key=key))
            timed("counts of an asset in the graph", lambda: dagster.ask(_ASSETS_PAGE, key=key))
            _ticks(dagster, table, "sensor tick, nothing new")
            add_files(folder / "uploads", documents, new)
            _ticks(dagster, table, f"sensor tick, {new} uploaded", asking=True)
            table.add_row("documents that these ticks took", str(len(dagster.keys()) - documents))
            timed("partitions page after them", lambda: dagster.ask(_PARTITIONS_PAGE, key=key))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console = Console()
    (console if console.is_terminal else Console(width=120)).print(table)


def _add_partitions(instance: Any, keys: Sequence[str]) -> None:
    for start in range(0, len(keys), _CHUNK):
        instance.add_dynamic_partitions("documents", list(keys[start : start + _CHUNK]))


def _pretend_all_made(instance: Any, home: Path, keys: Sequence[str]) -> None:
    """One event that says that the exports of a document were made, and as many copies as there are documents."""
    import dagster as dg

    instance.report_runless_asset_event(dg.AssetMaterialization("document_exports", partition=keys[0]))
    # Dagster has no way to report a hundred thousand events in less than an hour.
    (index,) = home.glob("history/**/index.db")
    with sqlite3.connect(index) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(event_logs)") if row[1] != "id"]
        names = ", ".join(columns)
        query = f"SELECT {names} FROM event_logs WHERE partition = ?"  # noqa: S608 - the database's own names
        (row,) = database.execute(query, [keys[0]]).fetchall()
        insert = f"INSERT INTO event_logs ({names}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
        copies = (
            [value.replace(keys[0], key) if isinstance(value, str) else value for value in row] for key in keys[1:]
        )
        database.executemany(insert, copies)


def _ticks(dagster: Dagster, table: Table, what: str, *, asking: bool = False) -> None:
    """Wait for some ticks of the sensor, such that ask for runs or any; the seconds of each."""
    before, end = len(dagster.ticks()), time.monotonic() + 600
    new: list[Tick] = []
    while len(new) < _TICKS and time.monotonic() < end:
        time.sleep(2)
        ended = [tick for tick in dagster.ticks()[: -before or None] if tick.seconds is not None]
        new = [tick for tick in ended if tick.runs or not asking]
    for tick in reversed(new):
        table.add_row(what, f"{tick.seconds:.2f} ({tick.status.lower()}, {tick.runs} runs asked for)")
        click.echo(f"{what}: {tick.seconds:.2f} s, {tick.status}, {tick.runs} runs {tick.error[:200]}")
