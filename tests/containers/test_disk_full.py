"""A full disk is a clear error, loses nothing, and the next run works."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest
from containers.stack import Stack, docker

# Volumes of bounded size: tmpfs, so that filling them does not fill the machine.
SIZES = {"store": "200m", "database": "300m"}


@pytest.fixture(scope="module")
def small(image: str, uploads: Path) -> Iterator[Stack]:
    stack = Stack("archive-small", 3998, uploads, image)
    stack.down("--volumes")
    for volume, size in SIZES.items():
        options = ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", f"o=size={size},uid=1000,gid=1000,mode=700"]
        labels = [
            "--label",
            f"com.docker.compose.project={stack.project}",
            "--label",
            f"com.docker.compose.volume={volume}",
        ]
        docker("volume", "create", *options, *labels, f"{stack.project}_{volume}")
    stack.up()
    yield stack
    stack.down("--volumes")


def _fill(container: str, folder: str) -> None:
    said = docker("exec", container, "dd", "if=/dev/zero", f"of={folder}/full", "bs=64k", check=False)
    assert "No space left" in said, said


def _free(container: str, folder: str) -> None:
    docker("exec", container, "rm", "-f", f"{folder}/full")


def _successes(small: Stack) -> set[str]:
    """Runs that Dagster knows to have been successful."""
    runs = small.ask("{ runsOrError { ... on Runs { results { runId status } } } }")["runsOrError"]["results"]
    return {run["runId"] for run in runs if run["status"] == "SUCCESS"}


def test_a_full_store_is_said_and_the_next_run_works(small: Stack, scan: Callable[[str, int], Path]) -> None:
    key = small.upload(scan("full-store.pdf", 3))
    holder = small.container("documents")
    _fill(holder, "/data/store")
    run = small.launch("documents", key)
    assert small.wait(run) == "FAILURE"
    said = small.messages(run)
    assert "no space left" in said.lower(), said
    assert "Traceback" not in said
    _free(holder, "/data/store")
    assert docker("exec", holder, "find", "/data/store", "-name", "*.tmp") == ""
    assert small.wait(small.launch("documents", key)) == "SUCCESS"


def test_a_full_tmp_of_a_run_loses_nothing(small: Stack, scan: Callable[[str, int], Path]) -> None:
    key = small.upload(scan("full-tmp.pdf", 12))
    run, container = small.started("documents", key)
    _fill(container, "/tmp")
    status = small.wait(run)
    # Pages do not go through /tmp; where something did need it, that is said.
    assert status == "SUCCESS" or "no space left" in small.messages(run).lower(), small.messages(run)
    assert small.wait(small.launch("documents", key)) == "SUCCESS"


@pytest.mark.timeout(1800)
def test_a_full_database_is_said_and_everything_goes_on_when_there_is_room(
    small: Stack, scan: Callable[[str, int], Path]
) -> None:
    key = small.upload(scan("full-database.pdf", 2))
    assert small.wait(small.launch("documents", key)) == "SUCCESS"
    before = _successes(small)
    database = small.container("postgres")
    _fill(database, "/var/lib/postgresql")
    said = ""
    for _ in range(30):
        try:
            small.launch("models")
        except (AssertionError, HTTPError) as error:
            said = str(error)
            break
        except OSError:  # nothing is said yet
            continue
        time.sleep(1)
    # Dagster's webserver answers with an error of its own, or with status 500, as the moment will have it.
    assert re.search(r"(?i)no space left|could not|server closed|connection|500", said), said
    log = docker("logs", "--tail", "400", database, check=False)
    assert "No space left on device" in log
    _free(small.container("postgres"), "/var/lib/postgresql")
    small.up()
    for other in small.run_containers(all_states=False):
        docker("wait", other)
    end = time.monotonic() + 900
    while small.ask("{ runsOrError(filter: {statuses: [QUEUED, STARTING, STARTED]}) { ... on Runs { count } } }")[
        "runsOrError"
    ]["count"]:
        assert time.monotonic() < end
        time.sleep(2)
    # What was known before is known still, and work goes on.
    assert before
    assert before <= _successes(small)
    assert small.wait(small.launch("documents", key)) == "SUCCESS"
