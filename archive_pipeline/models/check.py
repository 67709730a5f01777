"""The sealed look at a model before anybody can see it: what it is, and whether its engine can load it.

Weights are parsed by large C++ libraries, so this is done in a child process that has no network, no secrets, and
nothing to write to but a scratch folder.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from archive_pipeline.errors import ChildError, ChildNotStarted, ModelError, PageTimeout
from archive_pipeline.models.entry import ModelEntry
from archive_pipeline.sealed import Limits, SealedChild

_SECONDS = 300


def check_model(entry: ModelEntry, folder: Path) -> None:
    """Load a model in a sealed child.

    Args:
        folder: Where its files are.

    Raises:
        ModelError: Its engine cannot load it, or it does another task.
        ChildNotStarted: No sealed child can be started here.
        ChildError: It took too long. Neither of the two says anything of the model.
    """
    request = {
        "engine": entry.engine,
        "task": entry.task,
        "files": [str((folder / file.name).absolute()) for file in entry.files],
    }
    try:
        with (
            tempfile.TemporaryDirectory() as scratch,
            SealedChild(
                "archive_pipeline.models.check_child:handle",
                read=[folder],
                write=Path(scratch),
                limits=Limits(memory_mb=6144, file_mb=1024),
            ) as child,
        ):
            child.call(request, timeout=_SECONDS)
    except ChildNotStarted:
        raise
    except PageTimeout:
        raise ChildError(
            f"model {entry.id} was not loaded within {_SECONDS} seconds",
            remedy="Try again when this machine has less to do; what was fetched is kept.",
        ) from None
    except ChildError as error:
        raise ModelError(
            f"model {entry.id} could not be looked at: {error.what}",
            remedy=error.remedy or "A model that breaks what loads it is not used.",
        ) from None
    except ModelError as error:
        raise ModelError(f"model {entry.id} is not used: {error.what}", remedy=error.remedy) from None
