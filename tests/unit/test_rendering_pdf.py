"""PDF pages as page images: which bytes are kept, what is rendered, and where its pixels lie on the page."""

from __future__ import annotations

import io
import itertools
import zlib
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Stream, String
from PIL import Image

from archive_pipeline import errors
from archive_pipeline.rendering import pdf_document
from archive_pipeline.rendering.geometry import PageBox, apply, display, then
from archive_pipeline.rendering.model import PageImage, RenderOptions, SourceInfo
from archive_pipeline.rendering.pages import inspect, render_page

from .rendering_samples import QUADRANTS, encoded, image_stream, jpeg, pdf_of, quadrants, saved

OPTIONS = RenderOptions(dpi=144, max_pixels=4_000_000, max_pages=10)


class Rendered:
    """A page image and what it shows."""

    def __init__(self, record: PageImage, folder: Path) -> None:
        self.record = record
        self.data = (folder / record.file).read_bytes()
        with Image.open(io.BytesIO(self.data)) as image:
            self.image = image.convert("RGB")
            self.mode = image.mode
        assert self.image.size == (record.width, record.height)

    def at(self, x: float, y: float) -> tuple[int, ...]:
        """Colour at a place given in parts of width and height."""
        return self.image.getpixel((int(x * self.image.width), int(y * self.image.height)))

    @property
    def quadrants(self) -> list[tuple[int, ...]]:
        """Colours in the middle of the quarters, as pure as JPEG leaves them."""
        places = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)]
        return [tuple(255 * round(value / 255) for value in self.at(*place)) for place in places]

    def user(self, x: float, y: float) -> tuple[float, float]:
        """User space of a place given in parts of width and height."""
        return apply(self.record.placement, x * self.record.width, y * self.record.height)


def opened(data: bytes) -> SourceInfo:
    return inspect(io.BytesIO(data), "a.pdf", OPTIONS)


def render(data: bytes, folder: Path, options: RenderOptions = OPTIONS, index: int = 0) -> Rendered:
    info = inspect(io.BytesIO(data), "a.pdf", options)
    return Rendered(render_page(io.BytesIO(data), info, index, index + 1, options, folder), folder)


@pytest.fixture(autouse=True)
def _forget():
    yield
    pdf_document.forget()


class TestInspect:
    def test_counts_pages(self):
        pdf = pikepdf.new()
        for _ in range(3):
            pdf.add_blank_page()
        assert opened(saved(pdf)) == SourceInfo(kind="pdf", media_type="application/pdf", pages=3)

    def test_junk_before_the_header(self):
        assert opened(b"\x1b%-12345X@PJL JOB\r\n" * 20 + pdf_of(quadrants())).pages == 1

    def test_passwords(self):
        assert opened(pdf_of(quadrants(), password="")).pages == 1  # an owner's password only
        with pytest.raises(errors.PasswordProtected, match=r"a\.pdf: it asks for a password"):
            opened(pdf_of(quadrants(), password="user"))  # noqa: S106

    def test_no_pages(self):
        with pytest.raises(errors.NoPages):
            opened(saved(pikepdf.new()))

    def test_too_many_pages(self):
        pdf = pikepdf.new()
        for _ in range(11):
            pdf.add_blank_page()
        with pytest.raises(errors.TooLarge, match="11 pages, the limit is 10"):
            opened(saved(pdf))

    @pytest.mark.parametrize("part", [0.02, 0.1, 0.5])
    def test_cut_off_beyond_repair(self, part):
        # With object streams nothing but the images is readable without the end of the file.
        pdf = pikepdf.open(io.BytesIO(pdf_of(Image.effect_noise((300, 300), 50))))
        buffer = io.BytesIO()
        pdf.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        with pytest.raises(errors.DamagedFile):
            opened(buffer.getvalue()[: int(len(buffer.getvalue()) * part)])

    def test_repaired(self):
        data = pdf_of(jpeg())
        assert opened(data[: data.rindex(b"xref")]).pages == 1
        assert opened(data.replace(b"startxref", b"startxxxx")).pages == 1

    @pytest.mark.parametrize(
        ("data", "looks_like"),
        [
            (b"This is my letter.\n" * 100, "a text file"),
            (b"<!DOCTYPE html><html>", "an HTML page"),
            (b"PK\x03\x04....%PDF-1.4", "a ZIP archive"),
            (b"\x8a\x01\x7f\xff" * 50, "none of the types"),
        ],
    )
    def test_something_else_of_that_name(self, data, looks_like):
        with pytest.raises(errors.UnsupportedType, match=f"a.pdf: it looks like {looks_like}"):
            opened(data)

    def test_nothing_in_it(self):
        with pytest.raises(errors.EmptyFile):
            opened(b"")
        with pytest.raises(errors.DamagedFile, match="zero bytes"):
            opened(bytes(5000))


