"""A real engine, the images, and installations; everything is removed again."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pikepdf
import pytest
from containers.outside import Outside, outside_host
from containers.stack import ROOT, Stack

from archive_pipeline.demo.pages import make_pdf

IMAGE = "archive-pipeline:under-test"
POSTGRES_IMAGE = "archive-pipeline-postgres:under-test"
HERE = Path(__file__).parent
_DRAWN = 5
REQUIRED = bool(os.environ.get("ARCHIVE_REQUIRE_ENGINE"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Last, so that the daemon of that installation does not look for uploads beside all other tests.
    items.sort(key=lambda item: "automatic" in getattr(item, "fixturenames", ()))
    for item in items:
        if item.path.is_relative_to(HERE) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(900))


def missing(what: str) -> None:
    """Skip for the lack of something, or fail where it is required, as in CI."""
    if REQUIRED:
        pytest.fail(f"{what}, and ARCHIVE_REQUIRE_ENGINE is set")
    pytest.skip(f"{what}: see CONTRIBUTING.md")


@pytest.fixture(scope="session")
def engine() -> None:
    if shutil.which("docker") is None:
        missing("no docker client")
    for command in (["docker", "version"], ["docker", "compose", "version"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            missing(f"`{' '.join(command)}` fails ({done.stderr.strip()[:200]})")


@pytest.fixture(scope="session")
def image(engine: None) -> str:
    names = {"ARCHIVE_IMAGE": IMAGE, "POSTGRES_IMAGE": POSTGRES_IMAGE}
    done = subprocess.run(
        [str(ROOT / "docker" / "build.sh"), "production"],
        env=os.environ | names,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    print(done.stdout)
    os.environ["POSTGRES_IMAGE"] = POSTGRES_IMAGE
    return IMAGE


@pytest.fixture(scope="session")
def uploads() -> Iterator[Path]:
    """A folder that uid 1000 may read: those of pytest are closed to others."""
    with tempfile.TemporaryDirectory(prefix="archive-uploads-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="session")
def stack(image: str, uploads: Path) -> Iterator[Stack]:
    """The installation that most tests share."""
    stack = Stack("archive-test", 3999, uploads, image)
    if not os.environ.get("ARCHIVE_KEEP_STACK"):
        stack.down("--volumes")
    stack.up()
    yield stack
    if not os.environ.get("ARCHIVE_KEEP_STACK"):
        stack.down("--volumes")


@pytest.fixture(scope="session")
def outside(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """A host beyond this one."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        missing("a network namespace needs root and iproute2")
    with outside_host(tmp_path_factory.mktemp("outside")) as host:
        yield host


@pytest.fixture(scope="session")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Path]:
    """Makes a scanned PDF of some pages, of which a few are drawn (that takes a second each) and then repeated."""
    folder = tmp_path_factory.mktemp("scans")
    drawn = folder / "drawn"
    make_pdf(drawn, pages=_DRAWN, lines=20)

    def make(name: str, pages: int) -> Path:
        with pikepdf.open(drawn) as source, pikepdf.new() as target:
            for index in range(pages):
                target.pages.append(source.pages[index % _DRAWN])
            target.save(folder / name)
        return folder / name

    return make


@pytest.fixture(scope="session")
def automatic(image: str) -> Iterator[Stack]:
    """An installation that takes uploads and ground truth in by itself, and may leave notes in both folders."""
    with tempfile.TemporaryDirectory(prefix="archive-automatic-") as name:
        uploads = Path(name) / "uploads"
        uploads.mkdir()
        Path(name).chmod(0o755)
        uploads.chmod(0o777)
        stack = Stack("archive-automatic", 3996, uploads, image, quiet_seconds=2)
        stack.down("--volumes")
        stack.up(automatic=True)
        stack.ground_truth.chmod(0o777)
        yield stack
        stack.down("--volumes")
