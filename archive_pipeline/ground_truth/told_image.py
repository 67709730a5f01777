"""What a transcription file says of its page image, without reading the rest of it."""

from __future__ import annotations

from lxml import etree
from pydantic import BaseModel, ConfigDict


class ToldImage(BaseModel):
    """All untrusted: any path, any text.

    Attributes:
        name: As the file calls the image.
        digest: SHA-256 of the image file, where the file was written by this program; else empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    digest: str = ""


def told_image(root: etree._Element) -> ToldImage:
    """Look into a parsed PAGE or ALTO file."""
    if etree.QName(root).localname == "PcGts":
        page = root.find("{*}Page")
        name = "" if page is None else page.get("imageFilename") or ""
        digests = [
            item.get("value") or ""
            for item in root.iterfind("{*}Metadata/{*}MetadataItem")
            if item.get("name") == "sha256" and item.get("type") == "imageProperties"
        ]
    else:
        information = "{*}Description/{*}sourceImageInformation"
        name = (root.findtext(f"{information}/{{*}}fileName") or "").strip()
        digests = [
            (each.text or "").strip()
            for each in root.iterfind(f"{information}/{{*}}fileIdentifier")
            if each.get("fileIdentifierLocation") == "sha256"
        ]
    return ToldImage(name=name[:1000], digest=next((each for each in digests if len(each) == 64), ""))
