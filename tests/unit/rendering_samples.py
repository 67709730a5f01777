"""Documents for the tests of rendering, made on the spot."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pikepdf
from fpdf import FPDF
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image

QUADRANTS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))
"""Colours of :func:`quadrants`: top left, top right, bottom left, bottom right."""


def quadrants(width: int = 40, height: int = 20) -> Image.Image:
    image = Image.new("RGB", (2, 2))
    image.putdata(QUADRANTS)
    return image.resize((width, height), Image.Resampling.NEAREST)


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    return encoded(image or quadrants(), "JPEG", quality=95, subsampling=0, **options)


def image_stream(pdf: pikepdf.Pdf, image: Image.Image | bytes, **keys: Any) -> Stream:
    """An image XObject: of JPEG bytes, or of an image of mode 1, L, RGB or CMYK stored with Flate."""
    if isinstance(image, bytes):
        with Image.open(io.BytesIO(image)) as opened:
            mode, size = opened.mode, opened.size
        stream = Stream(pdf, image)
        stream.Filter = Name.DCTDecode
    else:
        mode, size = image.mode, image.size
        stream = Stream(pdf, image.tobytes())
    spaces = {"1": Name.DeviceGray, "L": Name.DeviceGray, "RGB": Name.DeviceRGB, "CMYK": Name.DeviceCMYK}
    stream.Type, stream.Subtype = Name.XObject, Name.Image
    stream.Width, stream.Height = size
    stream.BitsPerComponent = 1 if mode == "1" else 8
    stream.ColorSpace = spaces[mode]
    for key, value in keys.items():
        stream["/" + key] = value
    return stream


def pdf_of(
    *images: Image.Image | bytes | Stream,
    content: bytes | None = None,
    box: Sequence[float] = (0, 0, 100, 50),
    resources: dict[str, Any] | None = None,
    pdf: pikepdf.Pdf | None = None,
    password: str | None = None,
    **page_keys: Any,
) -> bytes:
    """A PDF of one page that paints ``/I0``, ``/I1`` …; by default each over the whole MediaBox."""
    pdf = pdf or pikepdf.new()
    streams = [image if isinstance(image, Stream) else image_stream(pdf, image) for image in images]
    left, bottom, right, top = box
    paint = b"".join(
        f"q {right - left} 0 0 {top - bottom} {left} {bottom} cm /I{i} Do Q\n".encode() for i in range(len(images))
    )
    page = Dictionary(
        Type=Name.Page,
        MediaBox=Array(list(box)),
        Resources=Dictionary(
            {"/XObject": Dictionary({f"/I{i}": s for i, s in enumerate(streams)}), **(resources or {})}
        ),
        Contents=Stream(pdf, paint if content is None else content),
        **page_keys,
    )
    pdf.pages.append(pikepdf.Page(page))
    return saved(pdf, password)


def saved(pdf: pikepdf.Pdf, password: str | None = None, owner: str = "owner") -> bytes:
    buffer = io.BytesIO()
    pdf.save(buffer, encryption=False if password is None else pikepdf.Encryption(owner=owner, user=password))
    return buffer.getvalue()


def text_pdf(lines: Sequence[str], *, size: float = 12, rotate: int = 0, invisible: bool = False) -> bytes:
    """A page of 200 x 200 points with lines of Helvetica, the first baseline at y = 180, 20 points apart."""
    pdf = FPDF(unit="pt", format=(200, 200))
    pdf.set_margin(0)
    pdf.add_page()
    pdf.set_font("Helvetica", size=size)
    if invisible:
        pdf.text_mode = 3
    for number, line in enumerate(lines):
        pdf.text(20, 20 + 20 * number, line)
    data = bytes(pdf.output())
    if not rotate:
        return data
    with pikepdf.open(io.BytesIO(data)) as opened:
        opened.pages[0].Rotate = rotate
        return saved(opened)
