"""The main job as in a hardened container: another uid, a read-only home, only the declared folders writable."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from archive_pipeline.demo.archive import DemoArchive

UID = 20_000 + os.getpid() % 40_000  # nobody's, and another one in each run: files of this uid are this run's


def _readable_by_all(folder: Path) -> None:
    for path in (folder, *folder.parents):
        mode = path.stat().st_mode
        if path.owner() == "root" and mode & 0o055 != 0o055 and path != Path("/"):
            path.chmod(mode | 0o055)


def _reach_interpreter(view: Path) -> list[str]:
    """Where the interpreter lies in a folder that others may not enter (root's own), show them a copy of the way."""
    base = Path(sys.base_prefix).resolve()
    closed = next((path for path in reversed(base.parents) if not path.stat().st_mode & 0o001), None)
    if closed is None:
        return []
    inside = view / base.relative_to(closed)
    inside.mkdir(parents=True)
    script = f'mount --bind "{base}" "{inside}" && mount --rbind "{view}" "{closed}" && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, "sh"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (package util-linux) is not installed")
def test_the_main_job_writes_only_where_it_is_told(demo: DemoArchive, tmp_path: Path) -> None:
    _readable_by_all(tmp_path)
    _readable_by_all(demo.ground_truth)
    home, archive, out = tmp_path / "home", tmp_path / "archive", tmp_path / "out"
    home.mkdir(mode=0o555)
    for folder in (archive, out):
        folder.mkdir()
        os.chown(folder, UID, UID)
    become = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--no-new-privs"]
    become = [*_reach_interpreter(tmp_path / "view"), *become]
    done = subprocess.run(
        [*become, sys.executable, "-m", "archive_pipeline.cli", "run", str(demo.documents[3]), "--out", str(out)],
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "ARCHIVE_HOME": str(archive),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        cwd="/",
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    written = [path for path in out.rglob("*") if path.is_file()]
    assert out / "postcards" / "document.pdf" in written
    assert {path.stat().st_uid for path in written} == {UID}
    assert list(home.iterdir()) == []
    strays = subprocess.run(
        ["find", *("/tmp", "/var/tmp", "/dev/shm"), "-xdev", "-uid", str(UID), "-not", "-path", f"{tmp_path}/*"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert strays.stdout == ""
