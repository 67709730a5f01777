"""Where a person finds the reading view of a document."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from archive_pipeline.settings import Settings

_NOWHERE = str(Settings.model_fields["base_url"].default)


@dataclass(frozen=True)
class Places:
    """Addresses of reading views.

    Args:
        documents: Folder of the documents in the store.
        base_url: Where the folder that holds the exports of all documents is on the web; as long as nobody has set
            it, files are named instead.
        relative: The report lies in the store beside the documents.
    """

    documents: Path
    base_url: str = _NOWHERE
    relative: bool = True

    @property
    def on_the_web(self) -> bool:
        return self.base_url.rstrip("/") != _NOWHERE

    def view(self, key: str, page: int | None = None) -> str:
        """Web address or path of a document's reading view, or of one page in it."""
        name = "index.html" if page is None else f"{page:04d}.html"
        if self.on_the_web:
            return f"{self.base_url.rstrip('/')}/{quote(key, safe='')}/view/{name}"
        return str(self.documents / key / "exports" / "view" / name)

    def link(self, key: str, page: int | None = None) -> str:
        """The same for a link on the report's page: relative, where it can be."""
        if self.on_the_web:
            return self.view(key, page)
        if not self.relative:
            return Path(self.view(key, page)).absolute().as_uri()
        name = "index.html" if page is None else f"{page:04d}.html"
        return f"../documents/{quote(key, safe='')}/exports/view/{name}"
