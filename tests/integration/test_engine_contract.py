"""Every engine keeps the contract of its protocol; see :mod:`engine_contract`."""

import pytest
from engine_contract import RecognizerContract, SegmenterContract
from kraken_models import ppocr_network, write

from archive_pipeline.engines.base import Recognizer, Segmenter
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
    @pytest.fixture(scope="class")
    def recognizer(self, tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
        network = ppocr_network(ModelLibrary().installed("ppocr-v6-latin").read())
        return make_recognizer(write(network, tmp_path_factory.mktemp("kraken") / "ppocr.safetensors"))


# surya's engines come here: one class for each protocol, whose fixture gives the engine with random detector weights
# and a fake server (tests/surya_server.py).
