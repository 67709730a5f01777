"""Trials of models: in a sealed child, on a page whose text is known."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from kraken_models import bars_network, installed, ppocr_network, write

from archive_pipeline.models.entry import Task
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.processing.trial import try_model


@pytest.mark.parametrize("model", ["ppocr-v6-detection", "kraken-blla"])
def test_a_segmentation_model_says_how_many_lines_it_found(tmp_path: Path, model: str) -> None:
    trial = try_model(ModelLibrary().installed(model), tmp_path)
    assert (trial.ok, trial.problem) == (True, "")
    assert (trial.lines, trial.found) == (6, 6)
    assert trial.cer is None
    assert 0 < trial.seconds < 120


def test_a_recognition_model_says_what_it_read_of_what_was_there(tmp_path: Path) -> None:
    trial = try_model(ModelLibrary().installed("ppocr-v6-latin"), tmp_path)
    assert trial.ok
    assert trial.cer is not None
    assert trial.cer < 0.03
    assert trial.expected.splitlines()[0] == "Lyon, le 4 mars 1912"
    assert len(trial.read.splitlines()) == 6
    assert trial.found is None


def test_a_model_of_kraken_is_tried_from_the_store_that_it_lies_in(tmp_path: Path) -> None:
    network = ppocr_network(ModelLibrary().installed("ppocr-v6-latin").read())
    (tmp_path / "store").mkdir()
    (tmp_path / "scratch").mkdir()
    trial = try_model(write(network, tmp_path / "store" / "a.safetensors"), tmp_path / "scratch", scripts=["Latn"])
    assert trial.ok
    assert trial.cer is not None
    assert trial.cer < 0.03


def test_a_model_that_reads_nothing_of_the_page_fails_unless_it_is_for_another_script(tmp_path: Path) -> None:
    model = write(bars_network(["a", "b", "c", "d", " ", "f"]), tmp_path / "bars.safetensors")
    trial = try_model(model, tmp_path)
    assert not trial.ok
    assert trial.problem.startswith("it loads, but ")
    assert try_model(model, tmp_path, scripts=["Arab"]).ok


def test_a_model_that_cannot_be_loaded_fails_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0 no model")
    trial = try_model(installed(tmp_path / "bad.safetensors"), tmp_path)
    assert not trial.ok
    assert "cannot be loaded by kraken" in trial.problem
    model = write(bars_network(["a", "b", "c", "d", " ", "f"]), tmp_path / "bars.mlmodel")
    model.path.write_bytes(np.random.default_rng(0).bytes(model.files[0].size))
    assert "SHA-256" in try_model(model, tmp_path).problem


@pytest.mark.parametrize("task", ["segmentation", "recognition"])
def test_a_file_that_is_no_onnx_model_fails_with_the_reason(tmp_path: Path, task: Task) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    model = installed(tmp_path / "bad.onnx", task).model_copy(update={"engine": "ppocr"})
    assert "model bad cannot be loaded as ONNX" in try_model(model, tmp_path).problem


@contextmanager
def server(status: int, answer: object) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status if self.path == "/v1/models" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{served.server_address[1]}/v1"
        finally:  # a test that fails must not leave a thread for which Python waits
            served.shutdown()
            thread.join()


SERVED = InstalledModel(id="s", task="recognition", engine="surya", licence="x", served="maker/model")


def test_of_a_served_model_it_is_said_whether_its_server_answers_and_has_it(tmp_path: Path) -> None:
    with server(200, {"data": [{"id": "maker/model"}]}) as url:
        assert try_model(SERVED, tmp_path, server=url).ok
    with server(200, {"data": [{"id": "another"}]}) as url:
        assert "has no model maker/model, but another" in try_model(SERVED, tmp_path, server=url).problem
    with server(500, {}) as url:
        assert "does not answer as one: status 500" in try_model(SERVED, tmp_path, server=url).problem
    with server(200, ["?"]) as url:
        assert "does not answer as one" in try_model(SERVED, tmp_path, server=url).problem
    assert "does not answer" in try_model(SERVED, tmp_path, server="http://127.0.0.1:1/v1").problem
    assert try_model(SERVED, tmp_path).problem == "it is read by a server, and none is set"
