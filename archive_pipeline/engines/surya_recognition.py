"""surya's recognition: a model of 0.65 billion parameters behind a server reads whole pages.

Text comes as HTML blocks with places. A block's lines of text are given to detected lines where it is certain which
is whose (:mod:`archive_pipeline.engines.line_matching`); else the region has its text and no lines. The order is the
server's. The step's parameters say for each page how many blocks there were, and how many are without lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
from PIL import Image as PillowImage
from surya.common.blank import is_blank_region
from surya.recognition import RecognitionPredictor

from archive_pipeline.engines import surya_library
from archive_pipeline.engines.base import Image, step_of
from archive_pipeline.engines.line_matching import fits
from archive_pipeline.engines.serving import Server
from archive_pipeline.engines.surya_answers import block_probabilities
from archive_pipeline.engines.surya_backend import ServedBackend
from archive_pipeline.engines.surya_blocks import (
    BLANK,
    Block,
    block_box,
    box_around,
    make_region,
    region_type,
    with_lines,
)
from archive_pipeline.engines.surya_html import html_lines
from archive_pipeline.engines.versions import SURYA_RECOGNITION
from archive_pipeline.errors import ModelError, ServerFailed
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Line, Region, Word

_MOST_PIXELS = 3072 * 2048  # surya itself sends no larger page
_OTHER = "Run it again, or read this page with another engine or model."


class SuryaRecognizer:
    """Reads pages by surya's ``RecognitionPredictor``.

    Args:
        model: A served model.
        server: Where it is.

    Raises:
        ModelError: There is no server.
    """

    def __init__(self, model: InstalledModel, server: Server | None) -> None:
        if server is None:
            raise ModelError(
                f"model {model.id} is read by a server, and none is set", remedy="Set SURYA_INFERENCE_URL."
            )
        self._version = f"{surya_library.VERSION}+{SURYA_RECOGNITION}"
        self._model = model
        self._at = server.url
        self._backend = ServedBackend(server, model.served)
        self._predictor = RecognitionPredictor(self._backend)
        self.step = step_of(model, self._version, {})

    def recognize(self, image: Image, regions: Sequence[Region]) -> tuple[Region, ...]:
        """See :class:`archive_pipeline.engines.base.Recognizer`. No regions: the server says that the page is blank.

        Raises:
            ServerFailed: There was no answer that could be used.
        """
        height, width = image.shape[:2]
        scaled = _scaled(image)
        self._backend.begin_page()
        (answer,) = self._predictor([scaled])
        blocks = self._blocks(answer.blocks, (width / scaled.width, height / scaled.height), width, height)
        self._require_text(answer.blocks, blocks, scaled)
        made: list[Region] = []
        without_lines = unread = 0
        lines = [line for region in regions for line in region.lines] if blocks else []
        # Lines of a page are marked with its direction; those of a block are put into order once more.
        for block, members in with_lines(blocks, lines, lines[0].direction if lines else "ltr"):
            region = _region(len(made) + 1, block, members)
            without_lines += bool(region.text)
            unread += sum(not line.text for line in region.lines)
            made.append(region)
        self.step = step_of(
            self._model,
            self._version,
            {
                "asked": "page" if self._backend.page_answer else "blocks",
                "blocks": len(blocks),
                "blocks_without_lines": without_lines,
                "lines_unread": unread,
            },
        )
        return tuple(made)

    def _blocks(self, found: Sequence[Any], scale: tuple[float, float], width: int, height: int) -> list[Block]:
        page = self._backend.page_answer
        parts = block_probabilities(page.raw, page.logprobs) if page else []

        def confidence(block: Any) -> float | None:
            """surya gives each block of a page the mean of the page, and says 1.0 where the server gave none."""
            if not self._backend.has_probabilities or block.confidence is None:
                return None
            number = int(block.reading_order)
            return round(min(parts[number] if number < len(parts) else float(block.confidence), 1.0), 4)

        return [
            Block(
                region_type(block.label),
                block_box(block.polygon, scale, width, height),
                html_lines(block.html),
                confidence(block),
            )
            for block in sorted(found, key=lambda block: int(block.reading_order))
            if block.label != BLANK
        ]

    def _require_text(self, found: Sequence[Any], blocks: Sequence[Block], scaled: PillowImage.Image) -> None:
        """An empty page must be one because somebody says so, never for want of an answer."""
        if not blocks and self._backend.page_answer is None and not is_blank_region(scaled):
            raise ServerFailed(f"{self._at} found no blocks on a page that is not blank", remedy=_OTHER)
        read = [block for block in found if not block.skipped]
        if read and not any(block.texts for block in blocks):
            raise ServerFailed(f"{self._at} gave {len(read)} blocks without any text", remedy=_OTHER)


def _region(number: int, block: Block | None, lines: tuple[Line, ...]) -> Region:
    if block is None:
        return make_region(number, "text", box_around(lines), [_unread(line) for line in lines])
    if not block.texts:
        return make_region(number, block.type, block.box, [_unread(line) for line in lines])
    if fits(block.texts, [line.box for line in lines]):
        read = [_read(line, text, block.confidence) for line, text in zip(lines, block.texts, strict=True)]
        return make_region(number, block.type, block.box, read)
    return make_region(number, block.type, block.box, (), "\n".join(block.texts))


def _read(line: Line, text: str, confidence: float | None) -> Line:
    """The place of a word is known only where the line has no other."""
    alone = len(text.split()) == 1
    words = (Word(text=text, box=line.box, confidence=confidence),) if alone else ()
    return line.model_copy(update={"text": text, "confidence": confidence, "words": words})


def _unread(line: Line) -> Line:
    return line.model_copy(update={"text": "", "confidence": None, "words": ()})


def _scaled(image: Image) -> PillowImage.Image:
    height, width = image.shape[:2]
    factor = (_MOST_PIXELS / (width * height)) ** 0.5
    if factor >= 1:
        return PillowImage.fromarray(image)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return PillowImage.fromarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