class TestEmbeddedImage:
    def test_a_plain_jpeg_is_kept_byte_for_byte(self, tmp_path):
        data = jpeg()
        page = render(pdf_of(data), tmp_path)
        assert page.data == data
        assert (page.record.file, page.record.method, page.record.dpi) == ("0001.jpg", "embedded-image", 28.8)
        assert page.record.text is None

    @pytest.mark.parametrize(
        "keys",
        [
            {"Filter": Array([Name.DCTDecode])},
            {"ColorSpace": Name.DeviceRGB, "Decode": Array([0, 1, 0, 1, 0, 1])},
            {"Interpolate": True, "Intent": Name.Perceptual},
        ],
    )
    def test_what_does_not_change_a_jpeg(self, tmp_path, keys):
        pdf = pikepdf.new()
        assert render(pdf_of(image_stream(pdf, jpeg(), **keys), pdf=pdf), tmp_path).data == jpeg()

    def test_a_profile_of_as_many_components_does_not_matter(self, tmp_path):
        pdf = pikepdf.new()
        profile = pdf.make_stream(b"", N=3)
        stream = image_stream(pdf, jpeg(), ColorSpace=Array([Name.ICCBased, profile]))
        assert render(pdf_of(stream, pdf=pdf), tmp_path).data == jpeg()

    def test_a_jpeg_in_ascii_is_unpacked(self, tmp_path):
        import base64

        pdf = pikepdf.new()
        stream = image_stream(pdf, jpeg())
        stream.write(base64.a85encode(jpeg()) + b"~>", filter=Array([Name.ASCII85Decode, Name.DCTDecode]))
        assert render(pdf_of(stream, pdf=pdf), tmp_path).data == jpeg()

    @pytest.mark.parametrize(
        ("image", "keys", "shown"),
        [
            (jpeg(), {"Decode": Array([1, 0, 1, 0, 1, 0])}, [tuple(255 - v for v in c) for c in QUADRANTS]),
            (jpeg(Image.new("CMYK", (40, 20), (0, 0, 0, 0))), {}, None),
            (jpeg(exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"), {}, QUADRANTS),
            (
                jpeg(Image.new("L", (4, 2), 100)),
                {"ColorSpace": Array([Name.Indexed, Name.DeviceRGB, 255, String(bytes(768))])},
                None,
            ),
        ],
        ids=["inverted", "CMYK", "EXIF orientation, which PDF ignores", "indexed"],
    )
    def test_other_jpegs_are_decoded_as_a_viewer_shows_them(self, tmp_path, image, keys, shown):
        pdf = pikepdf.new()
        page = render(pdf_of(image_stream(pdf, image, **keys), pdf=pdf), tmp_path)
        assert (page.record.file, page.record.method) == ("0001.png", "embedded-image")
        if shown:
            assert page.quadrants == list(shown)

    def test_flate(self, tmp_path):
        page = render(pdf_of(quadrants(30, 16)), tmp_path)
        assert (page.record.method, page.mode, page.image.size) == ("embedded-image", "RGB", (30, 16))
        assert page.quadrants == list(QUADRANTS)
        assert page.record.dpi == pytest.approx(72 * (30 * 16 / 100 / 50) ** 0.5, abs=0.01)

    @pytest.mark.parametrize("decode", [None, Array([1, 0])])
    def test_ccitt(self, tmp_path, decode):
        image = Image.new("1", (64, 32), 1)
        image.paste(0, (0, 0, 32, 16))
        with Image.open(io.BytesIO(encoded(image, "TIFF", compression="group4"))) as tiff:
            data = tiff.fp.getvalue()[tiff.tag_v2[273][0] :][: tiff.tag_v2[279][0]]
            black_is_1 = tiff.tag_v2[262] == 1
        pdf = pikepdf.new()
        parameters = Dictionary(K=-1, Columns=64, Rows=32, BlackIs1=black_is_1)
        stream = image_stream(pdf, image, **({"Decode": decode} if decode else {}))
        stream.write(data, filter=Name.CCITTFaxDecode, decode_parms=parameters)
        page = render(pdf_of(stream, pdf=pdf), tmp_path)
        assert (page.record.method, page.image.size) == ("embedded-image", (64, 32))
        dark, light = (255, 0) if decode else (0, 255)
        if black_is_1:
            dark, light = light, dark
        assert (page.at(0.2, 0.2)[0], page.at(0.8, 0.8)[0]) in {(dark, light), (light, dark)}

    def test_jpeg_2000(self, tmp_path):
        pdf = pikepdf.new()
        stream = image_stream(pdf, quadrants(64, 32))
        stream.write(encoded(quadrants(64, 32), "JPEG2000"), filter=Name.JPXDecode)
        page = render(pdf_of(stream, pdf=pdf), tmp_path)
        assert (page.record.method, page.quadrants) == ("embedded-image", list(QUADRANTS))

    def test_palette(self, tmp_path):
        pdf = pikepdf.new()
        colours = quadrants().quantize(4)
        palette = String(bytes(colours.getpalette()[:12]))
        stream = image_stream(pdf, Image.frombytes("L", colours.size, colours.tobytes()))
        stream.ColorSpace = Array([Name.Indexed, Name.DeviceRGB, 3, palette])
        assert render(pdf_of(stream, pdf=pdf), tmp_path).quadrants == list(QUADRANTS)

    @pytest.mark.parametrize(
        "content",
        [
            b"q 100 0 0 50 0 0 cm /I0 Do Q q BT 3 Tr /F 8 Tf 1 0 0 1 5 5 Tm (read by another) Tj ET Q",
            b"/Artifact BMC q 100.5 0 0 50.2 -0.3 0 cm /I0 Do Q EMC BT /F 8 Tf (   ) Tj [( ) 20 ()] TJ ET",
            b"1 1 1 rg 0 0 100 50 re f BT /F 8 Tf (under it) Tj ET q 0 0 100 50 re W n 100 0 0 50 0 0 cm /I0 Do Q",
            b"/G gs q 2 0 0 2 0 0 cm 50 0 0 25 0 0 cm /I0 Do Q",
        ],
        ids=["invisible text", "tagged, with blank text", "hidden marks, harmless clip", "scaled twice"],
    )
    def test_what_cannot_be_seen_does_not_count(self, tmp_path, content):
        resources = {"/ExtGState": Dictionary(G=Dictionary(ca=1, BM=Name.Normal, SMask=Name("/None")))}
        page = render(pdf_of(jpeg(), content=content, resources=resources), tmp_path)
        assert (page.data, page.record.text) == (jpeg(), None)

    def test_an_image_in_a_form(self, tmp_path):
        pdf = pikepdf.new()
        form = Stream(pdf, b"q 50 0 0 25 0 0 cm /I Do Q", Type=Name.XObject, Subtype=Name.Form)
        form.BBox, form.Matrix = Array([0, 0, 50, 25]), Array([2, 0, 0, 2, 0, 0])
        form.Resources = Dictionary(XObject=Dictionary(I=image_stream(pdf, jpeg())))
        data = pdf_of(pdf=pdf, content=b"q /Fm Do Q", resources={"/XObject": Dictionary(Fm=form)})
        assert render(data, tmp_path).data == jpeg()

    def test_links_do_not_count(self, tmp_path):
        link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 10, 10]))
        assert render(pdf_of(jpeg(), Annots=Array([link])), tmp_path).data == jpeg()

    @pytest.mark.parametrize("rotate", [0, 90, 180, 270])
    @pytest.mark.parametrize(
        "ctm", list(itertools.product([False, True], [1, -1], [1, -1])), ids=lambda c: f"{'swapped' * c[0]}{c[1]}{c[2]}"
    )
    def test_upright_and_placed_whatever_the_turns(self, tmp_path, rotate, ctm):
        """All 32 combinations, against pdfium's rendering of the same page."""
        swapped, x, y = ctm
        a, b, c, d = (0, 50 * y, 100 * x, 0) if swapped else (100 * x, 0, 0, 50 * y)
        e, f = 10 + (100 if x < 0 else 0), 20 + (50 if y < 0 else 0)
        content = f"q {a} {b} {c} {d} {e} {f} cm /I0 Do Q".encode()
        shown = pdf_of(quadrants(), content=content, box=(10, 20, 110, 70), Rotate=rotate)
        page = render(shown, tmp_path)
        assert page.record.method == "embedded-image"
        reference = pdf_of(quadrants(), content=content + b" 0 0 m 200 0 l S", box=(10, 20, 110, 70), Rotate=rotate)
        rendered = render(reference, tmp_path)
        assert rendered.record.method == "rendered"
        assert page.quadrants == rendered.quadrants
        for place in itertools.product((0, 1), (0, 1)):
            assert page.user(*place) == pytest.approx(rendered.user(*place), abs=1e-4)


