"""A hand whose model is promoted: its documents are read again and no others, compared, and gone back on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from kraken_models import install, ppocr_network, write

from archive_pipeline.demo.pages import make_pdf
from archive_pipeline.document_states import DocumentStates
from archive_pipeline.durable import read_json, write_json
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.nights.tonight import plan_tonight
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.store import Store

HAND = "Jean Dupont"
NEVER = "e"


@dataclass(frozen=True)
class Archive:
    """An archive with two documents, one of which names a hand."""

    cli: Any
    home: Path

    @property
    def store(self) -> Store:
        return Store(self.home / "store")

    def planned(self) -> dict[str, str]:
        options = ProcessingOptions(uploads_dir=self.home / "uploads", models_dir=self.home / "models")
        return {each.key: each.why for each in plan_tonight(self.store.keys(), self.store, options, 10).plan}

    def text(self, key: str) -> str:
        return (self.home / "store" / "documents" / key / "exports" / "document.txt").read_text("utf-8")

    def stored(self, folder: str, key: str = "jean.pdf") -> Any:
        return read_json(self.home / "store" / "documents" / key / folder / "0001.json")


@pytest.fixture(scope="module")
def archive(make_cli: Any, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    home = tmp_path_factory.mktemp("promotion")
    uploads = home / "uploads"
    uploads.mkdir()
    for name in ("jean.pdf", "plain.pdf"):
        make_pdf(uploads / name, 1, seed=7, lines=3)
    (uploads / "jean.pdf.archive.yaml").write_text(f"hand: {HAND}\n")
    # A network that reads as the bundled one does, but for one letter.
    network = ppocr_network(ModelLibrary().installed("ppocr-v6-latin").read())
    with torch.no_grad():
        network.nn.head.fc.bias[network.codec.c2l[NEVER][0]] -= 100
    install(write(network, tmp_path_factory.mktemp("made") / "of-jean.safetensors"), home / "models")
    made = Archive(make_cli(home), home)
    made.cli("run", uploads)
    return made


def test_a_promotion_is_read_compared_and_gone_back_on(archive: Archive) -> None:
    cli, uploads = archive.cli, archive.home / "uploads"
    before = archive.stored("transcriptions")
    first = next(line for region in before["page"]["regions"] for line in region["lines"] if NEVER in line["text"])
    write_json(archive.store.document(archive.store.keys()[0]).correction(1), {first["id"]: "by a person"})
    assert archive.planned() == {}
    assert archive.stored("earlier") is None

    cli("hands", "promote", HAND, "--model", "of-jean", "--without-proof", "for this test")
    assert archive.planned() == {"jean.pdf": "model"}
    ran = cli("run", uploads, "--json")
    assert archive.planned() == {}
    chosen = {key: row["chosen"]["model"] for key, row in ran.documents.items()}
    assert chosen == {
        "jean.pdf": {"value": "of-jean", "from": f"promoted for the hand {HAND}"},
        "plain.pdf": {"value": "ppocr-v6-latin", "from": "built in"},
    }
    after = archive.stored("transcriptions")
    texts = [line["text"] for region in after["page"]["regions"] for line in region["lines"]]
    assert any(texts)
    assert not any(NEVER in text for text in texts)
    assert archive.stored("earlier") == before
    assert archive.stored("earlier", "plain.pdf") is None
    states = DocumentStates(archive.store.root).all()
    assert (states["jean.pdf"].recognition, states["jean.pdf"].said) == ("of-jean", f'[{{"hand": "{HAND}"}}]')

    told = json.loads(cli("diff", "jean.pdf", "--json").stdout)
    assert told["sums"]["changed_lines"] > 0
    assert told["sums"]["new_lines"] == told["sums"]["gone_lines"] == 0
    (page,) = told["pages"]
    assert (page["before"], page["after"]) == ("ppocr-v6-latin", "of-jean")
    assert [line["line"] for line in page["lines"] if line["corrected"]] == [first["id"]]
    assert all(NEVER in line["before"] for line in page["lines"] if line["before"] != line["after"])
    assert "by a person" in archive.text("jean.pdf")
    assert cli("diff", "plain.pdf", check=False).status == 2

    (uploads / "plain.pdf.archive.yaml").write_text("hand: Jean Dupon\n")
    note = f"No model is promoted for the hand 'Jean Dupon', but one is for '{HAND}': is that meant?"
    ran = cli("run", uploads / "plain.pdf", "--json")
    assert ran.documents["plain.pdf"]["notes"] == [note]
    ran = cli("run", uploads)
    assert f"plain.pdf: {note}" in ran.stdout.splitlines()
    assert note not in "".join(line for line in ran.stdout.splitlines() if "jean.pdf" in line)

    cli("hands", "rollback", HAND)
    assert archive.planned() == {"jean.pdf": "model"}
    cli("run", uploads)
    assert archive.stored("transcriptions")["page"]["regions"] == before["page"]["regions"]
    assert archive.stored("earlier") == after
    assert archive.planned() == {}
    assert "by a person" in archive.text("jean.pdf")
    assert [entry["how"] for entry in json.loads(cli("hands", "show", HAND, "--json").stdout)["hand"]["history"]] == [
        "promoted",
        "rolled back",
    ]


def test_a_document_in_an_unknown_hand_is_read_with_the_model_that_fits_it_best(make_cli: Any, tmp_path: Path) -> None:
    archive = Archive(make_cli(tmp_path), tmp_path)
    uploads, models = tmp_path / "uploads", tmp_path / "models"
    uploads.mkdir()
    make_pdf(uploads / "who.pdf", 1, seed=7, lines=4)
    (uploads / "archive.yaml").write_text("hand: auto\n")
    network = ppocr_network(ModelLibrary().installed("ppocr-v6-latin").read())
    install(write(network, tmp_path / "sure.safetensors"), models)
    with torch.no_grad():
        network.nn.head.fc.weight *= 0.3
    install(write(network, tmp_path / "unsure.safetensors"), models)
    cli, general = archive.cli, {"ARCHIVE_RECOGNITION_MODEL": "unsure"}

    def chosen() -> tuple[str, str]:
        (row,) = cli("run", uploads, "--json", **general).documents.values()
        return row["chosen"]["model"]["value"], row["chosen"]["hand"]["from"]

    def trial() -> Any:
        return read_json(tmp_path / "store" / "documents" / "who.pdf" / "hand.json")

    assert chosen() == ("unsure", "archive.yaml; no hand's model could be tried")
    for hand, model in (("Jean", "sure"), ("Meier", "unsure")):
        cli("hands", "promote", hand, "--model", model, "--without-proof", "for this test")
    model, why = chosen()
    assert model == "sure"
    assert why.startswith("archive.yaml; ")
    assert "lines tried with 2 hands: Jean fits best" in why
    first = trial()
    assert {each["hand"]: each["lines"] > 0 for each in first["tried"]} == {"": True, "Jean": True, "Meier": True}
    assert first["margin"] >= 0.05
    # Nothing has changed: it is not tried again, and nothing is read.
    ran = cli("run", uploads, **general)
    assert "page 1: unchanged" in ran.stderr
    assert trial() == first
    state = DocumentStates(archive.store.root).all()["who.pdf"]
    assert (state.hand, state.said, state.recognition) == ("auto", '[{"hand": "Jean"}]', "sure")
    cli("hands", "rollback", "Jean")
    assert chosen()[0] == "unsure"
    assert trial()["hand"] == ""
