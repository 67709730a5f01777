"""The same in PostgreSQL, which the containers use."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from forgettable import NAME, Archive, forget

from archive_pipeline.cli.instance import open_instance
from archive_pipeline.history.runs import sweep_runs

pytestmark = pytest.mark.timeout(1500)
TOOLS = ("initdb", "pg_ctl", "pg_dump")
# Debian keeps the server's programs out of the way.
PLACES = os.pathsep.join([os.environ["PATH"], *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))])


def program(name: str) -> str | None:
    return shutil.which(name, path=PLACES)


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    """The folder with the socket of a PostgreSQL server of our own."""
    if missing := [tool for tool in TOOLS if program(tool) is None]:
        pytest.skip(f"needs PostgreSQL: there is no {', '.join(missing)}")
    # Short, for a socket's path has at most 107 bytes; and the server refuses to be root.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    folder.chmod(0o777)
    user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []

    def call(*command: str) -> None:
        name, *arguments = command
        subprocess.run(
            [*user, str(program(name)), *arguments], check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=400
        )

    # Nothing waits for the disk, to which the tests beside it write gigabytes.
    data = str(folder / "data")
    options = f"-c listen_addresses= -c fsync=off -c unix_socket_directories={folder}"
    try:
        call("initdb", "--no-sync", "-D", data, "-U", "dagster", "--auth=trust", "--encoding=UTF8", "--locale=C")
        call("pg_ctl", "-D", data, "-w", "-t", "300", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield folder
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def archive(tmp_path: Path, socket: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path / "archive"))
    monkeypatch.setenv("ARCHIVE_WORKERS", "1")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "archive" / "dagster"))
    (tmp_path / "archive" / "dagster").mkdir(parents=True)
    (tmp_path / "archive" / "dagster" / "dagster.yaml").write_text(
        f"storage: {{postgres: {{postgres_url: 'postgresql+psycopg2://dagster@/postgres?host={socket}'}}}}\n"
        "telemetry: {enabled: false}\n"
    )
    return Archive(tmp_path / "archive")


def dump(socket: Path) -> str:
    command = [str(program("pg_dump")), "-h", str(socket), "-U", "dagster", "postgres"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout.lower()


def test_nothing_of_a_forgotten_document_is_left_in_the_database(archive: Archive, socket: Path) -> None:
    names = ["amsel 1.png", NAME, "amsel 2.png"]
    archive.make(names)
    assert dump(socket).count("zebrafink") > 20
    (archive.settings.uploads_dir / NAME).unlink()
    told = forget(archive.key)
    assert "zebrafink" not in dump(socket)
    assert archive.naming() == []
    assert any("VACUUM FULL" in line for line in told["beyond"])
    assert archive.done("amsel 1.png")
    assert archive.done("amsel 2.png")
    with open_instance(archive.settings.dagster_home) as instance:
        swept = sweep_runs(instance, time.time() + 60)
    assert (swept.removed, swept.kept) == (0, 1)
    assert archive.done("amsel 1.png")
