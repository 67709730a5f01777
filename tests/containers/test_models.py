"""Fetching and training in `models` run containers: what they may write, what they reach, what the next one finds."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from containers.outside import Outside
from containers.run_container import in_run_container, profiles_of
from containers.stack import Stack

from archive_pipeline.containers.profiles import Profile
from archive_pipeline.models.library import ModelLibrary

HERE = Path(__file__).parent
DOCKER = HERE.parents[1] / "docker"
FETCH = """
import json, os, sys
from pathlib import Path
from archive_pipeline.errors import ModelError
from archive_pipeline.models.check import check_model
from archive_pipeline.models.entry import ModelEntry
from archive_pipeline.models.fetch import fetch_model
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.network import Network
entry = ModelEntry.model_validate_json(sys.argv[1])
store = "/app/models" if os.access("/app/models", os.W_OK) else "/app/cache"
try:
    found = fetch_model(ModelLibrary(Path(store)).adding(entry), entry, Network(tries=1), check=check_model)
    path = found.model.path
    print(json.dumps({"path": str(path), "inode": path.stat().st_ino}))
except ModelError as error:
    print(json.dumps({"error": str(error)}))
"""
CATALOGUE = "import pathlib, sys; pathlib.Path('/app/models/catalogue.yaml').write_text(sys.argv[1]); print('null')"
VERIFY = """
import json, sys
from pathlib import Path
from archive_pipeline.models.library import ModelLibrary
model = ModelLibrary(Path("/app/models")).installed(sys.argv[1])
model.verify()
print(json.dumps({"digest": model.digest, "path": str(model.path)}))
"""
LOOK = "import os, sys; print(os.stat(sys.argv[1]).st_ino)"
WRITE = """
import errno, json, pathlib, subprocess
def attempt(path):
    try:
        probe = pathlib.Path(path, "probe")
        probe.write_text("#!/bin/sh")
        probe.unlink()
        return "succeeded"
    except OSError as error:
        return errno.errorcode[error.errno]
pathlib.Path("/tmp/x.sh").write_text("#!/bin/sh")
pathlib.Path("/tmp/x.sh").chmod(0o700)
try:
    subprocess.run(["/tmp/x.sh"])
    executes = "succeeded"
except OSError as error:
    executes = errno.errorcode[error.errno]
places = ("/app/models", "/app/cache", "/data/store", "/data/training", "/data/uploads", "/data/ground-truth", "/opt")
print(json.dumps({place: attempt(place) for place in places} | {"execute": executes}))
"""


@pytest.fixture(scope="module")
def profiles(stack: Stack) -> dict[str, Profile]:
    return profiles_of(stack)


def _served(outside: Outside, end: bytes) -> dict[str, Any]:
    """A model at the host outside: the bundled segmenter with other bytes at its end, and its entry."""
    # An unknown field of a protocol buffer: another file, so it must be fetched, and the same model.
    data = ModelLibrary().installed("kraken-blla").read() + b"\xfa\x3f" + bytes([len(end)]) + end
    (outside.folder / "ours.mlmodel").write_bytes(data)
    return {
        "id": "our-blla",
        "task": "segmentation",
        "engine": "kraken",
        "licence": "Apache-2.0",
        "source": {"kind": "web", "url": outside.url},
        "files": [{"name": "ours.mlmodel", "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}],
        "good_for": "our letters",
    }


def test_a_model_is_fetched_once_and_the_next_run_finds_it(profiles: dict[str, Profile], outside: Outside) -> None:
    entry = _served(outside, b"once")
    digest = entry["files"][0]["sha256"]
    first = in_run_container(profiles["models"], FETCH, json.dumps(entry))
    assert first.get("path") == f"/app/models/{digest}/ours.mlmodel", first
    (outside.folder / "ours.mlmodel").unlink()
    assert in_run_container(profiles["models"], FETCH, json.dumps(entry)) == first
    # The other location reads it, too.
    assert in_run_container(profiles["documents"], LOOK, first["path"]) == first["inode"]


def test_a_model_is_fetched_by_a_run_that_materialises_its_asset(
    stack: Stack, profiles: dict[str, Profile], outside: Outside
) -> None:
    entry = _served(outside, b"by a run")
    digest = entry["files"][0]["sha256"]
    in_run_container(profiles["models"], CATALOGUE, yaml.safe_dump([entry]))
    try:
        stack.reload("models")
        run = stack.materialise("models", "models", "our-blla")
        assert stack.wait(run) == "SUCCESS", stack.messages(run)
        # The documents' runs find it, whole.
        found = in_run_container(profiles["documents"], VERIFY, "our-blla")
        assert found == {"digest": digest, "path": f"/app/models/{digest}/ours.mlmodel"}
    finally:
        in_run_container(profiles["models"], CATALOGUE, "[]")
        stack.reload("models")


def test_a_model_is_imported_as_deployment_md_says(stack: Stack, profiles: dict[str, Profile]) -> None:
    """The commands of the docs, with a copy of the bundled segmenter for somebody's own model."""
    model = ModelLibrary().installed("kraken-blla")
    container = stack.container("models")
    subprocess.run(
        ["docker", "exec", "-i", container, "sh", "-c", "cat > /app/models/our.mlmodel"],
        input=model.read() + b"\xfa\x3f\x00",
        check=True,
    )
    described = ("--id", "our-lines", "--task", "segmentation", "--engine", "kraken")
    said = stack.compose(
        "exec", "-T", "models", "archive-pipeline", "models", "import", "/app/models/our.mlmodel", *described
    )
    assert "our-lines" in said
    stack.compose("exec", "-T", "models", "rm", "/app/models/our.mlmodel")
    found = in_run_container(profiles["documents"], VERIFY, "our-lines")
    assert found["path"].endswith("/our.mlmodel")
    assert "our-lines: whole" in stack.compose(
        "exec", "-T", "models", "archive-pipeline", "models", "verify", "our-lines"
    )


def test_a_run_of_documents_cannot_fetch(profiles: dict[str, Profile], outside: Outside) -> None:
    entry = json.dumps(_served(outside, b"no way out"))
    assert "error" not in in_run_container(profiles["models"], FETCH, entry)
    # Its own cache is writable and empty: it would have to fetch.
    assert "HTTPS_PROXY" in in_run_container(profiles["documents"], FETCH, entry)["error"]


@pytest.mark.parametrize(
    ("location", "writable"),
    [("documents", {"/app/cache", "/data/store"}), ("models", {"/app/models", "/app/cache", "/data/training"})],
)
def test_a_run_writes_where_its_profile_says_and_executes_nothing_there(
    profiles: dict[str, Profile], location: str, writable: set[str]
) -> None:
    found = in_run_container(profiles[location], WRITE)
    assert found.pop("execute") == "EACCES"
    assert {place for place, result in found.items() if result == "succeeded"} == writable
    assert set(found.values()) <= {"succeeded", "EROFS", "ENOENT", "EACCES"}
