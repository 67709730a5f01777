"""Taking out of a PDF what no reader shows and the PDF/A validator does not know, so that a scan can be archival.

Scanners and their drivers leave thumbnails, private data and an opening view. None of it is on the page, and each
alone would keep a good scan from being PDF/A: the validator refuses what it has no rule for.
"""

from __future__ import annotations

import pikepdf

_OF_PAGES = ("/Thumb", "/PieceInfo", "/Metadata", "/Trans", "/AA")
_OF_CATALOG = ("/OpenAction", "/PieceInfo", "/AA", "/Extensions")


def remove_private_data(pdf: pikepdf.Pdf) -> None:
    """Remove thumbnails, private data, page transitions, opening views, and forms and attachments that are empty."""
    root = pdf.Root
    for name in _OF_CATALOG:
        if name in root:
            del root[name]
    form = root.get("/AcroForm")
    if isinstance(form, pikepdf.Dictionary) and not len(form.get("/Fields", pikepdf.Array())):
        del root["/AcroForm"]
    names = root.get("/Names")
    files = names.get("/EmbeddedFiles") if isinstance(names, pikepdf.Dictionary) else None
    if isinstance(files, pikepdf.Dictionary) and "/Kids" not in files and not len(files.get("/Names", pikepdf.Array())):
        del root["/Names"]["/EmbeddedFiles"]
    for page in pdf.pages:
        for name in _OF_PAGES:
            if name in page.obj:
                del page.obj[name]
