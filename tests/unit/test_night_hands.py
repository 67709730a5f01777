"""After a promotion the night reads the documents of that hand again, and no others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from promoted import add_model

from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.promoting import promote, rollback
from archive_pipeline.nights.today import Today
from archive_pipeline.nights.tonight import plan_tonight
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.store import Store

HAND = "Jean Dupont"


class Archive:
    """Documents that are done, of which the states say what their files said."""

    def __init__(self, folder: Path) -> None:
        self.store, self.uploads, self.models = Store(folder / "store"), folder / "uploads", folder / "models"
        self.uploads.mkdir()
        self.options = ProcessingOptions(uploads_dir=self.uploads, models_dir=self.models)
        self.keys: list[str] = []

    def add(self, name: str, said: str, **changes: str) -> None:
        """A document that was just done as its files say."""
        (self.uploads / name).write_bytes(name.encode())
        key = self.store.register(self.uploads / name, self.uploads)
        self.keys.append(key)
        hand = next((each["hand"] for each in json.loads(said or "[]") if "hand" in each), "")
        state = DocumentState(key, "done", "", "", 0.0, chosen_by="settings", said=said, hand=hand)
        state = replace(state, **changes)  # type: ignore[arg-type]
        self.done(key, state)

    def done(self, key: str, state: DocumentState) -> None:
        """Read it as it should be read by now."""
        wanted = Today(self.store, self.options)(key, state)
        segmentation, recognition = wanted.models
        DocumentStates(self.store.root).write(
            replace(
                state,
                fingerprint=wanted.fingerprint,
                made_with=wanted.made_with,
                segmentation=segmentation,
                recognition=recognition,
            )
        )

    def planned(self) -> dict[str, str]:
        return {each.key: each.why for each in plan_tonight(self.keys, self.store, self.options, 10).plan}


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(tmp_path)
    add_model(made.models, "own")
    made.add("plain.pdf", "[]")
    made.add("jean.pdf", '[{"hand": "jean dupont"}]')
    made.add("jean-lines.pdf", '[{"hand": "Jean Dupont", "segmentation_model": "kraken-blla"}]', chosen_by="document")
    made.add("jean-above.pdf", '[{"hand": "Jean Dupont"}, {"model": "own"}]', chosen_by="document")
    made.add("jean-own.pdf", '[{"hand": "Jean Dupont", "model": "own"}]', chosen_by="document")
    made.add("meier.pdf", '[{"hand": "Notary Meier"}]')
    asked = {"segmentation": "kraken-blla", "recognition": "own", "made_with": "options of that run"}
    made.add("asked.pdf", '[{"hand": "Jean Dupont"}]', chosen_by="run", **asked)
    assert made.planned() == {}
    return made


OF_JEAN = {"jean.pdf": "model", "jean-lines.pdf": "model", "jean-above.pdf": "model"}


def test_exactly_the_documents_that_the_promoted_model_would_read_are_planned(archive: Archive) -> None:
    promote(archive.models, HAND, add_model(archive.models, "of-jean"))
    assert archive.planned() == OF_JEAN


def test_they_are_planned_once_and_again_after_a_rollback(archive: Archive) -> None:
    promote(archive.models, HAND, add_model(archive.models, "of-jean"))
    states = DocumentStates(archive.store.root)
    for key in OF_JEAN:
        state = states.of(key)
        assert state is not None
        archive.done(key, state)
    read = {key: state.recognition for key, state in states.all().items() if key in OF_JEAN}
    assert set(read.values()) == {"of-jean"}
    assert archive.planned() == {}
    rollback(archive.models, HAND)
    assert archive.planned() == OF_JEAN


def test_a_promoted_model_with_its_lines_plans_those_documents_whose_lines_nobody_chose(archive: Archive) -> None:
    lines = ModelLibrary(archive.models).installed("kraken-blla")
    promote(archive.models, HAND, add_model(archive.models, "of-jean"), segmentation=lines)
    # The one with its own model gets other lines.
    assert archive.planned() == OF_JEAN | {"jean-own.pdf": "model"}


def test_a_document_of_a_version_that_noted_less_is_looked_at_by_a_run(archive: Archive) -> None:
    archive.add("old.pdf", "", hand=HAND)
    of_then = {"segmentation": "kraken-blla", "recognition": "ppocr-v6-latin"}
    archive.add("old-lines.pdf", "", hand=HAND, chosen_by="document", **of_then)
    assert archive.planned() == {}
    promote(archive.models, HAND, add_model(archive.models, "of-jean"))
    assert archive.planned() == OF_JEAN | {"old.pdf": "model", "old-lines.pdf": "model"}


def test_a_promoted_model_that_is_gone_plans_nothing(archive: Archive) -> None:
    promote(archive.models, HAND, add_model(archive.models, "of-jean"))
    (archive.models / "entries" / "of-jean.json").unlink()
    assert archive.planned() == {}


def test_what_a_state_says_that_cannot_be_leaves_its_document_as_it_is(archive: Archive) -> None:
    states = DocumentStates(archive.store.root)
    state = states.of("jean.pdf")
    assert state is not None
    for said in ("{", '[{"nope": 1}]', "[7]", "7"):
        states.write(replace(state, said=said))
        assert archive.planned() == {}
