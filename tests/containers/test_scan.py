"""A scan through the run container, from the upload folder to a searchable PDF."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from containers.stack import ROOT, Stack, docker

REAL = ROOT.parent / "shared" / "data" / "pdf" / "journal-1914.pdf"


def _exports(stack: Stack, key: str, folder: Path) -> Path:
    """A document's exports, copied out of the store."""
    docker("cp", f"{stack.container('documents')}:/data/store/documents/{key}/exports", str(folder))
    return folder / "exports"


def _processed(stack: Stack, source: Path, folder: Path) -> Path:
    key = stack.upload(source)
    run = stack.launch("documents", key)
    assert stack.wait(run, 600) == "SUCCESS", stack.messages(run)
    (container,) = stack.run_containers(run)
    labels = json.loads(docker("inspect", "--format", "{{json .Config.Labels}}", container))
    assert labels["archive.location"] == "documents"
    assert "WARNING" not in docker("logs", container, check=False)
    return _exports(stack, key, folder)


def _words(text: str) -> list[str]:
    return text.split()


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (package poppler-utils) is not installed")
def test_a_drawn_scan_becomes_a_searchable_pdf(stack: Stack, scan: Callable[[str, int], Path], tmp_path: Path) -> None:
    exports = _processed(stack, scan("drawn.pdf", 3), tmp_path)
    text = (exports / "document.txt").read_text("utf-8")
    said = subprocess.run(
        ["pdftotext", "-raw", str(exports / "document.pdf"), "-"], capture_output=True, text=True, check=True
    )
    assert len(_words(text)) > 200
    assert _words(said.stdout) == _words(text)
    manifest = json.loads((exports / "manifest.json").read_text("utf-8"))
    assert [page["status"] for page in manifest["pages"]] == ["done"] * 3


@pytest.mark.skipif(not REAL.is_file(), reason="../shared is not here: no real scan")
def test_a_real_scan_becomes_a_searchable_pdf(stack: Stack, tmp_path: Path) -> None:
    exports = _processed(stack, REAL, tmp_path)
    text = (exports / "document.txt").read_text("utf-8")
    assert len(_words(text)) > 1000
    assert len(list((exports / "page").glob("*.xml"))) == 9
    assert (exports / "document.pdf").stat().st_size > REAL.stat().st_size * 0.9


def test_a_document_that_is_refused_is_named_in_the_ui(stack: Stack, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing more")
    run = stack.launch("documents", stack.upload(broken))
    assert stack.wait(run) == "FAILURE"
    said = stack.messages(run)
    assert "1 of 1 documents failed: broken.pdf" in said
    assert "Traceback" not in said
