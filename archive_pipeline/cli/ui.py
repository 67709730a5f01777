"""``archive-pipeline ui``: Dagster's UI and daemon on the embedded instance."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import click

import archive_pipeline
from archive_pipeline.cli.alone import require_alone, require_free
from archive_pipeline.cli.instance import prepare_home
from archive_pipeline.durable import make_folder
from archive_pipeline.settings import read_settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="It has no login: keep it on this machine.")
@click.option("--port", default=3000, show_default=True)
@click.option("--results-port", default=3080, show_default=True, help="Of the server of results beside it.")
def ui(host: str, port: int, results_port: int) -> None:
    """Watch and start runs in the browser."""
    settings = read_settings()
    for wanted in (port, results_port):
        require_free(host, wanted)
    prepare_home(settings.dagster_home)
    require_alone(settings.dagster_home)
    make_folder(settings.uploads_dir)
    # A shell that starts it in the background has it ignore what Ctrl-C sends, and Dagster ends its processes by that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # The code server is another process and reads the environment: it gets the folders that this one has found.
    for variable, folder in {
        "ARCHIVE_HOME": settings.home,
        "UPLOADS_DIR": settings.uploads_dir,
        "ARCHIVE_STORE": settings.store_dir,
        "MODELS_DIR": settings.models_dir,
        "TRAINING_DIR": settings.training_dir,
        "GROUND_TRUTH_DIR": settings.ground_truth_dir,
    }.items():
        os.environ[variable] = str(folder)
    if settings.results_url is None:
        os.environ["ARCHIVE_RESULTS_URL"] = f"http://{host}:{results_port}"
    own = [sys.executable, "-m", "archive_pipeline.cli", "results", "--host", host, "--port", str(results_port)]
    subprocess.Popen([*own, "--with-parent"])
    workspace = Path(archive_pipeline.__file__).parent.parent / "workspace.yaml"
    # Always said: what stands in pyproject.toml would silently go before a workspace.yaml that is only lying there.
    where = ["-w", str(workspace)] if workspace.is_file() else ["-m", "archive_pipeline.definitions"]
    click.echo(f"Dagster's UI: http://{host}:{port} (stop with Ctrl-C)")
    command = [sys.executable, "-m", "dagster", "dev", *where, "--host", host, "--port", str(port)]
    os.execv(sys.executable, command)  # noqa: S606 - a fixed program and a list of arguments
