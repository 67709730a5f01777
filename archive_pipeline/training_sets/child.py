"""The handler of the sealed child that opens everything of one folder or ZIP of ground truth.

Requests, each with one open file::

    {"do": "unpack", "limits": {…}}                        ->  Unpacked; the files are in scratch
    {"do": "hand"}                                         ->  Hand
    {"do": "told", "name": "a.xml"}                        ->  ToldImage
    {"do": "page", "name": "a.xml", "dpi": 300}            ->  {"page": Page, "raw": […], "status": "DONE"}
    {"do": "text", "name": "a.gt.txt"}                     ->  {"text": "…"}
    {"do": "image", "name": "a.jpg", "options": {…}}       ->  PageImage; its file is in scratch

One child for all of a set: what a file of it could do to the others is to lie about them, which their maker could
have done at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree

from archive_pipeline.errors import BadTranscription, ChildError, TooLarge, UnsupportedType
from archive_pipeline.ground_truth import alto_xml, page_xml
from archive_pipeline.ground_truth.raw_lines import page_status, raw_lines
from archive_pipeline.ground_truth.told_image import told_image
from archive_pipeline.ground_truth.xml import PageFile, parse
from archive_pipeline.rendering.model import RenderOptions
from archive_pipeline.rendering.pages import inspect, render_page
from archive_pipeline.training_sets.hand import MAX_BYTES, parse_hand
from archive_pipeline.training_sets.names import why_not
from archive_pipeline.unzipping.limits import ZipLimits
from archive_pipeline.unzipping.unpack import unpack

ENTRY = "archive_pipeline.training_sets.child:handle"
_MAX_TEXT = 65_536
_MAX_XML = 64 << 20


def handle(request: dict[str, Any], files: list[BinaryIO], scratch: Path) -> dict[str, Any]:
    """Answer one request.

    Raises:
        ArchiveError: What it says of the file.
    """
    (file,) = files
    do = request["do"]
    if do == "unpack":
        return _dump(unpack(file, scratch, why_not, ZipLimits(**request["limits"])))
    if do == "hand":
        return _dump(parse_hand(_whole(file, MAX_BYTES)))
    if do == "told":
        return _dump(told_image(_root(file, request["name"])))
    if do == "page":
        return _page(file, request["name"], request.get("dpi"))
    if do == "text":
        return {"text": _text(file)}
    if do == "image":
        return _image(file, request["name"], RenderOptions(**request["options"]), scratch)
    raise ChildError(f"ground truth cannot '{do}'")


def _dump(model: Any) -> dict[str, Any]:
    data: dict[str, Any] = model.model_dump(mode="json")
    return data


def _whole(file: BinaryIO, most: int) -> bytes:
    file.seek(0)
    data = file.read(most + 1)
    if len(data) > most:
        raise TooLarge(f"it has more than {most >> 10} kB", remedy="Check that this is the right file.")
    return data


def _root(file: BinaryIO, name: str) -> etree._Element:
    if file.seek(0, 2) > _MAX_XML:
        what = f"it has more than {_MAX_XML >> 20} MB, which no page of text has"
        raise TooLarge(what, remedy="Check that this is the right file.")
    file.seek(0)
    root = parse(file, name)
    if etree.QName(root).localname not in ("PcGts", "alto"):
        raise BadTranscription("this is neither PAGE nor ALTO", document=name)
    return root


def _page(file: BinaryIO, name: str, dpi: float | None) -> dict[str, Any]:
    root = _root(file, name)
    found: PageFile
    if etree.QName(root).localname == "PcGts":
        found = page_xml.parse(root, name)
    else:
        found = alto_xml.parse(root, name, dpi or None)
    return {"page": _dump(found.page), "raw": [_dump(line) for line in raw_lines(root)], "status": page_status(root)}


def _text(file: BinaryIO) -> str:
    try:
        return _whole(file, _MAX_TEXT).decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise BadTranscription(f"it is no text in UTF-8 (byte {error.start})", remedy="Save it as UTF-8.") from None


def _image(file: BinaryIO, name: str, options: RenderOptions, scratch: Path) -> dict[str, Any]:
    info = inspect(file, name, options)
    if info.kind != "image" or info.pages != 1:
        raise UnsupportedType(
            f"it has {info.pages} pages" if info.kind == "image" else "it is a PDF",
            document=name,
            remedy="Give one image file for each transcription.",
        )
    return _dump(render_page(file, info, 0, 1, options, scratch))
