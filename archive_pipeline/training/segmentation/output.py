"""The trained model as a file that the engine loads."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from kraken.models.writers import write_safetensors
from safetensors import safe_open
from safetensors.torch import save

from archive_pipeline.durable import write_bytes

_META = "kraken_meta"


def write_model(model: Any, path: Path) -> None:
    """Write a network by kraken's own writer; the same weights and metadata give the same bytes.

    kraken names the network within the file by a random number, so that no two files are the same: it is given its
    task's name instead, which kraken reads as well.

    Args:
        model: kraken's object.

    Raises:
        NoSpaceLeft, StorageError: It cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        made = Path(folder) / "model.safetensors"
        write_safetensors([model], made)
        with safe_open(made, framework="pt") as file:  # type: ignore[no-untyped-call]
            ((name, about),) = json.loads(file.metadata()[_META]).items()
            tensors = {key.replace(name, "segmentation", 1): file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    write_bytes(path, save(tensors, {_META: json.dumps({"segmentation": about}, sort_keys=True)}))
