"""Importing, verifying and pruning: what comes into the store, what is damaged, what may go."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock
from model_server import CONFIG, DATA, NAME, ModelServer, fetch_into, safetensors, serving, take_it

from archive_pipeline.cli.models import fetching, models
from archive_pipeline.cli.models import importing as import_command
from archive_pipeline.cli.models.searching import fits
from archive_pipeline.errors import ModelError, NoSpaceLeft, StorageError, UsageError
from archive_pipeline.models import importing
from archive_pipeline.models.fetch import fetch_model, put
from archive_pipeline.models.importing import Description, import_model
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.kept import entry_path
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.network import Network
from archive_pipeline.models.prune import candidates
from archive_pipeline.models.sources.htrmopo import Card
from archive_pipeline.processing.used_models import used_models
from archive_pipeline.store import Store

HAND = Description(task="recognition", engine="kraken", licence="CC0-1.0", languages=("fra",), good_for="one hand")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own, whose models are not loaded when they are imported."""
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path / "home"))
    for name in ("MODELS_DIR", "ARCHIVE_STORE", "ARCHIVE_OFFLINE", "SURYA_INFERENCE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(import_command, "sealed_look", take_it)
    # Where tests run in several processes, it is 80, and lines break.
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path / "home"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving() as server:
        yield server


def run(*arguments: object) -> Result:
    return CliRunner().invoke(models, [str(argument) for argument in arguments])


def done(*arguments: object) -> object:
    ran = run(*arguments, "--json")
    assert ran.exit_code == 0, ran.output + repr(ran.exception)
    return json.loads(ran.stdout)


def brought(folder: Path, data: bytes = DATA, name: str = NAME) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def stored_page(store: Path, digest: str, key: str = "letter.pdf") -> Path:
    path = store / "documents" / key / "transcriptions" / "0001.json"
    path.parent.mkdir(parents=True)
    steps = [{"task": "rendering", "engine": "x", "version": "1"}, {"model_digest": digest}]
    path.write_text(json.dumps({"made_from": "x", "page": {"steps": steps}}))
    return path


class TestImport:
    def test_a_file_is_copied_by_its_digest_and_gets_an_entry(self, tmp_path: Path) -> None:
        path = brought(tmp_path / "usb")
        got = import_model(tmp_path / "models", path, "hand", HAND, check=take_it)
        shutil.rmtree(tmp_path / "usb")
        library = ModelLibrary(tmp_path / "models")
        entry = library.catalogue.find("hand", "recognition")
        assert (entry.languages, entry.licence, entry.good_for) == (("fra",), "CC0-1.0", "one hand")
        assert str(entry.source) == f"imported from {NAME}"
        assert library.install_state(entry).read() == DATA
        assert got.model.path == tmp_path / "models" / str(entry.digest) / NAME

    def test_a_folder_brings_weights_and_configuration(self, tmp_path: Path) -> None:
        brought(tmp_path / "usb", CONFIG, "config.json")
        brought(tmp_path / "usb")
        import_model(tmp_path / "models", tmp_path / "usb", "hand", HAND, check=take_it)
        model = ModelLibrary(tmp_path / "models").installed("hand")
        assert [file.path.name for file in model.files] == [NAME, "config.json"]
        model.verify()

    @pytest.mark.parametrize(
        ("name", "data", "said"),
        [
            ("m.ckpt", b"x", "can run code"),
            ("m.safetensors", b"PK\x03\x04", "zip archive"),
            ("m.onnx", b"<html>", "is no onnx file"),
        ],
    )
    def test_what_is_no_model_is_refused_and_nothing_is_left(
        self, tmp_path: Path, name: str, data: bytes, said: str
    ) -> None:
        path = brought(tmp_path / "usb", data, name)
        with pytest.raises(ModelError, match=said):
            import_model(tmp_path / "models", path, "hand", HAND, check=take_it)
        assert not (tmp_path / "models").exists()

    def test_what_the_engine_cannot_load_is_refused_and_nothing_is_left(self, tmp_path: Path) -> None:
        def refuse(*_: object) -> None:
            raise ModelError("it is no model")

        with pytest.raises(ModelError, match="no model"):
            import_model(tmp_path / "models", brought(tmp_path / "usb"), "hand", HAND, check=refuse)
        assert [p.name for p in (tmp_path / "models").rglob("*") if p.is_file()] == ["hand.lock"]

    def test_the_same_bytes_are_looked_at_again_for_another_task(self, tmp_path: Path) -> None:
        path = brought(tmp_path / "usb")
        import_model(tmp_path / "models", path, "hand", HAND, check=take_it)
        looked: list[str] = []
        other = HAND.model_copy(update={"task": "segmentation"})
        import_model(tmp_path / "models", path, "lines", other, check=lambda entry, _: looked.append(entry.task))
        assert looked == ["segmentation"]

    def test_the_same_bytes_under_another_name_leave_the_first_model_whole(self, tmp_path: Path) -> None:
        import_model(tmp_path / "models", brought(tmp_path / "usb"), "first", HAND, check=take_it)
        import_model(
            tmp_path / "models", brought(tmp_path / "usb", DATA, "x.safetensors"), "second", HAND, check=take_it
        )
        library = ModelLibrary(tmp_path / "models")
        library.installed("first").verify()
        library.installed("second").verify()
        assert not (tmp_path / "models" / ".damaged").exists()

    def test_a_model_of_the_catalogue_is_imported_by_its_id_alone(self, server: ModelServer, tmp_path: Path) -> None:
        root = tmp_path / "models"
        root.mkdir()
        (root / "catalogue.yaml").write_text(json.dumps([server.entry("zenodo").model_dump(mode="json")]))
        with pytest.raises(ModelError, match="is not the file of the catalogue"):
            import_model(root, brought(tmp_path / "usb", safetensors(1000)), "model", None, check=take_it)
        brought(tmp_path / "usb", b"# Thanks to", "README.md")
        brought(tmp_path / "usb")
        assert import_model(root, tmp_path / "usb", "model", None, check=take_it).new
        ModelLibrary(root).installed("model").verify()
        assert not entry_path(root, "model").exists()

    @pytest.mark.parametrize(
        ("model_id", "said"),
        [
            ("surya-ocr-2", "model surya-ocr-2 is held by a server of yours: it has no file here"),
            ("kraken-blla", "model kraken-blla is part of the package kraken, and is read from there alone"),
        ],
    )
    @pytest.mark.parametrize("new", [(), ("--task", "recognition", "--engine", "kraken")], ids=["by id", "described"])
    def test_a_model_that_never_lies_in_the_store_is_not_imported(
        self, archive: Path, tmp_path: Path, model_id: str, said: str, new: tuple[str, ...]
    ) -> None:
        ran = run("import", brought(tmp_path / "usb"), "--id", model_id, *new, "--json")
        assert isinstance(ran.exception, UsageError)
        assert str(ran.exception).startswith(said)
        assert ran.stdout == ""

    def test_a_missing_file_of_the_catalogue_is_named(self, server: ModelServer, tmp_path: Path) -> None:
        root = tmp_path / "models"
        root.mkdir()
        (root / "catalogue.yaml").write_text(json.dumps([server.entry("zenodo").model_dump(mode="json")]))
        path = brought(tmp_path / "usb", DATA, "renamed.safetensors")
        with pytest.raises(ModelError, match=r"model\.safetensors is missing"):
            import_model(root, path, "model", None, check=take_it)

    def test_another_model_does_not_take_an_id(self, tmp_path: Path) -> None:
        import_model(tmp_path / "models", brought(tmp_path / "usb"), "hand", HAND, check=take_it)
        with pytest.raises(UsageError, match="there is another model 'hand'"):
            import_model(tmp_path / "models", brought(tmp_path / "usb", safetensors(1000)), "hand", HAND, check=take_it)

    @pytest.mark.parametrize("model_id", ["Hand", "../x", "", "a b"])
    def test_an_id_that_cannot_be_one_is_wrong_usage(self, tmp_path: Path, model_id: str) -> None:
        with pytest.raises(UsageError, match="id cannot be"):
            import_model(tmp_path / "models", brought(tmp_path / "usb"), model_id, HAND, check=take_it)
        assert not (tmp_path / "models").exists()

    def test_too_small_a_disk_is_said_before_anything_is_copied(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = brought(tmp_path / "usb")
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(importing.shutil, "disk_usage", lambda _: usage._replace(free=1000))
        with pytest.raises(NoSpaceLeft):
            import_model(tmp_path / "models", path, "hand", HAND, check=take_it)

    def test_the_command_imports_and_says_how_to_use_it(self, archive: Path, tmp_path: Path) -> None:
        path = brought(tmp_path / "usb")
        ran = run("import", path, "--id", "hand", "--task", "recognition", "--engine", "kraken", "--language", "fra")
        assert ran.exit_code == 0, ran.output
        assert "--model" in ran.stdout
        (row,) = (row for row in done("list") if row["id"] == "hand")
        assert (row["state"], row["languages"], row["licence"]) == ("ready", ["fra"], "NOASSERTION")


class TestVerify:
    def test_a_flipped_bit_is_found_and_what_to_do_is_said(self, server: ModelServer, archive: Path) -> None:
        root = archive / "models"
        root.mkdir(parents=True)
        (root / "catalogue.yaml").write_text(json.dumps([server.entry("web").model_dump(mode="json")]))
        path = fetch_into_known(root, server).path
        assert run("verify", "model").stdout == "model: whole\n"
        data = bytearray(path.read_bytes())
        data[1_000_000] ^= 1
        path.write_bytes(data)
        ran = run("verify")
        assert ran.exit_code == ModelError.exit_code
        assert "model: damaged" in ran.stdout
        assert "Run archive-pipeline models fetch model" in ran.stderr
        (row,) = (row for row in json.loads(run("list", "--json").stdout) if row["id"] == "model")
        assert row["state"] == "damaged"

    def test_what_is_not_here_is_no_fault_unless_it_was_asked_for(self, archive: Path) -> None:
        assert run("verify").exit_code == 0
        assert run("verify", "mccatmus").exit_code == ModelError.exit_code

    def test_a_copy_of_a_bundled_model_is_replaced_from_the_wheel(self, tmp_path: Path) -> None:
        """The operator's own entry has blla's bytes: they are here already, so nobody is asked."""
        bundled = ModelLibrary().installed("kraken-blla")
        with serving() as server:
            entry = server.entry("zenodo", files=[{"name": "blla.mlmodel", "sha256": bundled.digest}])
        offline = Network(offline=True)
        first = fetch_into(tmp_path, entry, offline)
        assert "kraken" in first.origin
        first.model.path.write_bytes(b"broken")
        again = fetch_into(tmp_path, entry, offline)
        again.model.verify()
        assert again.aside is not None

    def test_bytes_that_are_not_those_of_the_entry_never_become_visible(
        self, server: ModelServer, tmp_path: Path
    ) -> None:
        """Whoever brings them: what lies on the disk is held against the entry once more."""
        entry = server.entry("web")

        def supply(_: object, folder: Path) -> str:
            (folder / NAME).write_bytes(DATA[:-1] + b"?")
            return "nowhere"

        with pytest.raises(ModelError, match="changed while"):
            put(ModelLibrary(tmp_path).adding(entry), entry, supply, check=take_it)
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["model.lock"]

    def test_a_damaged_bundled_model_says_that_its_environment_is(self) -> None:
        model = ModelLibrary().installed("kraken-blla")
        broken = model.files[0].model_copy(update={"sha256": "0" * 64})
        with pytest.raises(ModelError, match="damaged") as raised:
            model.model_copy(update={"files": (broken,)}).verify()
        assert "make setup" in raised.value.remedy


def fetch_into_known(root: Path, server: ModelServer) -> InstalledModel:
    """Fetch the model of the operator's catalogue."""
    library = ModelLibrary(root)
    return fetch_model(library, library.catalogue.find("model"), server.network, check=take_it).model


class TestPrune:
    @pytest.fixture
    def imported(self, archive: Path, tmp_path: Path) -> str:
        (archive / "store" / "documents").mkdir(parents=True)
        import_model(archive / "models", brought(tmp_path / "usb"), "hand", HAND, check=take_it)
        return str(ModelLibrary(archive / "models").catalogue.find("hand").digest)

    def test_a_model_that_an_entry_names_stays(self, archive: Path, imported: str) -> None:
        assert done("prune") == []
        assert (archive / "models" / imported).is_dir()

    def test_a_model_that_no_entry_names_goes(self, archive: Path, imported: str) -> None:
        entry_path(archive / "models", "hand").unlink()
        (row,) = done("prune", "--dry-run")
        assert (archive / "models" / imported).is_dir()
        assert (row["bytes"], row["stays"]) == (len(DATA), None)
        done("prune")
        assert not (archive / "models" / imported).exists()

    def test_a_model_without_an_entry_stays_while_somebody_fetches(self, archive: Path, imported: str) -> None:
        entry_path(archive / "models", "hand").unlink()
        with FileLock(archive / "models" / ".staging" / "other.lock"):
            assert done("prune") == []
        assert (archive / "models" / imported).is_dir()

    def test_one_that_is_asked_for_goes_with_its_entry(self, archive: Path, imported: str) -> None:
        done("prune", "hand")
        assert not (archive / "models" / imported).exists()
        with pytest.raises(ModelError, match="no model 'hand'"):
            ModelLibrary(archive / "models").catalogue.find("hand")

    @pytest.mark.parametrize("arguments", [["hand"], ["--all"]])
    def test_one_that_a_stored_result_was_made_with_stays(
        self, archive: Path, imported: str, arguments: list[str]
    ) -> None:
        stored_page(archive / "store", imported)
        (row,) = done("prune", *arguments)
        assert "1 documents were read with it" in row["stays"]
        ModelLibrary(archive / "models").installed("hand").verify()
        done("prune", *arguments, "--even-used")
        assert not (archive / "models" / imported).exists()

    def test_a_stored_result_that_does_not_say_its_models_stops_it(self, archive: Path, imported: str) -> None:
        stored_page(archive / "store", imported).write_text('{"page": {}}')
        ran = run("prune", "--all")
        assert isinstance(ran.exception, StorageError)
        assert (archive / "models" / imported).is_dir()

    @pytest.mark.parametrize("arguments", [["hand"], ["--all"]])
    def test_where_there_is_no_store_all_models_stay_and_leftovers_go(
        self, archive: Path, imported: str, arguments: list[str]
    ) -> None:
        (archive / "store" / "documents").rmdir()
        (archive / "models" / ".staging" / "old").mkdir()
        rows = {row["kind"]: row["stays"] for row in done("prune", *arguments)}
        assert rows["leftover"] is None
        assert f"there is no {archive}/store/documents; set ARCHIVE_STORE or mount the store" in rows["model"]
        ModelLibrary(archive / "models").installed("hand").verify()
        done("prune", *arguments, "--even-used")
        assert not (archive / "models" / imported).exists()

    def test_a_model_goes_with_all_of_its_entries(self, archive: Path, imported: str, tmp_path: Path) -> None:
        root = archive / "models"
        import_model(root, tmp_path / "usb" / NAME, "other", HAND, check=take_it)
        assert done("prune", "hand") == []
        done("prune", "hand", "other")
        assert not (root / imported).exists()
        assert list((root / "entries").iterdir()) == []

    def test_only_what_is_older_goes(self, archive: Path, imported: str) -> None:
        folder = archive / "models" / imported
        assert done("prune", "--all", "--older-than", "1") == []
        then = time.time() - 3 * 86_400
        for path in (*folder.iterdir(), folder):
            os.utime(path, (then, then))
        (row,) = done("prune", "--all", "--older-than", "1")
        assert row["days"] == pytest.approx(3, abs=0.1)

    def test_leftovers_go_unless_somebody_is_fetching(self, archive: Path) -> None:
        staging = archive / "models" / ".staging"
        for name in ("old", "busy"):
            (staging / name).mkdir(parents=True)
            brought(staging / name, b"half", f"{NAME}.part")
        with FileLock(staging / "busy.lock"):
            rows = {row["what"]: row["stays"] for row in done("prune")}
        assert rows == {"of a fetch: old": None, "of a fetch: busy": "another process is fetching it"}
        assert [path.name for path in staging.iterdir() if path.is_dir()] == ["busy"]

    def test_damaged_copies_go(self, server: ModelServer, archive: Path) -> None:
        root = archive / "models"
        entry = server.entry("web")
        fetch_into(root, entry, server.network).model.path.write_bytes(b"x")
        fetch_into(root, entry, server.network)
        kinds = [each.kind for each in candidates(ModelLibrary(root).adding(entry), ())]
        assert kinds == ["damaged"]
        done("prune")
        assert not any((root / ".damaged").iterdir())

    def test_a_bundled_model_is_not_pruned(self, archive: Path) -> None:
        assert isinstance(run("prune", "kraken-blla").exception, UsageError)

    def test_documents_are_counted_once_for_each_model(self, tmp_path: Path) -> None:
        for key in ("a.pdf", "b.pdf"):
            stored_page(tmp_path, "1" * 64, key)
        assert used_models(Store(tmp_path)) == {"1" * 64: 2}


class TestSearch:
    CARD = Card(
        doi="10.5281/zenodo.1234",
        summary="Lines of letters",
        license="Apache-2.0",
        script=("Latn",),
        language=("fra", "lat"),
        model_type=("segmentation",),
        creators=({"name": "Kiessling"}, {"name": None}),
    )

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"text": ""}, True),
            ({"text": "LETTERS lines"}, True),
            ({"text": "kiessling"}, True),
            ({"text": "zenodo.1234"}, True),
            ({"text": "letters print"}, False),
            ({"text": "", "language": "lat"}, True),
            ({"text": "", "language": "la"}, False),
            ({"text": "", "script": "Latn", "task": "segmentation"}, True),
            ({"text": "", "script": "Arab"}, False),
            ({"text": "", "task": "recognition"}, False),
        ],
        ids=str,
    )
    def test_a_card_is_found_by_text_language_script_and_task(self, asked: dict[str, str], found: bool) -> None:
        assert fits(self.CARD, **asked) is found


