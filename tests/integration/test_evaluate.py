"""A model on text that is known, as people have it counted, and a second tool on the same lines."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from promoted import add_record
from stringalign.align import Inserted, Kept, align_strings
from stringalign.tokenize import UnicodeWordTokenizer

from archive_pipeline.demo.archive import write_truth
from archive_pipeline.demo.pages import jpeg, typed_page
from archive_pipeline.durable import read_json

DINGLEHOPPER = Path(__file__).parents[2] / ".venv-readers" / "bin" / "dinglehopper-line-dirs"
HAND = Path("shared", "data", "handwriting", "prudhommes-1858")
MODEL = ("--model", "ppocr-v6-latin")


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine typed pages in one hand."""
    folder = tmp_path_factory.mktemp("truth") / "acts"
    folder.mkdir()
    pages = []
    for number in range(1, 10):
        lines = [f"Akte {number} vom 3. Mai 191{number}", "an den Herrn Notar"]
        pixels, page = typed_page(number, lines, seed=number)
        (folder / f"{number:04d}.jpg").write_bytes(jpeg(pixels))
        pages.append(page)
    write_truth(folder, pages)
    (folder / "hand.yaml").write_text("writer: Notar Müller\nscript: Typescript\nlicence: CC0-1.0\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def evaluated(truth: Path, make_cli: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A folder, evaluated: what was printed, the JSON, the page."""
    home = tmp_path_factory.mktemp("folder")
    # Texts that are not there, so that there is something wrong.
    spoilt = Path(shutil.copytree(truth, home / "spoilt"))
    for path in spoilt.glob("*.xml"):
        path.write_text(path.read_text("utf-8").replace("Herrn Notar", "Heern, Notaar"), "utf-8")
    ran = make_cli(home)("evaluate", spoilt, *MODEL, "--json", home / "e.json", "--report", home / "e.html")
    return {"printed": ran.stdout, "json": read_json(home / "e.json"), "html": (home / "e.html").read_text("utf-8")}


def test_a_folder_is_read_on_its_own_lines_and_every_error_is_counted(evaluated: dict[str, Any]) -> None:
    found = evaluated["json"]
    lines = [line for page in found["pages"] for line in page["lines"]]
    assert [line["index"] for line in lines] == [0, 1] * 9
    cer = found["all"]["cer"]
    # Of 18 characters of each second line three are wrong at least: r for e, and one letter and one comma too many.
    assert 27 <= cer["errors"] <= 40
    assert cer["total"] == sum(len(line["truth"]) for line in lines)
    assert cer["percent"] == pytest.approx(100 * cer["errors"] / cer["total"])
    assert cer["pages"] == 9
    assert found["scripts"].keys() == {"Typescript"}
    assert found["documents"].keys() == {"spoilt"}
    assert {(each["truth"], each["read"]): each["count"] for each in found["confusions"]}["a", ""] >= 8
    assert f"{cer['errors']} wrong characters" in evaluated["printed"]
    assert found["left_out"] == {}


def test_the_page_has_pictures_of_the_lines_that_were_read_wrong(evaluated: dict[str, Any]) -> None:
    assert evaluated["html"].count('src="data:image/jpeg;base64,/9j/') >= 9
    assert "<mark>a</mark>" in evaluated["html"]


def test_a_second_tool_counts_the_same_errors_on_the_same_lines(evaluated: dict[str, Any], tmp_path: Path) -> None:
    """Characters are the same for both. Words are not: dinglehopper's are those of Unicode, without punctuation."""
    if not DINGLEHOPPER.exists():
        pytest.skip("the readers' environment is not there (make readers)")
    lines = [(line["truth"], line["read"]) for page in evaluated["json"]["pages"] for line in page["lines"]]
    told = counted_elsewhere(lines, tmp_path)
    cer, wer = evaluated["json"]["all"]["cer"], evaluated["json"]["all"]["wer"]
    assert told["n_characters"] == cer["total"]
    assert told["cer"] == pytest.approx(cer["errors"] / cer["total"])
    wrong, words = unicode_words(lines)
    assert told["n_words"] == words
    assert told["wer"] == pytest.approx(wrong / words)
    assert wer["total"] == sum(len(text.split()) for text, _ in lines)


def test_a_second_tool_takes_the_same_for_characters(tmp_path: Path) -> None:
    if not DINGLEHOPPER.exists():
        pytest.skip("the readers' environment is not there (make readers)")
    from archive_pipeline.evaluation.graphemes import line_errors

    lines = [
        ("ſind ſo", "sind ſo"),
        ("q\u0303ue per\u0303", "que pen"),
        ("\u0915\u094d\u0937\u093f \u0915", "\u0937\u093f \u0915"),
        ("\U0001f469\u200d\U0001f469\u200d\U0001f467 famille", "\U0001f469 famille"),
        ("\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
    ]
    ours = [line_errors(*pair) for pair in lines]
    told = counted_elsewhere(lines, tmp_path)
    assert told["n_characters"] == sum(each.characters for each in ours) == 30
    assert told["cer"] == pytest.approx(sum(each.errors for each in ours) / 30)


def counted_elsewhere(lines: list[tuple[str, str]], folder: Path) -> dict[str, float]:
    """What dinglehopper says of lines."""
    for number, (text, read) in enumerate(lines):
        for name, what in (("gt", text), ("ocr", read)):
            (folder / name).mkdir(exist_ok=True)
            (folder / name / f"{number:04d}.{name}.txt").write_text(what, "utf-8")
    environment = os.environ | {"HOME": str(folder), "PYTHONPATH": "", "PYTHONSAFEPATH": "1"}
    command = [str(DINGLEHOPPER), "gt", "ocr", "--plain-encoding", "utf-8"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, float] = json.loads((folder / "report.json").read_text("utf-8"))
    return told


def unicode_words(lines: list[tuple[str, str]]) -> tuple[int, int]:
    """Wrong words and words, where words are those of Unicode Standard Annex 29."""
    wrong = words = 0
    for text, read in lines:
        aligned, _ = align_strings(text, read, UnicodeWordTokenizer())
        wrong += sum(not isinstance(each, Kept) for each in aligned)
        words += sum(not isinstance(each, Inserted) for each in aligned)
    return wrong, words


def test_a_hand_is_judged_by_its_frozen_pages_once_and_never_by_what_the_model_was_trained_with(
    truth: Path, make_cli: Any, tmp_path: Path
) -> None:
    cli = make_cli(tmp_path / "home")
    cli("ground-truth", "import", truth, "--name", "acts")
    split = json.loads(cli("ground-truth", "split", "notar müller", "--json").stdout)
    assert (len(split["frozen"]), len(split["train"]), len(split["validate"])) == (6, 2, 1)
    first = cli("evaluate", "Notar Müller", *MODEL, "--json", tmp_path / "1.json")
    found = read_json(tmp_path / "1.json")
    assert [page["id"] for page in found["pages"]] == split["frozen"]
    assert found["all"]["cer"]["percent"] < 5
    (kept,) = (tmp_path / "home").rglob("ppocr-v6-latin-*.json")
    assert kept.parts[-3] == "evaluations"
    assert read_json(kept) == found
    written = kept.stat().st_mtime_ns
    again = cli("evaluate", "Notar Müller", *MODEL, "--json", tmp_path / "2.json")
    assert (again.stdout, read_json(tmp_path / "2.json")) == (first.stdout, found)
    assert kept.stat().st_mtime_ns == written
    add_record(tmp_path / "home" / "models", "ppocr-v6-latin", (found["pages"][2]["image_sha256"], ""))
    refused = cli("evaluate", "Notar Müller", *MODEL, check=False)
    assert refused.status == 6
    assert f"was trained with pages that it would be judged by: {found['pages'][2]['id']}" in refused.stderr


def test_what_cannot_be_evaluated_is_said_in_a_sentence(truth: Path, make_cli: Any, tmp_path: Path) -> None:
    cli = make_cli(tmp_path / "home")
    nobody = cli("evaluate", "Nobody", *MODEL, check=False)
    assert (nobody.status, "there is no ground truth of the hand Nobody" in nobody.stderr) == (2, True)
    few = tmp_path / "few"
    few.mkdir()
    for name in ("0001.xml", "0001.jpg", "0002.xml", "0002.jpg", "hand.yaml"):
        shutil.copy(truth / name, few / name)
    cli("ground-truth", "import", few, "--name", "few")
    refused = cli("evaluate", "Notar Müller", *MODEL, check=False)
    assert refused.status == 2
    assert "2 pages are too few to judge a model by: from 8 on, 6 are kept for that" in refused.stderr
    named = cli("ground-truth", "split", "Notar Müller", "--test", "few")
    assert "frozen: 2 pages, 4 lines" in named.stdout
    judged = cli("evaluate", "Notar Müller", *MODEL)
    assert "with 2 frozen pages no result can be shown, 6 are needed" in judged.stderr


def test_a_real_hand_is_read_badly_by_a_model_of_print(make_cli: Any, tmp_path: Path) -> None:
    """Two pages of the register of 1858; the figure is that of `models compare` on the same lines."""
    source = next((each / HAND for each in Path(__file__).parents if (each / HAND).is_dir()), None)
    if source is None:
        pytest.skip(f"there is no ../{HAND}")
    folder = tmp_path / "register"
    folder.mkdir()
    for name in ("001.xml", "001.jpg", "003.xml", "003.jpg"):
        shutil.copy(source / name, folder / name)
    cli = make_cli(tmp_path / "home")
    cli("evaluate", folder, *MODEL, "--json", tmp_path / "e.json")
    found = read_json(tmp_path / "e.json")["all"]
    assert (found["cer"]["total"], found["wer"]["total"]) == (2894, 482)
    assert 70 < found["cer"]["percent"] < 85
    compared = json.loads(cli("models", "compare", folder, *MODEL, *MODEL, "--json").stdout)
    assert compared["first"]["cer"]["percent"] == pytest.approx(found["cer"]["percent"])
    assert compared["first"]["wer"]["percent"] == pytest.approx(found["wer"]["percent"])
