"""Exports of documents as static files: ``/<key>/<path in the document's exports>``, and ``/_report/…``."""

from __future__ import annotations

import mimetypes
import os
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from archive_pipeline.errors import ArchiveError
from archive_pipeline.keys import DocumentKey

REPORT = "_report"
"""No key begins with an underscore."""
_INERT = "default-src 'none'; sandbox"
_FRAMELESS = "frame-ancestors 'none'"


class ExportFiles(StaticFiles):
    """Starlette's static files, with the exports of each document as its folder.

    Args:
        store: The store's folder; it need not be there yet.
    """

    def __init__(self, store: Path) -> None:
        super().__init__(directory=store, html=True, check_dir=False)
        self._store = store
        self.config_checked = True  # the first document makes the folder

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Where a path of the web is; neither dots nor links lead out of a document's exports."""
        first, _, rest = path.partition("/")
        # As the report links to views, which is read from the folder, too. No export has such a path.
        if first == "documents" and rest.partition("/")[2].startswith("exports/"):
            first, _, rest = rest.partition("/")
            rest = rest.removeprefix("exports/")
        try:
            folder = self._store / ("report" if first == REPORT else f"documents/{DocumentKey(first)}/exports")
            root = folder.resolve(strict=True)
            found = (root / rest).resolve(strict=True)
            return (str(found), found.stat()) if found.is_relative_to(root) else ("", None)
        except (ArchiveError, OSError, ValueError):  # no key, no such file, a name that no file can have
            return "", None

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, with headers by which nothing in it can run that is not ours."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        # By the name, for "not modified" has no type; and what it says a browser takes for the page that it has kept.
        kind = mimetypes.guess_type(full_path)[0]
        # The views have a policy of their own in them; a browser's PDF viewer does not start in a sandbox.
        policy = _FRAMELESS if kind in ("text/html", "application/pdf") else f"{_INERT}; {_FRAMELESS}"
        response.headers["content-security-policy"] = policy
        response.headers["cache-control"] = "no-cache"  # asked for each time, and not sent again where it is the same
        return response
