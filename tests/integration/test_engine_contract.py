"""Every engine keeps the contract of its protocol; see :mod:`engine_contract`."""

import os
from collections.abc import Iterator
from typing import ClassVar

import pytest
from engine_contract import MANY, BlockRecognizerContract, RecognizerContract, Said, SegmenterContract
from kraken_models import ppocr_network, write
from surya_server import RECOGNITION, FakeSurya, fake_surya, layout_json, page_html, write_detector
from surya_server import Said as Answer

from archive_pipeline.engines.base import Image, Recognizer, Segmenter
from archive_pipeline.engines.factory import make_recognizer, make_segmenter
from archive_pipeline.models.library import ModelLibrary


class TestPpocrSegmenter(SegmenterContract):
    @pytest.fixture(scope="class")
    def segmenter(self) -> Segmenter:
        return make_segmenter(ModelLibrary().installed("ppocr-v6-detection"))


class TestKrakenSegmenter(SegmenterContract):
    many_found = 50  # at 1,200 pixels, words of a row are one line

    @pytest.fixture(scope="class")
    def segmenter(self) -> Segmenter:
        return make_segmenter(ModelLibrary().installed("kraken-blla"))


class TestPpocrRecognizer(RecognizerContract):
    @pytest.fixture(scope="class")
    def recognizer(self) -> Recognizer:
        return make_recognizer(ModelLibrary().installed("ppocr-v6-latin"))


class TestKrakenRecognizer(RecognizerContract):
    many = MANY if os.environ.get("ARCHIVE_SLOW_TESTS") else 500  # all of them take torch five minutes

    @pytest.fixture(scope="class")
    def recognizer(self, tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
        network = ppocr_network(ModelLibrary().installed("ppocr-v6-latin").read())
        return make_recognizer(write(network, tmp_path_factory.mktemp("kraken") / "ppocr.safetensors"))


class TestSuryaSegmenter(SegmenterContract):
    many_found = 1  # weights that see ink, smeared: close words and rows are one

    @pytest.fixture(scope="class")
    def segmenter(self, tmp_path_factory: pytest.TempPathFactory) -> Segmenter:
        return make_segmenter(write_detector(tmp_path_factory.mktemp("surya")))


class TestSuryaRecognizer(BlockRecognizerContract):
    server: ClassVar[FakeSurya]

    @pytest.fixture(scope="class")
    def recognizer(self) -> Iterator[Recognizer]:
        with fake_surya() as server:
            type(self).server = server
            yield make_recognizer(RECOGNITION, server.server())

    def say(self, image: Image, blocks: Said) -> None:
        height, width = image.shape[:2]
        told = [
            (
                "Text",
                (
                    1000 * left // width,
                    1000 * top // height,
                    min(1000, -(-1000 * right // width)),
                    min(1000, -(-1000 * bottom // height)),
                ),
                "<p>" + "<br/>".join(texts) + "</p>",
            )
            for (left, top, right, bottom), texts in blocks
        ]
        self.server.page = Answer(page_html(told))
        self.server.layout = Answer(layout_json(told))
        self.server.block = Answer(told[0][2] if told else "")
