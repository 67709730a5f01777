"""Image files as page images."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from archive_pipeline import errors
from archive_pipeline.rendering.geometry import PageBox, apply, display, inverse, then
from archive_pipeline.rendering.model import PageImage, RenderOptions, SourceInfo
from archive_pipeline.rendering.pages import inspect, render_page

from .rendering_samples import QUADRANTS, encoded, jpeg, quadrants

OPTIONS = RenderOptions(max_pixels=1_000_000, max_pages=5)


def opened(data: bytes, options: RenderOptions = OPTIONS) -> SourceInfo:
    return inspect(io.BytesIO(data), "a.img", options)


def render(data: bytes, folder: Path, index: int = 0) -> tuple[PageImage, Image.Image]:
    record = render_page(io.BytesIO(data), opened(data), index, index + 1, OPTIONS, folder)
    with Image.open(folder / record.file) as image:
        image.load()
    assert image.size == (record.width, record.height)
    assert (record.method, record.placement, record.text) == ("image-file", None, None)
    return record, image


def colours(image: Image.Image) -> list[tuple[int, ...]]:
    """Of the quarters, as pure as JPEG leaves them."""
    w, h = image.size
    places = [(w // 4, h // 4), (3 * w // 4, h // 4), (w // 4, 3 * h // 4), (3 * w // 4, 3 * h // 4)]
    return [tuple(255 * round(value / 255) for value in image.convert("RGB").getpixel(place)) for place in places]


def png_header(width: int, height: int) -> bytes:
    """A PNG of that size whose data never come."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


class TestInspect:
    @pytest.mark.parametrize(
        ("form", "media_type"),
        [
            ("TIFF", "image/tiff"),
            ("JPEG", "image/jpeg"),
            ("PNG", "image/png"),
            ("JPEG2000", "image/jp2"),
            ("WEBP", "image/webp"),
        ],
    )
    def test_types(self, form, media_type, tmp_path):
        data = encoded(quadrants(64, 32), form, **({"lossless": True} if form == "WEBP" else {}))
        assert opened(data) == SourceInfo(kind="image", media_type=media_type, pages=1)
        assert colours(render(data, tmp_path)[1]) == list(QUADRANTS)

    def test_frames_of_a_tiff_but_not_its_thumbnails(self, tmp_path):
        frames = [Image.new("L", (8, 4), shade) for shade in (0, 50, 100, 150)]
        thumbnail = TiffImagePlugin.ImageFileDirectory_v2()
        thumbnail[254] = 1
        buffer = io.BytesIO()
        with TiffImagePlugin.AppendingTiffWriter(buffer, new=True) as writer:
            for number, frame in enumerate(frames):
                frame.save(writer, "TIFF", tiffinfo=thumbnail if number == 1 else {})
                writer.newFrame()
        data = buffer.getvalue()
        assert opened(data).pages == 3
        assert [render(data, tmp_path, index)[1].getpixel((0, 0)) for index in range(3)] == [0, 100, 150]

    def test_limits(self):
        many = encoded(Image.new("L", (2, 2)), "TIFF", save_all=True, append_images=[Image.new("L", (2, 2))] * 5)
        with pytest.raises(errors.TooLarge, match="more than 5 pages"):
            opened(many)
        with pytest.raises(errors.TooLarge, match="1001000 pixels, the limit is 1000000"):
            opened(png_header(1001, 1000))
        assert opened(png_header(1000, 1000)).pages == 1

    def test_a_bomb_is_refused_at_once(self):
        data = png_header(50_000, 50_000)
        begin = time.monotonic()
        tracemalloc.start()
        try:
            with pytest.raises(errors.TooLarge, match="2500000000 pixels"):
                opened(data, RenderOptions())
            assert tracemalloc.get_traced_memory()[1] < 10 << 20
        finally:
            tracemalloc.stop()
        assert time.monotonic() - begin < 2

    def test_what_is_no_image_after_all(self):
        with pytest.raises(errors.DamagedFile, match=r"a\.img"):
            opened(b"\xff\xd8\xff\xe0 and no more")


