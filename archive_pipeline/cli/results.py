"""``archive-pipeline results``: a web server for the exports."""

from __future__ import annotations

from urllib.parse import urlsplit

import click

from archive_pipeline.cli.alone import listen
from archive_pipeline.sealed.libc import end_with_parent
from archive_pipeline.settings import read_settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="It has no login: keep it on this machine.")
@click.option("--port", default=3080, show_default=True)
@click.option("--with-parent", is_flag=True, hidden=True, help="End when the process that started this one does.")
def results(host: str, port: int, with_parent: bool) -> None:
    """Read results in the browser: a list of documents, their reading views, PDFs and texts."""
    import uvicorn

    from archive_pipeline.results.app import make_app

    if with_parent:
        end_with_parent()
    settings = read_settings()
    hosts = ["127.0.0.1", "localhost", "::1"]
    if settings.results_url:
        hosts.append(str(urlsplit(settings.results_url).hostname))
    listening = listen(host, port)
    click.echo(f"Results: http://{host}:{listening.getsockname()[1]} (stop with Ctrl-C)")
    server = uvicorn.Server(
        uvicorn.Config(make_app(settings.store_dir, hosts), log_level="warning", server_header=False)
    )
    server.run(sockets=[listening])
