"""A document read by surya: its own detector and client, sealed, and a server on this machine that plays its model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from surya_server import (
    Bar,
    FakeSurya,
    Said,
    draw,
    fake_surya,
    install_detector,
    layout_json,
    page_html,
    thousandths,
)

from archive_pipeline.exports.formats import FORMATS
from archive_pipeline.page import Page
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.processor import Processor
from archive_pipeline.store import Store

HEADING = [Bar.of("Registre des délibérations", 200, 80)]
LETTER = [
    Bar.of("Le conseil s'est réuni le 4 mars", 100, 300, letter=18),
    Bar.of("à la mairie, sous la présidence", 100, 380, letter=18),
    Bar.of("de M. Durand, maire.", 100, 460, letter=18),
]
CELLS = [Bar.of("Dupont", 100, 700), Bar.of("1914", 600, 700), Bar.of("Martin", 100, 780), Bar.of("1915", 600, 780)]
STAMP = [Bar.of("VU", 800, 1250)]
BLOCKS = [
    ("Section-Header", thousandths(HEADING), "<h1>Registre des <i>délibérations</i></h1>"),
    ("Text", thousandths(LETTER), "<p>" + "<br/>".join(bar.text for bar in LETTER) + "</p>"),
    (
        "Table",
        thousandths(CELLS),
        "<table><tr><td>Dupont</td><td>1914</td></tr><tr><td>Martin</td><td>1915</td></tr></table>",
    ),
]


def write_page(path: Path, bars: list[Bar]) -> Path:
    Image.fromarray(draw(bars)).save(path, dpi=(120, 120))
    return path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    install_detector(folder)
    return folder


@pytest.fixture
def surya() -> Iterator[FakeSurya]:
    with fake_surya(page=Said(page_html(BLOCKS)), layout=Said(layout_json(BLOCKS))) as server:
        yield server


@pytest.fixture(scope="module")
def read(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[Page], FakeSurya]]:
    """A document of three pages by ``Processor``: its folder of exports, its pages, the server."""
    folder = tmp_path_factory.mktemp("document")
    source = folder / "register"
    source.mkdir()
    write_page(source / "1.png", HEADING + LETTER + CELLS + STAMP)
    write_page(source / "2.png", [])
    write_page(source / "3.png", LETTER)

    def page(image: Image.Image) -> Said:
        low = image.convert("L").resize((10, 14)).point(lambda value: 255 if value < 250 else 0)
        inked = sum(1 for value in low.tobytes() if value)
        return Said(page_html(BLOCKS if inked > 30 else [BLOCKS[1]]), probability=0.8)

    store = Store(folder / "store")
    key = store.register(source, folder)
    with fake_surya(page=page, layout=Said(layout_json(BLOCKS))) as server:
        options = ProcessingOptions(
            engine="surya", models_dir=models, surya_url=server.url, workers=1, formats=tuple(FORMATS)
        )
        with Processor(store, options) as processor:
            list(processor.process(key))
        exports = store.document(key).exports
        pages = [Page.model_validate_json(p.read_bytes()) for p in sorted((exports / "pages").glob("*.json"))]
        yield exports, pages, server


def test_a_document_is_read_through_the_sealed_child(read: tuple[Path, list[Page], FakeSurya]) -> None:
    _, pages, server = read
    first, second, third = pages
    assert [page.status for page in pages] == ["done", "blank", "done"]
    assert [region.type for region in first.regions] == ["heading", "text", "table", "text"]
    assert [line.text for line in first.lines()][:4] == [bar.text for bar in HEADING + LETTER]