class TestRender:
    def test_plain_files_are_copied(self, tmp_path):
        for data, name in ((jpeg(), "0001.jpg"), (jpeg(quadrants().convert("L")), "0001.jpg")):
            record, _ = render(data, tmp_path)
            assert (record.file, (tmp_path / name).read_bytes()) == (name, data)
        png = encoded(quadrants(), "PNG")
        assert (tmp_path / render(png, tmp_path)[0].file).read_bytes() == png

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("form", ["JPEG", "TIFF", "PNG", "WEBP"])
    def test_every_exif_orientation(self, tmp_path, orientation, form):
        upright = quadrants()
        stored = {
            2: Image.Transpose.FLIP_LEFT_RIGHT,
            3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE,
            6: Image.Transpose.ROTATE_90,
            7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270,
        }.get(orientation)
        image = upright.transpose(stored) if stored is not None else upright
        exif = Image.Exif()
        exif[0x0112] = orientation
        options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(form, {})
        record, page = render(encoded(image, form, exif=exif, **options), tmp_path)
        assert (page.size, colours(page)) == ((40, 20), list(QUADRANTS))
        assert record.file == ("0001.jpg" if form == "JPEG" and orientation == 1 else "0001.png")

    @pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
    def test_broken_exif_data_do_not_matter(self, tmp_path):
        data = jpeg(exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\xff")
        assert render(data, tmp_path)[0].file == "0001.jpg"

    @pytest.mark.parametrize(
        ("image", "form", "mode", "shown"),
        [
            (quadrants().quantize(4), "PNG", "RGB", QUADRANTS),
            (Image.new("P", (4, 4), 3), "PNG", "L", None),
            (Image.new("1", (40, 20), 1), "TIFF", "L", [(255, 255, 255)] * 4),
            (Image.new("CMYK", (40, 20), (0, 255, 255, 0)), "TIFF", "RGB", [(255, 0, 0)] * 4),
            (Image.new("CMYK", (40, 20), (0, 255, 255, 0)), "JPEG", "RGB", [(255, 0, 0)] * 4),
            (Image.new("RGBA", (40, 20), (255, 0, 0, 0)), "PNG", "L", [(255, 255, 255)] * 4),
            (Image.new("RGBA", (40, 20), (0, 0, 255, 255)), "WEBP", "RGB", [(0, 0, 255)] * 4),
            (Image.new("LA", (40, 20), (0, 0)), "PNG", "L", [(255, 255, 255)] * 4),
            (Image.new("LAB", (40, 20), (255, 128, 128)), "TIFF", "RGB", None),
        ],
        ids=["palette", "grey palette", "1 bit", "CMYK TIFF", "CMYK JPEG", "RGBA", "WebP", "LA", "Lab"],
    )
    def test_any_mode_becomes_grey_or_rgb(self, tmp_path, image, form, mode, shown):
        record, page = render(encoded(image, form), tmp_path)
        assert (record.file, page.mode) == ("0001.png", mode)
        if shown:
            assert colours(page) == list(shown)

    @pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
    @pytest.mark.parametrize("form", ["TIFF", "PNG"])
    def test_deep_samples(self, tmp_path, bits, form):
        samples = np.linspace(0, 2**bits - 1, 256).reshape(16, 16).astype(np.uint16)
        _, page = render(encoded(Image.fromarray(samples), form), tmp_path)
        found = np.asarray(page).astype(int)
        assert (page.mode, found.min(), found.max()) == ("L", 0, 255)
        assert np.abs(found - samples * 255.0 / (2**bits - 1)).max() <= 1

    def test_float_samples(self, tmp_path):
        samples = np.array([[0, 0.5], [1, float("nan")]], np.float32)
        _, page = render(encoded(Image.fromarray(samples), "TIFF"), tmp_path)
        assert np.asarray(page).tolist() == [[0, 127], [255, 0]]

    def test_transparent_colour(self, tmp_path):
        _, page = render(encoded(Image.new("RGB", (4, 4), (9, 8, 7)), "PNG", transparency=(9, 8, 7)), tmp_path)
        assert page.getpixel((0, 0)) == 255

    @pytest.mark.parametrize(("dpi", "expected"), [((300, 300), 300), ((1, 1), 0), ((9600, 9600), 0), (None, 0)])
    def test_dpi(self, tmp_path, dpi, expected):
        for form in ("TIFF", "PNG"):
            record, page = render(encoded(quadrants(), form, **({"dpi": dpi} if dpi else {})), tmp_path)
            assert record.dpi == pytest.approx(expected, abs=0.1)
            if form == "TIFF" and expected:
                assert page.info["dpi"][0] == pytest.approx(300, abs=0.1)

    @pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "JPEG2000", "WEBP"])
    def test_a_cut_file_is_an_error_of_the_page(self, tmp_path, form):
        noise = Image.effect_noise((300, 300), 80)
        data = encoded(noise, form, **({"compression": "tiff_lzw"} if form == "TIFF" else {}))
        info = opened(data)
        with pytest.raises(errors.DamagedFile) as caught:
            render_page(io.BytesIO(data[: len(data) // 2]), info, 0, 7, OPTIONS, tmp_path)
        assert caught.value.page == 7
        assert list(tmp_path.iterdir()) == []


boxes = st.builds(
    lambda left, bottom, width, height: PageBox(left, bottom, left + width, bottom + height),
    *[st.floats(-1000, 1000)] * 2,
    *[st.floats(1, 5000)] * 2,
)


class TestGeometry:
    @given(boxes, st.sampled_from([0, 90, 180, 270]), st.integers(1, 9000), st.integers(1, 9000))
    @settings(max_examples=200)
    def test_display_fills_the_page_image_and_comes_back(self, box, rotation, width, height):
        to_pixels = display(box, rotation, width, height)
        corners = [(x, y) for x in (box.left, box.right) for y in (box.bottom, box.top)]
        pixels = [apply(to_pixels, *corner) for corner in corners]
        expected = {(x, y) for x in (0, width) for y in (0, height)}
        assert {(round(x, 3), round(y, 3)) for x, y in pixels} == expected
        for corner, pixel in zip(corners, pixels, strict=True):
            assert apply(inverse(to_pixels), *pixel) == pytest.approx(corner, abs=1e-6 * 10_000)
            assert apply(then(to_pixels, inverse(to_pixels)), *corner) == pytest.approx(corner, abs=1e-2)
