"""``archive-pipeline bench``: the benchmarks, as ratios against a peer run beside it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from archive_pipeline.cli.bench_ground_truth import ground_truth
from archive_pipeline.cli.bench_learning import learning
from archive_pipeline.cli.bench_left_out import left_out
from archive_pipeline.cli.bench_registry import registry
from archive_pipeline.cli.bench_week import week
from archive_pipeline.settings import split_names


@click.group()
def bench() -> None:
    """Measure how right, fast, lean and safe the main job is."""


@bench.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--peer", metavar="LANGUAGE", help="Run Tesseract beside it, with this language (fra, deu, …).")
@click.option("--engine", help="ppocr, kraken or surya.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def accuracy(folders: tuple[Path, ...], peer: str | None, engine: str | None, as_json: bool) -> None:
    """CER on FOLDERS of page images with ALTO or PAGE ground truth beside them."""
    from archive_pipeline.bench.accuracy import bench_accuracy

    rows = bench_accuracy(folders, ["--engine", engine] if engine else [], peer)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=1))
        return
    table = Table("folder", "pages", "characters", "CER %", "95 % interval", "extra %", "CPU s/page", box=None)
    if peer:
        table.add_column("Tesseract CER % (extra)")
    for row in rows:
        cells = [
            row.folder,
            str(row.score.pages),
            str(row.score.characters),
            f"{row.score.cer:.2f}",
            "unknown" if row.score.low is None else f"{row.score.low:.2f} to {row.score.high:.2f}",
            f"{row.score.extra:.1f}",
            f"{row.seconds:.1f}",
        ]
        if row.peer:
            cells.append(f"{row.peer.cer:.2f} ({row.peer.extra:.1f})")
        table.add_row(*cells)
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)


@bench.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--language", required=True, help="Languages of the word lists, such as fr or de-1901,fr.")
@click.option("--below", type=click.FloatRange(0, 1.01), help="Ask about words with less confidence; by default 0.95.")
@click.option("--engine", help="ppocr, kraken or surya.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def spelling(folders: tuple[Path, ...], language: str, below: float | None, engine: str | None, as_json: bool) -> None:
    """Whether spelling suggestions help, on FOLDERS of page images with ALTO or PAGE ground truth beside them."""
    from archive_pipeline.bench.spelling import bench_spelling
    from archive_pipeline.spelling.proposals import BELOW

    arguments = ["--engine", engine] if engine else []
    rows = bench_spelling(folders, split_names(language), BELOW if below is None else below, arguments)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=1))
        return
    for row in rows:
        n = row.counts
        click.echo(f"{row.folder}: {row.pages} pages, {n.words} words with ground truth, {n.wrong} of them wrong")
        click.echo(f"  in doubt          {n.doubtful} words, {n.doubtful_wrong} wrong, {n.doubtful_right} right")
        click.echo(f"  of the wrong ones {n.offered} get suggestions, {n.among} the right word, {n.first} as the first")
        click.echo(f"  of the right ones {n.false_alarms} get suggestions all the same")
        click.echo(
            f"  CER               {row.cer:.3f} % as read; {row.replaced:.3f} % with the first suggestion instead;"
        )
        click.echo(f"                    {row.chosen:.3f} % if the right one of them were always chosen")
        click.echo(f"  not counted       {n.without_truth} doubtful words on lines without ground truth")


@bench.command()
@click.argument("pdf", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--runs", default=3, show_default=True, help="Runs of each; medians are printed.")
@click.option("--language", default="fra", show_default=True, help="For Tesseract.")
def speed(pdf: Path, runs: int, language: str) -> None:
    """Wall and CPU seconds a page, beside OCRmyPDF with two jobs on the same PDF."""
    from archive_pipeline.bench.speed import bench_speed

    result = bench_speed(pdf, runs, language, told=click.echo)
    click.echo(f"{result.pages} pages recognised in each run, store fresh each time, nothing reused")
    click.echo(f"ours       {result.our_wall:.2f} s wall, {result.our_cpu:.2f} s CPU a page")
    click.echo(f"OCRmyPDF   {result.peer_wall:.2f} s wall, {result.peer_cpu:.2f} s CPU a page")
    click.echo(f"ratio      {result.wall_ratio:.2f} wall, {result.cpu_ratio:.2f} CPU (medians of {result.runs} runs)")


@bench.command()
@click.option("--short", default=9, show_default=True, help="Pages of the short document.")
@click.option("--long", default=90, show_default=True, help="Pages of the long document.")
def memory(short: int, long: int) -> None:
    """Peak memory of a long document against a short one."""
    from archive_pipeline.bench.memory import bench_memory

    result = bench_memory(short, long)
    for pages, peak in zip(result.pages, result.peak_mb, strict=True):
        click.echo(f"{pages} pages recognised, nothing reused: peak {peak:.0f} MB over all processes")
    click.echo(f"ratio {result.ratio:.3f}")


@bench.command()
@click.argument("pdf", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--kills", default=20, show_default=True, help="How often to kill.")
@click.option("--seed", default=0, show_default=True, help="Of the moments.")
def kills(pdf: Path, kills: int, seed: int) -> None:
    """Kill the main job at random moments, resume it, and compare the exports byte for byte."""
    from archive_pipeline.bench.kills import bench_kills

    result = bench_kills(pdf, kills, seed, told=click.echo)
    click.echo(f"{result.kills} kills in {result.rounds} rounds, {result.files} files of exports compared each")
    click.echo(f"byte-equal: {'yes' if not result.different else 'no: ' + ', '.join(result.different)}")
    click.echo(f"torn files: {len(result.torn)}")
    click.echo(f"pages redone: {result.redone}, at most {result.most_redone_by_a_kill} by one kill")
    if result.different or result.torn:
        raise click.exceptions.Exit(1)


@bench.command()
@click.argument("pdf", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--runs", default=3, show_default=True, help="Of each format; medians are printed.")
@click.option("--long", default=1000, show_default=True, help="Pages of the long document.")
def exports(pdf: Path, runs: int, long: int) -> None:
    """CPU seconds a page of each export format, and memory of a long document against one of 50 pages."""
    from archive_pipeline.bench.exports import bench_exports

    result = bench_exports(pdf, runs, long)
    for name, seconds in result.seconds.items():
        click.echo(f"{name:10} {seconds:.3f} s CPU a page")
    click.echo(f"all        {result.together:.3f} s CPU a page, {result.beyond_pdf:.3f} beyond the PDF's")
    for pages, (own, child) in result.memory.items():
        click.echo(f"{pages} pages, all formats: peak {own:.0f} MB, of the child that makes the PDF {child:.0f} MB")
    click.echo("ratio {:.3f}, of the child {:.3f}".format(*result.memory_ratios))


@bench.command()
@click.option("--documents", default=10_000, show_default=True, help="Generated documents; only their records exist.")
def report(documents: int) -> None:
    """Seconds and memory of the corpus report over many documents."""
    from archive_pipeline.bench.report import bench_report

    result = bench_report(documents)
    click.echo(f"{result.documents} documents, {result.pages} pages, generated in {result.made:.1f} s")
    click.echo(f"report: {result.seconds:.1f} s, {result.memory:.0f} MB of memory more than before")


@bench.command()
@click.option("--documents", default=100_000, show_default=True, type=click.IntRange(1))
def plan(documents: int) -> None:
    """What planning a night costs, at a number of documents that are registered."""
    import tempfile
    import time

    import dagster as dg

    from archive_pipeline.automation.nights import night_schedule
    from archive_pipeline.bench.plan import bench_plan, invent_archive
    from archive_pipeline.definitions import build
    from archive_pipeline.nights.hours import Hours
    from archive_pipeline.settings import read_settings
    from assets.partitions import DOCUMENTS
    from resources.archive import ArchiveResource

    hours = Hours.of("00:00", "00:00", "UTC")  # so that it is always night
    assert hours is not None  # noqa: S101 - for the type checker
    with tempfile.TemporaryDirectory(prefix="bench-plan-") as folder:
        store, options, keys = invent_archive(Path(folder), documents)
        for what in ("cold", "warm"):
            found = bench_plan(store, options, keys)
            click.echo(
                f"plan of {documents} documents, {what}: {found.seconds:.2f} s wall, {found.cpu:.2f} s CPU, "
                f"peak {found.peak_mb:.0f} MB"
            )
        click.echo(f"{found.worth} worth a run, {found.unseen} not looked at for lack of time")
        click.echo(f"one look asks for {found.asked[0]} of them in {found.asked[1]} runs")
        home = Path(folder)
        settings = read_settings(home=home, uploads_dir=home / "uploads", store_dir=home / "store", models_dir=None)
        (home / "instance").mkdir()
        with dg.DagsterInstance.local_temp(str(home / "instance")) as instance:
            instance.add_dynamic_partitions(str(DOCUMENTS.name), keys)
            with dg.build_schedule_context(
                instance=instance,
                resources={"archive": ArchiveResource.from_settings(settings)},
                repository_def=build(settings).get_repository_def(),
            ) as context:
                began, worked = time.perf_counter(), time.process_time()
                requests = night_schedule(hours).evaluate_tick(context).run_requests or []
                seconds, cpu = time.perf_counter() - began, time.process_time() - worked
        click.echo(
            f"tick of the schedule with Dagster on SQLite: {seconds:.2f} s wall, {cpu:.2f} s CPU, {len(requests)} runs"
        )


bench.add_command(ground_truth)
bench.add_command(learning)
bench.add_command(left_out)
bench.add_command(registry)
bench.add_command(week)
