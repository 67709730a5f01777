"""Models in Dagster: an asset for each entry, fetched by a click, never without consent, verified every time."""

import hashlib
import http.server
import re
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import dagster as dg
import pytest
import yaml

from archive_pipeline.library_folders import fill_in
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models_definitions import build
from archive_pipeline.settings import Settings, read_settings
from assets.models import GROUP, model_assets, model_checks, model_key
from resources.models import ModelsResource

BUNDLED = "kraken-blla"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path))
    settings = read_settings()
    settings.models_dir.mkdir()
    return settings


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server, and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", folder
        server.shutdown()
        thread.join()


def _own(settings: Settings, url: str, data: bytes, **changes: object) -> None:
    """An operator's entry for a copy of the bundled segmenter."""
    entry = {
        "id": "our-blla",
        "task": "segmentation",
        "engine": "kraken",
        "licence": "Apache-2.0",
        "source": {"kind": "web", "url": url},
        "files": [{"name": "ours.mlmodel", "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}],
        "good_for": "our letters",
    }
    (settings.models_dir / "catalogue.yaml").write_text(yaml.safe_dump([entry | changes]), "utf-8")


def _materialise(
    settings: Settings, model: str, *, checked: bool = False, **config: object
) -> dg.ExecuteInProcessResult:
    library = ModelLibrary(settings.models_dir)
    selection = dg.AssetSelection.assets(model_key(library.catalogue.find(model)))
    return dg.materialize(
        [*model_assets(library), *model_checks(library)],
        # The check takes its time: it has a test of its own.
        selection=selection if checked else selection.without_checks(),
        resources={"models": ModelsResource.from_settings(settings)},
        run_config={"ops": {f"model_{model.replace('-', '_')}": {"config": config}}} if config else {},
        raise_on_error=False,
    )


def _models(settings: Settings) -> set[dg.AssetKey]:
    graph = build(settings).resolve_asset_graph()
    return {key for key in graph.get_all_asset_keys() if graph.get(key).group_name == GROUP}


def _reason(result: dg.ExecuteInProcessResult) -> str:
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    return str(failure.step_failure_data.error)


def test_every_entry_is_an_asset_that_says_licence_size_and_citation(settings: Settings) -> None:
    graph = build(settings).resolve_asset_graph()
    entries = list(ModelLibrary(settings.models_dir).catalogue)
    assert {model_key(entry) for entry in entries} == _models(settings)
    metadata = graph.get(model_key(entries[0])).metadata
    assert {"licence", "citation", "source", "sha256", "bytes", "languages", "engine"} <= metadata.keys()


def test_ids_that_differ_in_a_mark_alone_are_assets_of_their_own(settings: Settings) -> None:
    first, *_ = (entry for entry in ModelLibrary().catalogue if entry.id == "mccatmus")
    ids = ("our-hand", "our_hand", "our.hand", "ourhand", "our--hand", "our-_hand")
    ours = [first.model_dump(mode="json") | {"id": model_id} for model_id in ids]
    (settings.models_dir / "catalogue.yaml").write_text(yaml.safe_dump(ours), "utf-8")
    assert len(_models(settings)) == len(list(ModelLibrary().catalogue)) + len(ids)


def test_a_bundled_model_is_verified_and_its_check_shows_what_it_read_and_how_well(settings: Settings) -> None:
    result = _materialise(settings, "ppocr-v6-latin", checked=True)
    assert result.success
    (event,) = result.get_asset_materialization_events()
    assert str(event.materialization.metadata["sha256"].value).startswith("6f327246b503")
    (check,) = result.get_asset_check_evaluations()
    assert check.check_name == "loads_and_reads"
    assert check.passed
    assert 0 <= float(str(check.metadata["CER %"].value)) < 5
    assert str(check.metadata["read"].value)[:8] == str(check.metadata["on the page"].value)[:8]


def test_a_model_of_the_operators_own_catalogue_is_fetched_by_materialising_it(
    settings: Settings, served: tuple[str, Path]
) -> None:
    # A container of protocol buffers may have an unknown field at its end: other bytes, the same model.
    data = ModelLibrary().installed(BUNDLED).read() + b"\xfa\x3f\x00"
    (served[1] / "ours.mlmodel").write_bytes(data)
    _own(settings, served[0], data)
    result = _materialise(settings, "our-blla")
    assert result.success, _reason(result)
    (event,) = result.get_asset_materialization_events()
    assert event.materialization.metadata["fetched just now"].value is True
    assert ModelLibrary(settings.models_dir).installed("our-blla").path.read_bytes() == data


@pytest.mark.parametrize(
    ("promised", "wrong"),
    [
        (b"what was promised", "14 bytes instead of 17"),
        (b"as long as it.", "SHA-256 [0-9a-f]{64} instead of [0-9a-f]{64}"),
    ],
    ids=["size", "digest"],
)
def test_a_model_that_is_not_what_it_must_be_fails_with_the_reason_and_is_not_there(
    settings: Settings, served: tuple[str, Path], promised: bytes, wrong: str
) -> None:
    (served[1] / "ours.mlmodel").write_bytes(b"something else")
    _own(settings, served[0], promised)
    result = _materialise(settings, "our-blla")
    assert not result.success
    assert re.search(rf"gave is not ours\.mlmodel: {wrong}", _reason(result)), _reason(result)
    assert list(settings.models_dir.glob("*/*.mlmodel")) == []


def test_a_licence_with_conditions_is_agreed_to_first(settings: Settings, served: tuple[str, Path]) -> None:
    data = ModelLibrary().installed(BUNDLED).read() + b"\xfa\x3f\x00"
    (served[1] / "ours.mlmodel").write_bytes(data)
    _own(settings, served[0], data, licence_note="Not for companies.")
    result = _materialise(settings, "our-blla")
    assert not result.success
    assert "Not for companies. If you agree, set agree_to_licence to true" in _reason(result)
    assert _materialise(settings, "our-blla", agree_to_licence=True).success
    # Once it is here, nobody is asked again.
    assert _materialise(settings, "our-blla").success


def test_the_job_finds_a_flipped_bit_and_passes_over_what_was_never_fetched(
    settings: Settings, served: tuple[str, Path]
) -> None:
    data = ModelLibrary().installed(BUNDLED).read() + b"\xfa\x3f\x00"
    (served[1] / "ours.mlmodel").write_bytes(data)
    _own(settings, served[0], data)
    job = build(settings).resolve_job_def("models_job")
    assert job.execute_in_process().success
    assert _materialise(settings, "our-blla").success
    path = ModelLibrary(settings.models_dir).installed("our-blla").path
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    result = job.execute_in_process(raise_on_error=False)
    assert not result.success
    assert "our-blla is damaged" in _reason(result)
    assert "models fetch our-blla" in _reason(result)


def test_no_path_of_the_libraries_is_below_the_home(settings: Settings) -> None:
    environment: dict[str, str] = {"HF_HOME": "", "HOME": "/home/somebody"}
    fill_in(environment, settings.models_dir, settings.home / "cache")
    assert all("/home/somebody" not in value for name, value in environment.items() if name != "HOME")
    assert environment["HF_HOME"]