class TestShow:
    @pytest.mark.parametrize("columns", ["100", "160"])
    def test_the_list_fits_its_width(self, archive: Path, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
        monkeypatch.setenv("COLUMNS", columns)
        text = run("list").stdout
        assert max(map(len, text.splitlines())) <= int(columns)
        assert "…" not in text
        for said in ("Finding lines (segmentation)", "ppocr-v6-latin", "surya-detection", "its own *", "no server set"):
            assert said in text

    @pytest.mark.parametrize(
        ("url", "state", "code"), [("", "no server set", ModelError.exit_code), ("http://s:1/v1", "at a server", 0)]
    )
    def test_a_served_model_is_at_a_server_only_where_one_is_set(
        self, archive: Path, monkeypatch: pytest.MonkeyPatch, url: str, state: str, code: int
    ) -> None:
        monkeypatch.setenv("SURYA_INFERENCE_URL", url)
        (row,) = (row for row in done("list") if row["id"] == "surya-ocr-2")
        assert row["state"] == state
        assert ("set SURYA_INFERENCE_URL; see docs/surya.md" in row["remedy"]) is (not url)
        for asked in (run("list"), run("show", "surya-ocr-2")):
            assert state in asked.stdout
            assert ("set SURYA_INFERENCE_URL" in asked.stdout) is (not url)
        named = run("verify", "kraken-blla", "surya-ocr-2")
        assert named.exit_code == code
        assert named.stdout.splitlines()[0] == "kraken-blla: whole"
        assert f"surya-ocr-2: {state}" in named.stdout
        assert [row["id"] for row in json.loads(run("verify", "surya-ocr-2", "--json").stdout)] == ["surya-ocr-2"]
        assert run("verify").exit_code == 0, "what was not named is no fault"

    def test_everything_about_a_model_is_shown(self, archive: Path) -> None:
        text = run("show", "surya-detection").stdout
        for said in ("USD 5", "models.datalab.to", "config.json, 858 bytes", "38c3749eeb5f06fc", "the entry"):
            assert said in text
        assert isinstance(run("show", "nothing").exception, ModelError)

    def test_a_licence_with_a_note_needs_consent(self, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        ran = run("fetch", "surya-detection", "--offline")
        assert ran.exit_code == UsageError.exit_code
        assert "USD 5 million" in ran.stderr
        assert "add --yes" in ran.stderr
        ran = run("fetch", "surya-detection", "--offline", "--yes")
        assert "this is offline" in ran.stderr

    def test_with_several_the_others_are_fetched_all_the_same(
        self, server: ModelServer, archive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root = archive / "models"
        root.mkdir(parents=True)
        (root / "catalogue.yaml").write_text(
            json.dumps([server.entry("zenodo", verified=False).model_dump(mode="json")])
        )
        monkeypatch.setenv("MODEL_REPO_URL", f"{server.url}/api/")
        monkeypatch.setattr(fetching, "sealed_look", take_it)
        ran = run("fetch", "kraken-blla", "nothing", "model")
        assert ran.exit_code == ModelError.exit_code
        assert "kraken-blla: here already" in ran.stdout
        assert "there is no model 'nothing'" in ran.stderr
        assert "nobody had told us its SHA-256. What came is pinned" in ran.stdout
        assert "model.safetensors: 2.0 of 2.0 MB" in ran.stderr
        (row,) = (row for row in done("list") if row["id"] == "model")
        assert row["digest_known_by"] == "the first fetch, which pinned it"
