"""What a store remembers of its models: an id is given away once, and what is damaged is told of and not guessed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from model_server import DATA, RECORD, ModelServer, safetensors, serving, take_it

from archive_pipeline.cli import doctor
from archive_pipeline.cli.models import fetching, models
from archive_pipeline.errors import ArchiveError, ModelError, UsageError
from archive_pipeline.models.entry import ModelEntry, Zenodo
from archive_pipeline.models.fetch import put
from archive_pipeline.models.importing import Description, import_model
from archive_pipeline.models.kept import entry_path, keep_entry, pin_path
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.network import Network

HAND = Description(task="recognition", engine="kraken")
OURS = "catmus-print-large"
"""An id of our own catalogue."""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model store of an installation whose models are not loaded when they come."""
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path))
    for name in ("MODELS_DIR", "ARCHIVE_STORE", "ARCHIVE_OFFLINE", "SURYA_INFERENCE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(fetching, "sealed_look", take_it)
    (tmp_path / "store" / "documents").mkdir(parents=True)
    return tmp_path / "models"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """Its record makes an entry of the id that is asked for; that its card is read has tests of its own."""

    def read_entry(_: str, model_id: str, __: Network) -> ModelEntry:
        return server.entry("zenodo", verified=False, id=model_id or f"zenodo-{RECORD}")

    with serving() as server:
        monkeypatch.setenv("MODEL_REPO_URL", f"{server.url}/api/")
        monkeypatch.setattr(fetching, "read_entry", read_entry)
        yield server


def run(*arguments: object) -> Result:
    return CliRunner().invoke(models, [str(argument) for argument in arguments])


def imported(root: Path, model_id: str, data: bytes = DATA) -> ModelEntry:
    usb = root.parent / "usb"
    usb.mkdir(exist_ok=True)
    (usb / "hand.safetensors").write_bytes(data)
    import_model(root, usb / "hand.safetensors", model_id, HAND, check=take_it)
    return ModelLibrary(root).catalogue.find(model_id)


def kept_under_our_id(root: Path) -> ModelEntry:
    """An imported model whose id an upgrade brought to our own catalogue."""
    entry = imported(root, "hand").model_copy(update={"id": OURS})
    entry_path(root, "hand").unlink()
    keep_entry(root, entry)
    return entry


def doctors_findings(root: Path) -> dict[str, doctor.Finding]:
    return {finding.what: finding for finding in doctor._models(root)}


class TestIds:
    @pytest.mark.parametrize("taken", [OURS, "kraken-blla", "hand"])
    def test_a_model_is_not_fetched_under_the_id_of_another(self, server: ModelServer, root: Path, taken: str) -> None:
        imported(root, "hand")
        ran = run("fetch", f"doi:10.5281/zenodo.{RECORD}", "--id", taken)
        assert ran.exit_code == UsageError.exit_code
        assert f"there is another model '{taken}'. Choose another id with --id" in ran.stderr
        assert server.transfers() == []
        ModelLibrary(root)

    def test_the_doi_of_all_versions_finds_the_newest_one_that_is_here(self, server: ModelServer, root: Path) -> None:
        assert run("fetch", f"doi:10.5281/zenodo.{RECORD}").exit_code == 0
        ran = run("fetch", f"doi:10.5281/zenodo.{RECORD - 1}")
        assert ran.exit_code == 0, ran.output
        assert f"zenodo-{RECORD}: here already" in ran.stdout

    def test_an_id_that_another_process_took_meanwhile_is_refused_before_anything_is_fetched(
        self, server: ModelServer, root: Path
    ) -> None:
        entry = server.entry("zenodo", verified=False)
        view = ModelLibrary(root).adding(entry)
        keep_entry(root, entry.model_copy(update={"source": Zenodo(kind="zenodo", doi="10.5281/zenodo.1")}))
        with pytest.raises(UsageError, match="there is another model 'model'"):
            put(view, entry, lambda *_: pytest.fail("it was fetched"), check=take_it, keep=True)

    def test_an_id_that_an_upgrade_brings_passes_over_the_one_that_was_kept_and_keeps_its_model(
        self, root: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        entry = kept_under_our_id(root)
        library = ModelLibrary(root)
        assert isinstance(library.catalogue.find(OURS).source, Zenodo)
        assert library.passed_over == (entry,)
        assert f"model {OURS}, imported from hand.safetensors, is passed over" in caplog.text
        finding = doctors_findings(root)[f"model {OURS}"]
        assert not finding.ok
        assert f"with another --id, then delete entries/{OURS}.json" in finding.remedy
        assert run("prune").stdout == "There is nothing to remove.\n"
        assert (root / str(entry.digest)).is_dir()

    def test_a_model_that_is_passed_over_is_not_taken_for_the_catalogues(self, root: Path) -> None:
        kept_under_our_id(root)
        with pytest.raises(ModelError, match=r"catmus-print-fondue-large\.mlmodel is missing"):
            import_model(root, root.parent / "usb" / "hand.safetensors", OURS, None, check=take_it)

    def test_an_operators_catalogue_does_not_take_the_id_of_an_imported_model(self, root: Path) -> None:
        entry = imported(root, "hand")
        (root / "catalogue.yaml").write_text(json.dumps([entry.model_dump(mode="json")]))
        with pytest.raises(ModelError, match="a catalogue adds it again"):
            ModelLibrary(root)


class TestPins:
    def test_a_pin_goes_with_the_model_that_was_fetched_by_its_doi(self, server: ModelServer, root: Path) -> None:
        assert run("fetch", f"doi:10.5281/zenodo.{RECORD}", "--id", "foo").exit_code == 0
        assert pin_path(root, "foo").exists()
        assert run("prune", "foo").exit_code == 0
        assert not pin_path(root, "foo").exists()
        server.files = {"model.safetensors": safetensors(1_000_000)}
        ran = run("fetch", f"doi:10.5281/zenodo.{RECORD}", "--id", "foo")
        assert ran.exit_code == 0, ran.output

    def test_the_pin_of_an_entry_of_a_catalogue_stays(self, server: ModelServer, root: Path) -> None:
        root.mkdir()
        entry = server.entry("zenodo", verified=False)
        (root / "catalogue.yaml").write_text(json.dumps([entry.model_dump(mode="json")]))
        assert run("fetch", "model").exit_code == 0
        ran = run("prune", "model")
        assert "model (2.0 MB): removed" in ran.stdout
        assert pin_path(root, "model").exists()


class TestDamage:
    @pytest.mark.parametrize("data", [b'{"id": "ha', b"{}", b"\xff", b"[]"], ids=["torn", "empty", "bytes", "list"])
    def test_a_damaged_entry_is_not_said_to_be_made_again(self, root: Path, data: bytes) -> None:
        imported(root, "hand")
        entry_path(root, "hand").write_bytes(data)
        with pytest.raises(ModelError, match=r"hand\.json is damaged") as raised:
            ModelLibrary(root)
        assert raised.value.remedy.startswith("Restore it from a backup; or delete it, and import")

    @pytest.mark.parametrize("data", [b'{"files": [', b"{}", b"[]"], ids=["torn", "empty", "list"])
    def test_a_damaged_pin_stops_its_own_model_alone(self, root: Path, data: bytes) -> None:
        entry = next(entry for entry in ModelLibrary().catalogue if entry.digest is None and entry.files)
        path = pin_path(root, pinned := entry.id)
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        with pytest.raises(ModelError, match="is damaged") as raised:
            ModelLibrary(root).installed(pinned)
        assert "delete it and run archive-pipeline models fetch" in raised.value.remedy
        assert "whatever comes then is trusted" in raised.value.remedy
        for arguments in (["list"], ["list", "--json"], ["show", pinned], ["show", pinned, "--json"]):
            ran = run(*arguments)
            assert ran.exit_code == 0, repr(ran.exception)
            assert "damaged" in ran.stdout
        ran = run("verify")
        assert ran.exit_code == ModelError.exit_code
        assert f"{pinned}: damaged" in ran.stdout
        assert "kraken-blla: whole" in ran.stdout
        findings = doctors_findings(root)
        assert not findings[f"model {pinned}"].ok
        assert findings["model kraken-blla"].ok
        assert isinstance(run("prune").exception, ArchiveError), "nobody can say which model the pin is of"