class TestRendered:
    @pytest.mark.parametrize(
        ("content", "count", "keys"),
        [
            (b"q 100 0 0 25 0 0 cm /I0 Do Q q 100 0 0 25 0 25 cm /I1 Do Q", 2, {}),
            (b"q 90 0 0 45 0 0 cm /I0 Do Q", 1, {}),
            (b"q 99.9 3 -3 49.9 0 0 cm /I0 Do Q", 1, {}),
            (b"q 100 0 0 50 0 0 cm /I0 Do Q BT /F 8 Tf 50 5 Td (p. 12) Tj ET", 1, {}),
            (b"q 100 0 0 50 0 0 cm /I0 Do Q 0 0 9 9 re f", 1, {}),
            (b"q 100 0 0 50 0 0 cm /I0 Do Q /S sh", 1, {}),
            (b"q 0 0 50 50 re W n 100 0 0 50 0 0 cm /I0 Do Q", 1, {}),
            (b"/OC /Hidden BDC q 100 0 0 50 0 0 cm /I0 Do Q EMC", 1, {}),
            (b"q /G gs 100 0 0 50 0 0 cm /I0 Do Q", 1, {}),
            (b"q 100 0 0 50 0 0 cm /I0 Do Q q 9 0 0 9 5 5 cm BI /W 1 /H 1 /BPC 8 /CS /G ID x EI Q", 1, {}),
            (None, 1, {"CropBox": Array([10, 10, 90, 40])}),
            (None, 0, {}),
        ],
        ids=[
            "strips", "smaller", "slanted", "stamped", "painted over", "shaded", "clipped", "layer", "transparent",
            "inline image", "cropped", "blank",
        ],
    )  # fmt: skip
    def test_anything_but_one_image(self, tmp_path, content, count, keys):
        resources = {
            "/ExtGState": Dictionary(G=Dictionary(ca=0.5)),
            "/Font": Dictionary(F=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)),
        }
        page = render(pdf_of(*[jpeg()] * count, content=content, resources=resources, **keys), tmp_path)
        assert (page.record.method, page.record.file) == ("rendered", "0001.png")
        assert page.record.dpi == pytest.approx(144, abs=1)

    @pytest.mark.parametrize("key", ["SMask", "Mask", "ImageMask"])
    def test_masks(self, tmp_path, key):
        pdf = pikepdf.new()
        mask = image_stream(pdf, Image.new("1" if key == "Mask" else "L", (40, 20), 0))
        stream = image_stream(pdf, Image.new("1", (40, 20)) if key == "ImageMask" else quadrants())
        if key == "ImageMask":
            stream.ImageMask = True
            del stream.ColorSpace
        else:
            if key == "Mask":
                mask.ImageMask = True
                mask.Decode = Array([1, 0])
                del mask.ColorSpace
            stream["/" + key] = mask
        page = render(pdf_of(stream, pdf=pdf), tmp_path)
        assert page.record.method == "rendered"
        assert page.at(0.1, 0.1) == ((0, 0, 0) if key == "ImageMask" else (255, 255, 255))

    def test_a_stamped_scan_keeps_its_resolution(self, tmp_path):
        content = b"q 100 0 0 50 0 0 cm /I0 Do Q 0 0 9 9 re f"
        page = render(pdf_of(quadrants(800, 400), content=content), tmp_path)
        assert (page.record.method, page.image.size, page.record.dpi) == ("rendered", (800, 400), 576)
        coarse = render(pdf_of(quadrants(80, 40), content=content), tmp_path)
        assert coarse.image.size == (200, 100)

    def test_a_small_fine_image_does_not_blow_up_the_page(self, tmp_path):
        content = b"q 2 0 0 1 5 5 cm /I0 Do Q"
        assert render(pdf_of(quadrants(1000, 500), content=content), tmp_path).image.size == (200, 100)

    @pytest.mark.parametrize("rotate", [0, 90, 180, 270])
    @pytest.mark.parametrize("crop", [None, (130, 240, 215, 295)])
    def test_placement_leads_to_what_is_seen(self, tmp_path, rotate, crop):
        """A square at a known place in user space is found again through its pixels."""
        keys = {"CropBox": Array(list(crop))} if crop else {}
        data = pdf_of(content=b"150 260 10 20 re f", box=(100, 200, 300, 301), Rotate=rotate, **keys)
        page = render(data, tmp_path)
        rows, columns = np.nonzero(np.asarray(page.image.convert("L")) < 128)
        first = apply(page.record.placement, columns.min(), rows.min())
        last = apply(page.record.placement, columns.max() + 1, rows.max() + 1)
        corners = sorted(zip(*(first, last), strict=True)), sorted([(150, 160), (260, 280)])
        for found, expected in zip(*corners, strict=True):
            assert sorted(found) == pytest.approx(sorted(expected), abs=0.5)
        left, bottom, right, top = crop or (100, 200, 300, 301)
        xs, ys = zip(*(page.user(*place) for place in itertools.product((0, 1), (0, 1))), strict=True)
        assert (min(xs), min(ys), max(xs), max(ys)) == pytest.approx((left, bottom, right, top), abs=1e-4)

    def test_user_unit(self, tmp_path):
        page = render(pdf_of(content=b"", UserUnit=2), tmp_path)
        assert (page.image.size, page.record.dpi) == ((400, 200), 144)
        assert page.user(1, 0) == pytest.approx((100, 50))

    def test_gray_pages_are_gray(self, tmp_path):
        assert render(pdf_of(content=b"0 0 9 9 re f"), tmp_path).mode == "L"
        assert render(pdf_of(content=b"1 0 0 rg 0 0 9 9 re f"), tmp_path).mode == "RGB"

    def test_filled_fields_and_notes_are_seen(self, tmp_path):
        pdf = pikepdf.new()
        look = Stream(pdf, b"0 0 20 20 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 20, 20]))
        note = Dictionary(Type=Name.Annot, Subtype=Name.Stamp, Rect=Array([0, 0, 20, 20]), F=4, AP=Dictionary(N=look))
        page = render(pdf_of(Image.new("L", (100, 50), 255), pdf=pdf, Annots=Array([note])), tmp_path)
        assert (page.record.method, page.at(0.1, 0.9)) == ("rendered", (0, 0, 0))


class TestRefusedPages:
    def test_a_huge_page(self, tmp_path):
        with pytest.raises(errors.TooLarge, match=r"page 1: the page of 200\.0 x 200\.0 inches") as caught:
            render(pdf_of(content=b"", box=(0, 0, 14400, 14400)), tmp_path)
        assert caught.value.page == 1

    def test_a_huge_image_is_not_decoded(self, tmp_path):
        pdf = pikepdf.new()
        stream = image_stream(pdf, jpeg())
        stream.Width = stream.Height = 50_000
        for content in (None, b"q 1 0 0 1 0 0 cm /I0 Do Q"):
            with pytest.raises(errors.TooLarge, match="50000 x 50000"):
                render(pdf_of(stream, pdf=pdf, content=content), tmp_path)

    @pytest.mark.parametrize("form", ["JPEG", "JPEG2000"])
    def test_a_code_that_is_larger_than_the_pdf_says(self, tmp_path, form):
        pdf = pikepdf.new()
        stream = image_stream(pdf, quadrants())
        filters = {"JPEG": Name.DCTDecode, "JPEG2000": Name.JPXDecode}
        stream.write(encoded(Image.new("RGB", (2500, 2000)), form), filter=filters[form])
        for content in (None, b"q 1 0 0 1 0 0 cm /I0 Do Q"):
            with pytest.raises(errors.TooLarge, match="5000000 pixels"):
                render(pdf_of(stream, pdf=pdf, content=content), tmp_path)

    def test_endless_drawing_instructions(self, tmp_path):
        pdf = pikepdf.new()
        bomb = Stream(pdf, b"")
        packer = zlib.compressobj(1)
        nothing = bytes(1 << 20)
        data = b"".join(packer.compress(nothing) for _ in range(260)) + packer.flush()
        bomb.write(data, filter=Name.FlateDecode)
        pdf.add_blank_page()
        pdf.pages[0].Contents = bomb
        with pytest.raises(errors.TooLarge, match="drawing instructions"):
            render(saved(pdf), tmp_path)

    def test_pages_that_a_cut_has_taken_are_not_blank(self, tmp_path):
        pdf = pikepdf.new()
        for seed in range(4):
            pdf_of(jpeg(Image.effect_noise((200, 100), 20 + seed)), pdf=pdf)
        data = saved(pdf)
        cut = data[: int(len(data) * 0.6)]
        assert opened(cut).pages == 4
        assert render(cut, tmp_path).record.method == "embedded-image"
        with pytest.raises(errors.DamagedFile, match="page 4: a part of the page is missing"):
            render(cut, tmp_path, index=3)

    def test_a_jpeg_without_its_end(self, tmp_path):
        pdf = pikepdf.new()
        stream = image_stream(pdf, jpeg())
        stream.write(jpeg(quadrants(400, 200))[:2000], filter=Name.DCTDecode)
        with pytest.raises(errors.DamagedFile, match="truncated") as caught:
            render(pdf_of(stream, pdf=pdf), tmp_path)
        assert caught.value.page == 1

    def test_an_image_that_is_none(self, tmp_path):
        pdf = pikepdf.new()
        stream = image_stream(pdf, jpeg())
        stream.write(b"\xff\xd8nothing", filter=Name.DCTDecode)
        with pytest.raises(errors.DamagedFile):
            render(pdf_of(stream, pdf=pdf), tmp_path)

    def test_a_page_that_is_none(self, tmp_path):
        pdf = pikepdf.new()
        pdf.add_blank_page()
        pdf.add_blank_page()
        pdf.pages[1].Rotate = 90
        data = saved(pdf).replace(b"/Rotate 90 /Type /Page", b"/Rotate 90 /Type /Font")
        with pytest.raises(errors.DamagedFile, match="page 2"):
            render(data, tmp_path, index=1)
        assert render(data, tmp_path).record.number == 1


class TestDocumentIsKept:
    def test_between_pages_and_not_between_files(self, tmp_path, monkeypatch):
        pdf = pikepdf.new()
        for shade in (0, 100, 200):
            pdf_of(Image.new("L", (10, 5), shade), pdf=pdf)
        (tmp_path / "a.pdf").write_bytes(saved(pdf))
        (tmp_path / "b.pdf").write_bytes(pdf_of(Image.new("L", (10, 5), 50)))
        made = []
        original = pdf_document.OpenPdf.__init__
        monkeypatch.setattr(
            pdf_document.OpenPdf, "__init__", lambda self, *args: (made.append(1), original(self, *args))[1]
        )
        info = SourceInfo(kind="pdf", media_type="application/pdf", pages=3)
        shades = []
        for name, index in (("a", 0), ("a", 1), ("a", 2), ("b", 0), ("a", 0)):
            with (tmp_path / f"{name}.pdf").open("rb") as file:
                record = render_page(file, info, index, index + 1, OPTIONS, tmp_path)
            shades.append(Rendered(record, tmp_path).at(0, 0)[0])
        assert shades == [0, 100, 200, 50, 0]
        assert len(made) == 3

    def test_display_fills_the_pixels(self):
        for rotation in (0, 90, 180, 270):
            to_pixels = display(PageBox(10, 20, 110, 70), rotation, 300, 200)
            corners = sorted(tuple(map(round, apply(to_pixels, x, y))) for x in (10, 110) for y in (20, 70))
            assert corners == [(0, 0), (0, 200), (300, 0), (300, 200)]
            assert then(to_pixels, (1, 0, 0, 1, 0, 0)) == pytest.approx(to_pixels)
