"""Settings from the environment."""

from pathlib import Path

import pytest

from archive_pipeline.deployment import Deployment
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


@pytest.mark.parametrize(
    "address",
    [
        "http://surya:99999/v1",
        "http://surya:abc/v1",
        "http://surya:0/v1",
        "http://[::1/v1",
        "http://.surya:80/v1",
        f"http://{'s' * 64}/v1",
        "http://:80/v1",
        "http://user:word@surya/v1",
        "http://surya/v1?key=1",
        "surya:8000",
        "ftp://surya",
    ],
)
def test_an_address_that_no_connection_can_be_made_to_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("SURYA_INFERENCE_URL", address)
    with pytest.raises(UsageError, match=r"SURYA_INFERENCE_URL cannot be .*: it (is no|must)"):
        read_settings()
    with pytest.raises(ValueError, match="surya_url"):
        Deployment(
            project="p",
            image="i",
            uploads="/srv/u",
            ground_truth="/srv/g",
            run_memory="2g",
            run_cpus=1,
            surya_url=address,
        )


@pytest.mark.parametrize(
    "address", ["http://surya:8000/v1", "https://gpu.example", "http://[::1]:80/v1", "http://1.2.3.4"]
)
def test_an_address_is_kept_as_it_is_written(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("SURYA_INFERENCE_URL", address)
    assert read_settings().surya_url == address


def test_processing_options_have_the_same_defaults_as_the_settings() -> None:
    settings = read_settings()
    assert ProcessingOptions.from_settings(settings) == ProcessingOptions(
        uploads_dir=settings.uploads_dir, models_dir=settings.models_dir
    )
