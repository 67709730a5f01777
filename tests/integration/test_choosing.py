"""Settings beside the scans, and two models compared, as people use them."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from archive_pipeline.demo.archive import write_truth
from archive_pipeline.demo.pages import jpeg, make_pdf, typed_page
from archive_pipeline.durable import read_json
from archive_pipeline.page import Page

SIDECAR = "b.pdf.archive.yaml"


@pytest.fixture(scope="module")
def choosing_run(make_cli: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Three documents: one without settings, one with its own, one with settings that cannot be obeyed."""
    home = tmp_path_factory.mktemp("choosing")
    uploads = home / "uploads"
    for name in ("a.pdf", "b.pdf", "broken/c.pdf"):
        (uploads / name).parent.mkdir(parents=True, exist_ok=True)
        make_pdf(uploads / name, 1, seed=ord(name[-5]), lines=3)
    (uploads / SIDECAR).write_text("language: deu\nsegmentation_model: kraken-blla\nhand: Notar Müller\n", "utf-8")
    (uploads / "broken" / "archive.yaml").write_text("language: de\nlangauge: fr\n")
    cli = make_cli(home)
    return cli, home, cli("run", uploads, "--out", home / "out", "--json", check=False)


def manifest(home: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = read_json(home / "out" / name / "manifest.json")
    return found


def test_each_document_is_read_as_its_settings_say(choosing_run: Any) -> None:
    _, home, ran = choosing_run
    plain, own = manifest(home, "a.pdf"), manifest(home, "b.pdf")
    assert [step["engine"] for step in plain["steps"]] == ["ppocr", "ppocr"]
    assert [step["engine"] for step in own["steps"]] == ["kraken", "ppocr"]
    assert own["chosen"]["engine"] == {"value": "kraken", "from": SIDECAR}
    assert own["chosen"]["hand"] == {"value": "Notar Müller", "from": SIDECAR}
    assert own["chosen"]["model"] == {"value": "ppocr-v6-latin", "from": "built in"}
    assert ran.documents["b.pdf"]["chosen"] == own["chosen"]
    assert "language" not in plain["chosen"]


def test_the_exports_carry_the_language(choosing_run: Any) -> None:
    _, home, _ = choosing_run
    out = home / "out"
    assert read_json(out / "b.pdf" / "pages" / "0001.json")["language"] == "de"
    assert read_json(out / "a.pdf" / "pages" / "0001.json")["language"] is None
    for name, mark in [("alto/0001.xml", 'LANG="de"'), ("hocr/0001.hocr", 'lang="de"'), ("page/0001.xml", '"de"')]:
        assert mark in (out / "b.pdf" / name).read_text("utf-8"), name
        assert mark not in (out / "a.pdf" / name).read_text("utf-8"), name


def test_broken_settings_refuse_their_document_alone_and_say_why(choosing_run: Any) -> None:
    _, _, ran = choosing_run
    assert ran.status == 3
    (name,) = {name for name, row in ran.documents.items() if row["error"]}
    assert ran.documents[name]["error"]["message"] == (
        f"{name}: broken/archive.yaml, line 2: there is no field 'langauge'. Did you mean language?"
    )
    assert ran.documents[name]["chosen"] is None


def test_another_language_makes_the_exports_again_and_reads_nothing(choosing_run: Any) -> None:
    cli, home, _ = choosing_run
    (home / "uploads" / SIDECAR).write_text("language: it\nengine: kraken\n")
    ran = cli("run", home / "uploads" / "b.pdf", "--out", home / "out")
    assert "page 1: unchanged" in ran.stderr
    assert f"b.pdf: engine kraken ({SIDECAR})" in ran.stderr
    assert read_json(home / "out" / "b.pdf" / "pages" / "0001.json")["language"] == "it"
    assert "hand" not in manifest(home, "b.pdf")["chosen"]
    cli("run", home / "uploads" / "b.pdf", "--language", "fra", "--out", home / "out")
    assert manifest(home, "b.pdf")["chosen"]["language"] == {"value": "fr", "from": "options of the run"}


def test_a_dry_run_shows_what_each_document_would_be_read_with(choosing_run: Any) -> None:
    cli, home, _ = choosing_run
    (home / "uploads" / SIDECAR).write_text("direction: rtl\nengine: kraken\n")
    ran = cli("run", home / "uploads" / "a.pdf", home / "uploads" / "b.pdf", "--dry-run", "--json")
    assert ran.documents["a.pdf"]["chosen"]["segmentation_model"]["value"] == "ppocr-v6-detection"
    assert ran.documents["b.pdf"]["chosen"]["direction"] == {"value": "rtl", "from": SIDECAR}
    table = cli("run", home / "uploads" / "a.pdf", "--dry-run", "--engine", "kraken").stdout
    assert "kraken-blla (built in)" in table


@pytest.mark.parametrize(
    ("option", "value", "status"),
    [("--language", "xx", 2), ("--engine", "none", 2), ("--model", "none", 6), ("--direction", "up", 2)],
)
def test_a_wrong_option_is_an_error_of_the_command(choosing_run: Any, option: str, value: str, status: int) -> None:
    cli, home, _ = choosing_run
    ran = cli("run", home / "uploads" / "a.pdf", option, value, check=False)
    assert ran.status == status
    assert value in ran.stderr


@pytest.fixture(scope="module")
def ground_truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("truth")
    pages: list[Page] = []
    for number in range(1, 8):
        pixels, page = typed_page(number, [f"Akte {number} vom 3. Mai 191{number}", "an den Herrn Notar"], seed=number)
        (folder / f"{number:04d}.jpg").write_bytes(jpeg(pixels))
        pages.append(page)
    write_truth(folder, pages)
    return folder


def test_a_model_against_itself_shows_no_difference(make_cli: Any, tmp_path: Path, ground_truth: Path) -> None:
    both = ["--model", "ppocr-v6-latin", "--model", "ppocr-v6-latin"]
    ran = make_cli(tmp_path)("models", "compare", ground_truth, *both, "--json")
    result = json.loads(ran.stdout)
    assert result["verdict"] == "No difference: ppocr-v6-latin and ppocr-v6-latin make as many errors on 7 pages."
    assert not result["is_real"]
    assert result["cer"]["p"] == 1
    assert len(result["pages"]) == 7
    assert result["characters"] == sum(page["first"]["characters"] for page in result["pages"]) > 200
    assert result["first"]["cer"]["percent"] < 5  # it did read


def test_a_page_that_cannot_be_compared_counts_for_neither_and_is_named(
    make_cli: Any, tmp_path: Path, ground_truth: Path
) -> None:
    folder = tmp_path / "truth"
    folder.mkdir()
    for name in ("0001", "0002", "0003"):
        for suffix in (".jpg", ".xml"):
            (folder / name).with_suffix(suffix).write_bytes((ground_truth / name).with_suffix(suffix).read_bytes())
    Image.open(folder / "0002.jpg").resize((800, 1131)).save(folder / "0002.jpg")
    (folder / "0003.xml").write_text("<not-page/>")
    both = ["--model", "ppocr-v6-latin", "--model", "ppocr-v6-latin"]
    ran = make_cli(tmp_path)("models", "compare", folder, *both, check=False)
    assert ran.status == 4
    assert "1 pages" in ran.stdout
    assert "0002.jpg: its ground truth is of an image of 1654 x 2339 pixels, this one has 800 x 1131" in ran.stderr
    assert "neither PAGE nor ALTO" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--model", "ppocr-v6-latin"], "1 model was given"),
        (["--model", "a", "--model", "b", "--engine", "kraken"], "Add --lines engine"),
        (["--model", "ppocr-v6-latin", "--model", "none"], "there is no recognition model 'none'"),
    ],
)
def test_a_comparison_that_cannot_be_made_says_why(
    make_cli: Any, tmp_path: Path, ground_truth: Path, arguments: list[str], what: str
) -> None:
    ran = make_cli(tmp_path)("models", "compare", ground_truth, *arguments, check=False)
    assert ran.status in (2, 6)
    assert what in ran.stderr
