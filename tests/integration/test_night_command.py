"""``archive-pipeline night``: the plan with its cost, and a night by hand."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw

from archive_pipeline.cli import cli
from archive_pipeline.demo.typing import font
from archive_pipeline.errors import UsageError


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path / "archive"))
    monkeypatch.setenv("ARCHIVE_TIMEZONE", "Europe/Paris")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "archive" / "dagster"))
    uploads = tmp_path / "archive" / "uploads"
    uploads.mkdir(parents=True)
    for name in ("a.png", "b.png"):
        image = Image.new("L", (500, 120), "white")
        ImageDraw.Draw(image).text((40, 40), f"text {name}", font=font(40), fill=0)
        image.save(uploads / name)
    assert _called("register")[0] == 0
    return uploads


def _called(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, list(arguments), catch_exceptions=False)
    return result.exit_code, result.stdout


def _plan() -> dict[str, Any]:
    status, output = _called("night", "--dry-run", "--json")
    assert status == 0
    plan: dict[str, Any] = json.loads(output)
    return plan


def test_a_dry_run_says_what_is_to_be_done_and_what_it_costs_and_does_nothing(uploads: Path) -> None:
    plan = _plan()
    assert plan["documents"] == 2
    (reason,) = plan["reasons"]
    # Four pages at five seconds are the guess for a document that nobody has seen, and two seconds beside them.
    assert (reason["why"], reason["documents"], reason["pages"]) == ("missing", 2, 8)
    assert reason["hours"] == pytest.approx(2 * 22 / 3600, abs=0.001)
    assert (plan["fits"]["documents"], plan["fits"]["runs"]) == (2, 1)
    assert [row["document"] for row in plan["first"]] == ["a.png", "b.png"]
    assert plan["night"]["timezone"] == "Europe/Paris"
    assert plan["night"]["begins"][11:16] == "22:00"
    assert _plan()["reasons"] == plan["reasons"]
    status, text = _called("night", "--dry-run")
    assert status == 0
    assert "2 documents, 2 of them worth a run" in text
    assert "In this night: 2 documents in 1 runs" in text


def test_a_night_by_hand_does_what_is_missing_and_leaves_nothing(uploads: Path) -> None:
    (uploads / "b.png").write_bytes(b"this is no image\n" * 10)
    status, output = _called("night", "--json")
    assert status == 3
    rows = {row["document"]: row for row in json.loads(output)["documents"]}
    assert rows["a.png"]["pages"] == 1
    assert rows["b.png"]["error"]["code"] == "UnsupportedType"
    assert _plan()["reasons"] == []


def test_without_nights_the_command_says_which_setting_is_off(uploads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_NIGHT", "off")
    with pytest.raises(UsageError, match="ARCHIVE_NIGHT is off"):
        _called("night", "--dry-run")


def test_the_benchmark_of_the_plan_counts_what_it_has_invented(uploads: Path) -> None:
    status, output = _called("bench", "plan", "--documents", "300")
    assert status == 0
    assert "30 worth a run, 0 not looked at for lack of time" in output
    assert "tick of the schedule" in output
