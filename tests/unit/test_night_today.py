"""What a document should be by now, without opening anything of it."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.errors import ModelError
from archive_pipeline.intake import outside
from archive_pipeline.nights.begun import BegunDocuments
from archive_pipeline.nights.outsides import Outsides
from archive_pipeline.nights.plan import why_of
from archive_pipeline.nights.today import Today
from archive_pipeline.nights.tonight import plan_tonight
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.store import Store
from archive_pipeline.uploads.register import State, Upload, UploadRegister

LIMITS = {"max_file_mb": 1, "max_pages": 10}


def _file(path: Path, data: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _sidecar(uploads: Path) -> Path:
    _file(uploads / "box" / "a.pdf.archive.yaml")
    return _file(uploads / "box" / "a.pdf")


def _settings_above(uploads: Path) -> Path:
    _file(uploads / "archive.yaml")
    _file(uploads / "box" / "deep" / "archive.yaml", b"xx")
    return _file(uploads / "box" / "deep" / "a.pdf")


def _pages(uploads: Path) -> Path:
    _file(uploads / "box" / "archive.yaml")
    _file(uploads / "box" / "2.png")
    return _file(uploads / "box" / "1.png").parent


def _elsewhere(uploads: Path) -> Path:
    _file(uploads.parent / "archive.yaml")
    _file(uploads.parent / "elsewhere" / "archive.yaml", b"xxx")
    return _file(uploads.parent / "elsewhere" / "a.pdf")


def _link(uploads: Path) -> Path:
    link = _file(uploads / "b.pdf").with_name("link.pdf")
    link.symlink_to("b.pdf")
    return link


@pytest.mark.parametrize("make", [_sidecar, _settings_above, _pages, _elsewhere, _link], ids=lambda make: make.__name__)
def test_the_outside_of_a_document_is_what_a_run_says_of_it(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    uploads = tmp_path / "uploads"
    path = make(uploads)
    said = outside(path, uploads, **LIMITS)[1]
    assert Outsides(uploads, **LIMITS).fingerprint(str(path)) == said
    assert said != Outsides(tmp_path / "other", **LIMITS).fingerprint(str(_file(tmp_path / "other" / "a.pdf", b"yy")))


def _empty(uploads: Path) -> Path:
    return _file(uploads / "a.pdf", b"")


def _too_large(uploads: Path) -> Path:
    return _file(uploads / "a.pdf", b"x" * ((1 << 20) + 1))


def _misnamed_settings(uploads: Path) -> Path:
    _file(uploads / "archive.yml")
    return _file(uploads / "box" / "a.pdf")


def _misnamed_sidecar(uploads: Path) -> Path:
    _file(uploads / "a.pdf.archive.yml")
    return _file(uploads / "a.pdf")


def _linked_settings(uploads: Path) -> Path:
    path = _file(uploads / "a.pdf")
    (uploads / "archive.yaml").symlink_to("a.pdf")
    return path


def _pipe(uploads: Path) -> Path:
    uploads.mkdir()
    os.mkfifo(uploads / "a.pdf")
    return uploads / "a.pdf"


def _gone(uploads: Path) -> Path:
    return uploads / "a.pdf"


@pytest.mark.parametrize(
    "make",
    [_empty, _too_large, _misnamed_settings, _misnamed_sidecar, _linked_settings, _pipe, _gone],
    ids=lambda make: make.__name__,
)
def test_what_a_run_would_refuse_by_its_outside_is_not_planned(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    uploads = tmp_path / "uploads"
    path = make(uploads)
    assert Outsides(uploads, **LIMITS).fingerprint(str(path)) == ""


class Archive:
    """A store with one document, of which a state is invented."""

    def __init__(self, folder: Path) -> None:
        self.store, self.uploads = Store(folder / "store"), folder / "uploads"
        self.key = self.store.register(_file(self.uploads / "a.pdf"), self.uploads)
        self.options = ProcessingOptions(uploads_dir=self.uploads)

    def wanted_state(self, **changes: str) -> DocumentState:
        """As it stands when it was just done with the models of the settings."""
        done = DocumentState(self.key, "done", "", "", 0.0, chosen_by="settings")
        wanted = Today(self.store, self.options)(self.key, done)
        state = replace(
            done,
            fingerprint=wanted.fingerprint,
            made_with=wanted.made_with,
            segmentation=wanted.models[0],
            recognition=wanted.models[1],
        )
        return replace(state, **changes)  # type: ignore[arg-type]

    def why(self, state: DocumentState, **options: object) -> str | None:
        today = Today(self.store, replace(self.options, **options))  # type: ignore[arg-type]
        return why_of(state, today(self.key, state))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def test_a_document_is_current_until_its_source_or_the_models_of_the_settings_change(archive: Archive) -> None:
    state = archive.wanted_state()
    assert archive.why(state) is None
    assert archive.why(state, engine="kraken") == "model"
    assert archive.why(state, dpi=200) == "made"
    assert archive.why(state, formats=("text",)) == "made"
    (archive.uploads / "archive.yaml").write_text("model: another\n")
    assert archive.why(state) == "changed"


def test_models_that_a_file_chose_stay_whatever_the_settings_say(archive: Archive) -> None:
    state = archive.wanted_state(chosen_by="document")
    assert archive.why(state, engine="kraken") is None
    assert archive.why(replace(state, made_with="with the model's former files")) == "made"


def test_a_model_that_is_gone_leaves_its_documents_as_they_are(archive: Archive) -> None:
    assert archive.why(archive.wanted_state(chosen_by="document", recognition="of-a-hand", made_with="then")) is None


def test_what_a_person_asked_for_with_options_is_not_undone(archive: Archive) -> None:
    state = archive.wanted_state(chosen_by="run", recognition="another", made_with="options of that run")
    assert archive.why(state) is None
    assert archive.why(replace(state, fingerprint="before")) == "changed"


def test_a_model_of_the_settings_that_is_not_there_is_said_once_for_all(archive: Archive) -> None:
    with pytest.raises(ModelError, match="no-such-model"):
        Today(archive.store, replace(archive.options, recognition_model="no-such-model"))


def test_what_there_was_no_time_to_look_at_is_as_it_was(archive: Archive) -> None:
    today = Today(archive.store, archive.options, until=0.0)
    state = replace(archive.wanted_state(), fingerprint="of another version")
    assert why_of(state, today(archive.key, state)) is None
    assert why_of(None, today("new", None)) == "missing"
    assert today.unseen == 2


@pytest.mark.parametrize(
    ("state", "left"), [("waiting", 1), ("asked", 1), ("taken", 0), ("refused", 0)], ids=lambda each: str(each)
)
def test_what_the_upload_sensor_is_not_finished_with_is_left_to_it(archive: Archive, state: State, left: int) -> None:
    UploadRegister(archive.store.root).write([Upload("a.pdf", "v", "i", state, 0.0, 0.0, archive.key)])
    tonight = plan_tonight([archive.key], archive.store, archive.options, 10)
    assert (tonight.busy, len(tonight.plan)) == (left, 1 - left)


def test_a_document_that_takes_its_run_with_it_rests_for_the_night_and_is_given_up_after_three(
    archive: Archive,
) -> None:
    begun = BegunDocuments(archive.store.root)

    def planned(since: float) -> tuple[int, tuple[str, ...]]:
        tonight = plan_tonight([archive.key], archive.store, archive.options, 10, since=since)
        return len(tonight.plan), tonight.given_up

    begun.begin(archive.key, 100.0)
    assert planned(since=50.0) == (0, ())
    assert planned(since=150.0) == (1, ())
    begun.begin(archive.key, 200.0)
    begun.begin(archive.key, 300.0)
    assert planned(since=350.0) == (0, (archive.key,))
    begun.end(archive.key)
    assert planned(since=350.0) == (1, ())


def test_partitions_that_nobody_registered_are_passed_over(archive: Archive) -> None:
    DocumentStates(archive.store.root).write(archive.wanted_state())
    tonight = plan_tonight(["../../etc/passwd", "unknown", archive.key], archive.store, archive.options, 10)
    assert (tonight.documents, tonight.plan) == (3, [])
