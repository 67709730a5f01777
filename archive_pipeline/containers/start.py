"""The first thing in every container: warn of what is weaker than the baseline, then become the command.

python -m archive_pipeline.containers.start COMMAND [ARGUMENT…]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from archive_pipeline.containers.canary import weaknesses
from archive_pipeline.library_folders import fill_in


def main(command: list[str]) -> None:
    """Warn, and become the command."""
    fill_in(os.environ, Path(os.environ.get("MODELS_DIR") or "/app/models"), Path("/app/cache"))
    try:
        for weakness in weaknesses():
            print(f"WARNING: {weakness}", file=sys.stderr, flush=True)
    # A look that fails, or a kernel that says it in another way, must not keep a container from its work.
    except (OSError, ValueError, LookupError, ImportError) as error:
        print(f"WARNING: this container could not be looked at: {error!r}", file=sys.stderr, flush=True)
    try:
        os.execvp(command[0], command)  # noqa: S606 - a list of arguments, no shell
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:] or ["archive-pipeline", "--help"])
