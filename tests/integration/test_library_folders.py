"""Libraries write where they may, and nowhere else: not below the home, not where the process happens to stand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests_support import files_below

from archive_pipeline.library_folders import BELOW_CACHE, BELOW_MODELS, fill_in

ROOT = Path(__file__).parents[2]
MODULES = (
    "archive_pipeline.engines.ppocr_detection",
    "archive_pipeline.engines.ppocr_recognition",
    "archive_pipeline.engines.kraken_segmentation",
    "archive_pipeline.engines.kraken_recognition",
    "archive_pipeline.processing.page_worker",
    "coremltools",
    "htrmopo",
    "huggingface_hub",
    "lightning",
    "numba",
    "rapidocr",
    "safetensors.torch",
    "skimage.filters",
    "surya.detection",
    "surya.settings",
    "torch.hub",
    "torchvision",
    "transformers.models.auto",
)
"""What a process of ours may come to import, beside what these import."""

WATCHED = """
import importlib, json, os, sys

written, connected = set(), set()
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod",
           "shutil.rmtree", "tempfile.mkdtemp", "tempfile.mkstemp", "sqlite3.connect"}


def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        changes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        if isinstance(path, (str, bytes)) and (changes or set(mode or "") & set("wax+")):
            written.add(os.path.abspath(os.fsdecode(path)))
    elif event in CHANGES:
        # A path may be relative to an open folder, whose descriptor comes last.
        folder = arguments[-1] if event.startswith("os.") else -1
        base = os.readlink(f"/proc/self/fd/{folder}") if isinstance(folder, int) and folder > 2 else os.getcwd()
        for path in arguments[:2]:
            if isinstance(path, (str, bytes)):
                written.add(os.path.abspath(os.path.join(base, os.fsdecode(path))))
    elif event in ("socket.connect", "socket.getaddrinfo"):
        connected.add(str(arguments[-1] if event == "socket.connect" else arguments[0]))


sys.addaudithook(watch)
failed = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = repr(error)
import numba

numba.njit(cache=False)(lambda x: x + 1)(1)
import torch.hub

print(json.dumps({"written": sorted(written), "connected": sorted(connected), "failed": failed,
                  "torch": torch.hub.get_dir(),
                  "surya": sys.modules["surya.settings"].settings.MODEL_CACHE_DIR}))
"""


def image_environment(at: Path) -> dict[str, str]:
    """The environment that docker/Dockerfile sets, with its folders below ``at``."""
    text = (ROOT / "docker" / "Dockerfile").read_text("utf-8")
    block = re.findall(r"^ENV ((?:.*\\\n)*.*)$", text, re.MULTILINE)[-1]
    pairs = dict(pair.split("=", 1) for pair in block.replace("\\\n", " ").split())
    folders = {name: str(at) + value for name, value in pairs.items() if re.match(r"/(app|data|home|run)\b", value)}
    return pairs | folders


def of_image(at: Path) -> dict[str, str]:
    return image_environment(at)


def all_empty(at: Path) -> dict[str, str]:
    """Variables that are set, but to nothing, as a Compose file leaves them; ``fill_in`` has to see to it."""
    environment = image_environment(at) | dict.fromkeys([*BELOW_MODELS, *BELOW_CACHE], "")
    fill_in(environment, at / "app" / "models", at / "app" / "cache")
    return environment


def test_the_image_sets_every_variable_as_the_library_would(tmp_path: Path) -> None:
    filled: dict[str, str] = {}
    fill_in(filled, tmp_path / "app" / "models", tmp_path / "app" / "cache")
    assert {name: image_environment(tmp_path)[name] for name in filled} == filled


@pytest.mark.parametrize("environment", [of_image, all_empty])
def test_importing_every_engine_writes_nowhere_but_to_the_declared_folders(
    tmp_path: Path, environment: Callable[[Path], dict[str, str]]
) -> None:
    for name in ("app/models", "app/cache", "home/ocr", "elsewhere", "tmp"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("home/ocr", "home", "elsewhere"):
        (tmp_path / name).chmod(0o555)
    variables = environment(tmp_path) | {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(tmp_path / "tmp"),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *MODULES],
        env=variables,
        cwd=tmp_path / "elsewhere",
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["failed"] == {}
    assert seen["connected"] == []
    allowed = [str(tmp_path / name) for name in ("app/models", "app/cache", "tmp")]
    outside = [path for path in seen["written"] if not path.startswith((*allowed, "/dev/", "/proc/self/"))]
    assert outside == []
    # What is written without Python's knowledge does not come by the hook.
    assert [name for name in files_below(tmp_path) if not name.startswith(("app/models", "app/cache", "tmp"))] == []
    assert seen["torch"] == str(tmp_path / "app/models/torch/hub")
    assert seen["surya"].startswith(str(tmp_path / "app/cache"))
