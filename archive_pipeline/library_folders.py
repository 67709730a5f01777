"""Where other people's libraries may write, so that none of them takes a folder below the home."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

BELOW_MODELS = {"HTRMOPO_DIR": ".htrmopo", "TORCH_HOME": "torch"}
"""Variables whose folder is below the model store: what is fetched, and costs a download."""

BELOW_CACHE = {
    "HF_HOME": ".",
    "XDG_CACHE_HOME": ".",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "MPLCONFIGDIR": "matplotlib",
    "NUMBA_CACHE_DIR": "numba",
}
"""Variables whose folder is below the cache: what can be made again."""


def library_folders(models: Path, cache: Path) -> dict[str, Path]:
    """Each variable with its folder."""
    return {name: models / below for name, below in BELOW_MODELS.items()} | {
        name: cache / below for name, below in BELOW_CACHE.items()
    }


def fill_in(environment: MutableMapping[str, str], models: Path, cache: Path) -> None:
    """Set each variable that is not set, or is set but empty: an empty one leads libraries to the home folder."""
    for name, folder in library_folders(models, cache).items():
        if not environment.get(name):
            environment[name] = str(folder)
