"""Exports made again from stored pages."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from archive_pipeline.durable import read_json
from archive_pipeline.store import Store

KEY = "postcards"
_WITHOUT_ENGINE = """
import sys
from pathlib import Path
from archive_pipeline.processing.export_stage import export_stored
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.store import DocumentFolder
export_stored(DocumentFolder(Path(sys.argv[1])), ProcessingOptions(reuse=False))
print(sorted({"torch", "kraken", "onnxruntime", "cv2"} & sys.modules.keys()))
"""


@pytest.fixture(scope="module")
def archive(demo: Any, make_cli: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """The command line with a document that was run, and that document's source, which may be deleted."""
    home = tmp_path_factory.mktemp("exports")
    source = home / KEY
    shutil.copytree(demo.documents[3], source)
    cli = make_cli(home / "data")
    cli("run", source, "--formats", "text")
    return cli, source


def folder_of(cli: Any) -> Path:
    return Store(cli.home / "store").document(KEY).root  # type: ignore[arg-type]


def formats(folder: Path) -> list[str]:
    return sorted(read_json(folder / "manifest.json")["formats"])


def test_a_correction_is_in_all_exports_after_they_are_made_again(archive: Any, tmp_path: Path) -> None:
    cli, _ = archive
    folder = folder_of(cli)
    assert formats(folder / "exports") == ["text"]
    line = read_json(folder / "transcriptions" / "0001.json")["page"]["regions"][0]["lines"][0]["id"]
    (folder / "corrections").mkdir(exist_ok=True)
    (folder / "corrections" / "0001.json").write_text(json.dumps({line: "Corrigé"}), "utf-8")
    ran = cli("export", KEY, "--formats", "text,page,pdf", "--out", tmp_path)
    assert ran.stdout == f"{KEY} → {tmp_path / KEY}\n"
    assert formats(tmp_path / KEY) == ["page", "pdf", "text"]
    assert (tmp_path / KEY / "document.txt").read_text("utf-8").startswith("Corrigé\n")
    assert "Corrigé" in (tmp_path / KEY / "page" / "0001.xml").read_text("utf-8")
    # The document's own are as they were, until they are asked for.
    assert formats(folder / "exports") == ["text"]
    assert "Corrigé" not in (folder / "exports" / "document.txt").read_text("utf-8")
    assert not list(folder.glob(".exports-*"))
    cli("export", KEY, "--formats", "text")
    assert "Corrigé" in (folder / "exports" / "document.txt").read_text("utf-8")
    (folder / "corrections" / "0001.json").unlink()


def test_no_engine_is_loaded(archive: Any) -> None:
    cli, _ = archive
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_ENGINE, str(folder_of(cli))], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_without_the_source_all_but_the_pdf_can_be_made(archive: Any) -> None:
    cli, source = archive
    shutil.move(source, source.with_name("away"))
    try:
        assert cli("export", KEY, "--formats", "text,json").status == 0
        ran = cli("export", KEY, check=False)
    finally:
        shutil.move(source.with_name("away"), source)
    assert ran.status != 0
    assert f"Error: {KEY}: the PDF needs the source" in ran.stderr
    assert "--formats without pdf" in ran.stderr
    assert formats(folder_of(cli) / "exports") == ["json", "text"]


def test_what_is_not_there_is_named_and_the_rest_is_done(archive: Any, tmp_path: Path) -> None:
    cli, _ = archive
    (tmp_path / "other.pdf").write_bytes(b"%PDF-1.7")
    cli("register", tmp_path / "other.pdf")
    ran = cli("export", "no-such", "other.pdf", "uploads/Postcard", KEY, "--formats", "text", check=False)
    assert ran.status != 0
    assert ran.status == 2
    assert ran.stdout.startswith(f"{KEY} → ")
    assert "Error: there is no document 'no-such'. `register` prints the keys" in ran.stderr
    assert "Error: there is no document 'uploads/Postcard'. Did you mean postcards?" in ran.stderr
    assert "Error: other.pdf: nothing of it is stored yet. Run it first." in ran.stderr


def test_a_correction_of_a_line_that_is_not_there_is_told(archive: Any) -> None:
    cli, _ = archive
    folder = folder_of(cli)
    (folder / "corrections").mkdir(exist_ok=True)
    (folder / "corrections" / "0001.json").write_text(json.dumps({"r99l9": "x"}), "utf-8")
    ran = cli("export", KEY, "--formats", "text")
    (folder / "corrections" / "0001.json").unlink()
    assert f"{KEY}: Page 1: corrections/0001.json corrects lines that are not on the page: r99l9." in ran.stderr


def test_a_format_that_is_none_is_refused_before_anything_is_done(archive: Any) -> None:
    cli, _ = archive
    for ran in (
        cli("export", KEY, "--formats", "docx", check=False),
        cli("run", "x.pdf", "--formats", "docx", check=False),
        cli("export", KEY, check=False, ARCHIVE_FORMATS="text,docx"),
    ):
        assert ran.status == 2
        assert "there is no export format 'docx'" in ran.stderr
