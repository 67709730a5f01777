"""Rendering as requests to a sealed child: ``SealedChild("archive_pipeline.rendering.child:handle", …)``.

Requests, each with the one open file::

    {"do": "inspect", "name": "a.pdf", "options": {…}}                        ->  SourceInfo
    {"do": "render", "info": {…}, "index": 0, "number": 1, "options": {…}}    ->  PageImage; its file is in scratch

``options`` are the fields of :class:`RenderOptions`, the results those of the models.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from archive_pipeline.errors import ChildError
from archive_pipeline.rendering.model import RenderOptions, SourceInfo
from archive_pipeline.rendering.pages import inspect, render_page


def handle(request: dict[str, Any], files: list[BinaryIO], scratch: Path) -> dict[str, Any]:
    """Answer one request.

    Raises:
        ArchiveError: See :func:`inspect` and :func:`render_page`.
    """
    (file,) = files
    options = RenderOptions(**request["options"])
    if request["do"] == "inspect":
        return inspect(file, request["name"], options).model_dump(mode="json")
    if request["do"] == "render":
        info = SourceInfo.model_validate(request["info"])
        image = render_page(file, info, request["index"], request["number"], options, scratch)
        return image.model_dump(mode="json")
    raise ChildError(f"rendering cannot '{request['do']}'")
