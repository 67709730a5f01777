"""An upload folder that tests look at, with a clock of its own."""

from pathlib import Path

from archive_pipeline.store import Store
from archive_pipeline.uploads.register import UploadRegister
from archive_pipeline.uploads.watch import Look, Rules, Watcher


class Folder:
    """An upload folder with a clock of its own."""

    def __init__(self, root: Path, **rules: float) -> None:
        self.uploads = root / "uploads"
        self.uploads.mkdir()
        self.store = Store(root / "store")
        self.register = UploadRegister(self.store.root)
        self.now = 1_000_000.0
        self.heard: str | None = None
        self.watcher = Watcher(self.uploads, self.store, self.register, Rules(**rules), lambda: self.now)  # type: ignore[arg-type]

    def put(self, name: str, data: bytes = b"%PDF-1.7") -> Path:
        path = self.uploads / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def look(self, after: float = 0, *, heard: bool = True) -> Look:
        """Look once; the result is heard unless the process was killed before."""
        self.now += after
        found = self.watcher.look(self.heard)
        if heard:
            self.heard = found.token
        return found

    def settle(self) -> list[str]:
        """Keys that are taken after everything has been quiet for long enough."""
        self.look()
        return [str(taken.key) for taken in self.look(31).taken]

    def states(self) -> dict[str, str]:
        return {path: upload.state for path, upload in self.register.all().items()}
