"""What results depend on beside their input: a change in how lines are cut concerns the models that get such lines."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from archive_pipeline.engines import factory
from archive_pipeline.engines.factory import signature
from archive_pipeline.engines.versions import KRAKEN_RECOGNITION
from archive_pipeline.models.entry import Task
from archive_pipeline.models.installed import InstalledFile, InstalledModel


def model(*names: str, task: Task = "recognition") -> InstalledModel:
    files = tuple(InstalledFile(path=Path(name), sha256="0" * 64, size=1) for name in names)
    return InstalledModel(id="m", task=task, engine="kraken", licence="", digest="1" * 64, files=files)


def test_another_way_to_read_with_a_language_has_those_results_made_anew_that_were_read_with_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = ("model.safetensors", "model.onnx")
    models = (model(*files, "language.json"), model(*files), model("catmus.mlmodel"))
    before = [signature(each) for each in models]
    monkeypatch.setattr(factory, "KRAKEN_LANGUAGE", "another")
    assert [one == signature(each) for one, each in zip(before, models, strict=True)] == [False, True, True]


def test_another_way_to_cut_lines_has_those_results_made_anew_that_were_read_on_such_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained, fetched, lines = (
        model("model.safetensors", "model.onnx"),
        model("catmus.mlmodel"),
        model("model.safetensors", task="segmentation"),
    )
    before = [signature(each) for each in (trained, fetched, lines)]
    monkeypatch.setattr(factory, "KRAKEN_STRIPS", "another")
    after = [signature(each) for each in (trained, fetched, lines)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True, True]
    # As before there was a way of our own: results of models that were fetched are still current.
    assert before[1] == ["kraken", "m", "1" * 64, importlib.metadata.version("kraken"), KRAKEN_RECOGNITION]
