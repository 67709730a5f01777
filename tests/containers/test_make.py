"""``make up``, ``make register`` and ``make down``, as an operator types them."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from containers.conftest import POSTGRES_IMAGE
from containers.stack import ROOT, Stack, docker

Make = Callable[..., str]


@pytest.fixture
def made(image: str, uploads: Path) -> Iterator[tuple[Stack, Make]]:
    """An installation that is not there yet, and ``make`` for it."""
    stack = Stack("archive-made", 3997, uploads, image)

    def make(target: str, *, check: bool = True, **environment: str) -> str:
        done = subprocess.run(
            ["make", target, "ENVIRONMENT=production"],
            cwd=ROOT,
            env=os.environ | stack.environment | {"POSTGRES_IMAGE": POSTGRES_IMAGE} | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    make("down")
    yield stack, make
    make("down")
    volumes = docker("volume", "ls", "-q", "--filter", f"name={stack.project}_").split()
    if volumes:
        docker("volume", "rm", *volumes)


def test_an_installation_starts_takes_uploads_and_stops_with_its_runs(
    made: tuple[Stack, Make], scan: Callable[[str, int], Path]
) -> None:
    stack, make = made
    said = make("up")
    assert f"Dagster's UI: http://127.0.0.1:{stack.port} · results: http://127.0.0.1:{stack.port + 100} ·" in said
    assert f"drop scans into {stack.uploads}" in said
    # By its id, so that a new image under the same name does not change what the next run is.
    ids = {service: json.loads(docker("inspect", stack.container(service)))[0] for service in ("daemon", "postgres")}
    assert ids["daemon"]["Config"]["Image"] == ids["daemon"]["Image"] == docker("inspect", "-f", "{{.Id}}", stack.image)
    assert ids["postgres"]["Config"]["Image"] == ids["postgres"]["Image"]
    (stack.uploads / "made.pdf").write_bytes(scan("made.pdf", 60).read_bytes())
    assert "made.pdf" in make("register").split()
    _run, container = stack.started("documents", "made.pdf")
    assert json.loads(docker("inspect", container))[0]["Config"]["Image"] == ids["daemon"]["Image"]
    make("down")
    assert not docker("ps", "-aq", "--filter", f"name={stack.project}")
    assert not stack.run_containers()
    # Nothing holds the volumes any more, and all are still there.
    docker("volume", "rm", f"{stack.project}_cache-documents")
    assert f"{stack.project}_store" in docker("volume", "ls", "-q")


def test_an_upload_folder_that_is_missing_is_named(made: tuple[Stack, Make], tmp_path: Path) -> None:
    stack, make = made
    said = make("up", check=False, ARCHIVE_UPLOADS=str(tmp_path / "not-there"))
    assert f"There is no upload folder {tmp_path / 'not-there'}" in said
    assert not docker("ps", "-aq", "--filter", f"name={stack.project}")
