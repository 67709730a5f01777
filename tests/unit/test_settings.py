"""Settings from the environment."""

from pathlib import Path

import pytest

from archive_pipeline.errors import UsageError
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)


def test_a_variable_that_is_set_but_empty_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_DPI", "")
    monkeypatch.setenv("ARCHIVE_STORE", "")
    assert read_settings().dpi == 300
    assert read_settings().store_dir == Path.cwd() / "archive-data" / "store"


def test_folders_lie_below_the_archive_home_unless_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_HOME", "/srv/archive")
    monkeypatch.setenv("ARCHIVE_STORE", "/mnt/store")
    settings = read_settings()
    assert settings.uploads_dir == Path("/srv/archive/uploads")
    assert settings.store_dir == Path("/mnt/store")


def test_no_folder_is_made_from_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    settings = read_settings()
    assert not any("somebody" in str(value) for value in settings.model_dump().values())


def test_a_field_is_not_read_from_a_variable_of_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DPI", "72")
    monkeypatch.setenv("dpi", "72")
    assert read_settings().dpi == 300


def test_what_is_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_ENGINE", "ppocr")
    assert read_settings(engine="kraken", dpi=None).engine == "kraken"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ARCHIVE_DPI", "many"), ("ARCHIVE_WORKERS", "0"), ("ARCHIVE_MAX_FAILED_PAGES", "2"), ("ARCHIVE_ENGINE", "magic")],
)
def test_a_value_that_cannot_be_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=f"{variable} cannot be '{value}'"):
        read_settings()


def test_processing_options_have_the_same_defaults_as_the_settings() -> None:
    settings = read_settings()
    assert ProcessingOptions.from_settings(settings) == ProcessingOptions(
        uploads_dir=settings.uploads_dir, models_dir=settings.models_dir
    )
