"""Segmentation networks and pages for tests of their training: kraken's own layers, with weights of chance."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import write_safetensors
from kraken_models import installed
from PIL import Image

from archive_pipeline.demo.pages import typed_page
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Page
from archive_pipeline.training_sets.lines import TrainingPage

MAPPING = {
    "aux": {"_start_separator": 0, "_end_separator": 1},
    "baselines": {"default": 2},
    "regions": {"text": 3},
}


def small_network(path: Path) -> InstalledModel:
    """A network like blla, a thousandth of its size, with dropout; the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        network = TorchVGSLModel(
            vgsl="[1,64,0,3 Cr3,3,8,2,2 Gn4 Do0.1,2 Lbx4 O2l4]",
            model_type=["segmentation"],
            class_mapping=MAPPING,
            one_channel_mode="1",
        )
        write_safetensors([network], path)
    return installed(path, "segmentation")


def training_page(folder: Path, number: int, page: Page | None = None, **changes: object) -> TrainingPage:
    """A typed page with its image in a folder."""
    pixels, truth = typed_page(number, [f"Zeile {number}.{row} mit Wörtern" for row in range(20)], seed=number)
    path = folder / f"{number}.png"
    Image.fromarray(np.asarray(pixels)).save(path)
    made = {
        "id": f"set/{number}",
        "group": f"set/{number}",
        "image": path,
        "image_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "page": page or truth,
        "skip": frozenset(),
        "licence": "CC-BY-4.0",
        "origin": "set",
    }
    return TrainingPage(**made | changes)  # type: ignore[arg-type]
