"""Small helpers of the tests."""

from pathlib import Path


def files_below(folder: Path) -> list[str]:
    """Relative paths of all files, in order."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
