"""PP-OCRv6's recognition with Latin labels only, in ONNX Runtime.

The model knows 18,708 characters, most of them Chinese. The rows of its last layer that belong to other scripts are cut
away after the file's digest was checked: the same text on Latin pages, in less time, and no page of print can come out
with a stray ideograph.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import cv2
import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import numpy_helper

from archive_pipeline.engines.base import Image, each_line, step_of
from archive_pipeline.engines.crops import Quad, Strip, clip, cut_strip, degenerate, line_quad, with_margin
from archive_pipeline.engines.ctc import Decoded, decode
from archive_pipeline.engines.ditto import is_ditto
from archive_pipeline.engines.onnx_session import no_model, session
from archive_pipeline.engines.versions import PPOCR_RECOGNITION
from archive_pipeline.errors import ModelError
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Line, Region, Word, bounding_box

_HEIGHT = 48
_MARGIN = 0.1  # of the line's height, added above and below: detection cuts off circumflexes and tails
_PADDING = 16  # pixels of the strip's edge repeated at both ends; letters at the very edge are else lost
_MIN_CONFIDENCE = 0.5
_DITTO_CONFIDENCE = 0.6  # a mark told by its shape is worth a look
_MAX_WIDTH = 4096
_TOP = _HEIGHT * _MARGIN / (1 + 2 * _MARGIN)  # where the line itself begins in its strip
_PUNCTUATION = "–—‘’“”„†‡•…‰′″⁄€№™⁰⁴⁵⁶⁷⁸⁹ⁿ"


# Many typewriters have one key for 1 and l. A one before an apostrophe and a letter is an article, French or Italian.
_ELISION = re.compile(r"(?<!\w)1(?=['’][^\W\d_])")


def is_latin(char: str) -> bool:
    """Basic Latin to Latin Extended-B, Latin Extended Additional, and the punctuation that goes with them."""
    return ord(char) < 0x250 or 0x1E00 <= ord(char) < 0x1F00 or char in _PUNCTUATION


class PpocrRecognizer:
    """Lines of Latin print and typescript.

    A line whose mean confidence is below 0.5 keeps its place and its confidence but gets no text: what is read there is
    mostly wrong, and invented text is worse than none.
    """

    def __init__(self, model: InstalledModel) -> None:
        parameters: dict[str, str | int | float | bool] = {
            "height": _HEIGHT,
            "margin": _MARGIN,
            "padding": _PADDING,
            "labels": "latin",
            "min_confidence": _MIN_CONFIDENCE,
        }
        self.step = step_of(model, PPOCR_RECOGNITION, parameters)
        weights, self._labels = _with_latin_labels(model)
        self._session = session(weights, model.id)
        self._input = self._session.get_inputs()[0].name

    def recognize(self, image: Image, regions: Sequence[Region]) -> tuple[Region, ...]:
        """See :class:`archive_pipeline.engines.base.Recognizer`."""
        return each_line(regions, lambda line: self._read_line(image, line))

    def _read_line(self, image: Image, line: Line) -> Line:
        quad = with_margin(line_quad(line), _MARGIN)
        if degenerate(quad):
            return line.model_copy(update={"text": "", "confidence": 0.0, "words": ()})
        strip = cut_strip(image, quad, _HEIGHT)
        decoded = self._read_strip(strip)
        if _is_upright(quad):
            # Text in a margin may run up or down; the reading that is more certain tells which.
            other = np.roll(quad, 2, axis=0)
            turned = cut_strip(image, other, _HEIGHT)
            again = self._read_strip(turned)
            if again.confidence > decoded.confidence:
                strip, decoded = turned, again
                line = line.model_copy(update={"baseline": line.baseline[::-1]})
        if is_ditto(strip.image, decoded.text.strip(), decoded.confidence):
            decoded = Decoded('"', _DITTO_CONFIDENCE, (('"', 0.0, float(strip.image.shape[1]), _DITTO_CONFIDENCE),))
        if decoded.confidence < _MIN_CONFIDENCE or not decoded.text.strip():
            return line.model_copy(update={"text": "", "confidence": round(decoded.confidence, 4), "words": ()})
        height, width = image.shape[:2]
        words = tuple(
            Word(
                text=_ELISION.sub("l", text),
                box=bounding_box(clip(strip.page_polygon(left, right, _TOP, _HEIGHT - _TOP), width, height)),
                confidence=round(confidence, 4),
            )
            for text, left, right, confidence in decoded.words
        )
        return line.model_copy(
            update={
                "text": " ".join(word.text for word in words),
                "confidence": round(decoded.confidence, 4),
                "words": words,
            }
        )

    def _read_strip(self, strip: Strip) -> Decoded:
        """Read one strip; positions come back in pixels of the strip without its padding."""
        padded = cv2.copyMakeBorder(strip.image, 0, 0, _PADDING, _PADDING, cv2.BORDER_REPLICATE)
        squeeze = max(1.0, padded.shape[1] / _MAX_WIDTH)
        if squeeze > 1:
            padded = cv2.resize(padded, (_MAX_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
        # Paddle's networks take BGR in [-1, 1].
        x = (padded[:, :, ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
        probabilities: NDArray[np.float32] = self._session.run(None, {self._input: np.ascontiguousarray(x)})[0][0]
        step = padded.shape[1] * squeeze / len(probabilities)
        return decode(probabilities, self._labels, step=step, offset=_PADDING, width=strip.image.shape[1])


def _is_upright(quad: Quad) -> bool:
    along = quad[1] - quad[0]
    return bool(abs(along[1]) > abs(along[0]))


def _with_latin_labels(installed: InstalledModel) -> tuple[bytes, list[str]]:
    """The model with the Latin part of its last layer, and the labels by class; class 0 is the CTC blank."""
    try:
        model = onnx.load_from_string(installed.read())
    except DecodeError as error:
        raise no_model(installed.id, error) from error
    characters = {p.key: p.value for p in model.metadata_props}.get("character", "").split("\n")
    labels = ["", *characters, " "]
    softmax = model.graph.node[-1]
    layer = {
        tensor.name: tensor for tensor in model.graph.initializer if tensor.dims and tensor.dims[-1] == len(labels)
    }
    if softmax.op_type != "Softmax" or len(layer) != 2:
        raise ModelError(f"model {installed.id} is not built as expected: its last layer does not fit its labels")
    keep = [0, *(index for index, label in enumerate(labels) if index and is_latin(label))]
    for tensor in layer.values():
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[..., keep].copy(), tensor.name))
    # Shapes noted for the old layer would contradict the new one.
    del model.graph.value_info[:]
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_value = len(keep)
    return model.SerializeToString(), [labels[index] for index in keep]
