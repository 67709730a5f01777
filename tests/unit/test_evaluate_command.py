"""Which of the two a name means: a hand, or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archive_pipeline.cli import evaluate
from archive_pipeline.cli.evaluate import _split_of
from archive_pipeline.errors import StorageError, UsageError
from archive_pipeline.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """With one hand, Jean, and folders of the names Jean and Marie in the working directory."""

    def split(_: Any, hand: str) -> str:
        if hand != "Jean":
            raise UsageError(f"there is no hand {hand}", remedy="Choose one of: Jean.")
        return "pages of Jean"

    monkeypatch.setattr(evaluate.training_places, "split", split)
    monkeypatch.chdir(tmp_path)
    for name in ("Jean", "Marie"):
        Path(name).mkdir()
    return Settings()


def meant(settings: Settings, what: str) -> Any:
    return _split_of(settings, what, Path(what))


def test_a_hand_is_meant_where_a_folder_has_its_name_too(settings: Settings) -> None:
    assert meant(settings, "Jean") == "pages of Jean"


@pytest.mark.parametrize("what", ["./Jean", "Jean/", "Marie"])
def test_a_folder_is_meant_by_a_slash_or_where_no_hand_has_its_name(settings: Settings, what: str) -> None:
    assert meant(settings, what) is None


@pytest.mark.parametrize("what", ["Paul", "./Paul"])
def test_what_is_neither_is_said_with_both_remedies(settings: Settings, what: str) -> None:
    with pytest.raises(UsageError, match="there is no hand") as error:
        meant(settings, what)
    assert error.value.remedy == "Choose one of: Jean. Or give a folder or ZIP that is there."


@pytest.mark.parametrize(
    ("what", "remedy"),
    [
        ("Marie", "Import it again. Or, if the folder or ZIP of that name is meant, write ./Marie"),
        ("Paul", "Import it again."),
    ],
    ids=["there-is-a-folder", "there-is-none"],
)
def test_where_damage_hides_which_hands_there_are_the_way_to_the_folder_is_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, what: str, remedy: str
) -> None:
    def split(*_: object) -> None:
        raise StorageError("sets/others/set.json is damaged", remedy="Import it again.")

    monkeypatch.setattr(evaluate.training_places, "split", split)
    with pytest.raises(StorageError, match=r"others/set\.json is damaged") as error:
        meant(settings, what)
    assert error.value.remedy == remedy
    assert meant(settings, "./Marie") is None
