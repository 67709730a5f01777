"""Where a person finds the reading view of a document."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class Places:
    """Addresses of reading views.

    Args:
        documents: Folder of the documents in the store.
        results_url: Web address of the results; as long as nobody has set it, files are named instead.
        relative: The report lies in the store beside the documents.
    """

    documents: Path
    results_url: str | None = None
    relative: bool = True

    def view(self, key: str, page: int | None = None) -> str:
        """Web address or path of a document's reading view, or of one page in it."""
        if self.results_url:
            return f"{self.results_url.rstrip('/')}/{quote(key, safe='')}/view/{_name(page)}"
        return str(self.documents / key / "exports" / "view" / _name(page))

    @property
    def report(self) -> str:
        """Web address of the report's page in the store; empty as long as nobody has set that of the results."""
        return f"{self.results_url.rstrip('/')}/_report/index.html" if self.results_url else ""

    def link(self, key: str, page: int | None = None) -> str:
        """The same for a link on the report's page.

        In the store it is a relative one, which leads there from the folder and from the server of the results alike.
        """
        if self.relative:
            return f"../documents/{quote(key, safe='')}/exports/view/{_name(page)}"
        return self.view(key, page) if self.results_url else Path(self.view(key, page)).absolute().as_uri()


def _name(page: int | None) -> str:
    return "index.html" if page is None else f"{page:04d}.html"
