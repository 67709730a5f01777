"""kraken's recognition: models for a script, a hand or a language, as HTRMoPo has them.

Networks of VGSL (CATMuS, McCATMuS and what people trained for themselves) and kraken's own PP-OCRv6, from ``.mlmodel``
or ``.safetensors``. kraken's library is used, never its command line modules, and none of its pools of processes: lines
are read one by one, each cut out of the page with what is around it, so that memory does not grow with the page.
"""

from __future__ import annotations

import importlib.metadata
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from kraken.binarization import nlbin
from kraken.configs import RecognitionInferenceConfig
from kraken.models import load_models
from PIL import Image as PillowImage

from archive_pipeline.engines.base import Image, each_line, step_of
from archive_pipeline.engines.baseline_strips import segmentation_of, to_band, usual_band_of
from archive_pipeline.engines.crops import clip
from archive_pipeline.engines.kraken_decoding import decoder_for
from archive_pipeline.engines.kraken_lines import LinePatch, line_patch
from archive_pipeline.engines.kraken_onnx import OnnxNetwork
from archive_pipeline.engines.line_bands import Band
from archive_pipeline.engines.versions import KRAKEN_LANGUAGE, KRAKEN_RECOGNITION, KRAKEN_STRIPS
from archive_pipeline.errors import ModelError
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.language import LANGUAGE, Language, language_from
from archive_pipeline.page import Direction, Line, Region, Word, bounding_box, clean_text

_PADDING = 16  # kraken's own: white at both ends of a line
_MIN_CONFIDENCE = 0.5
_LEFTWARDS = frozenset({"R", "AL"})


class KrakenRecognizer:
    """Lines by a recognition model of kraken.

    One that was trained here has an ONNX form beside it, which then reads, and the language of its hand.

    As with PP-OCR, a line whose mean confidence is below 0.5 keeps its place and its confidence but gets no text. Lines
    that run to the left get that direction from their letters.
    """

    def __init__(self, model: InstalledModel) -> None:
        model.verify()  # kraken itself wants a path
        torch.set_num_threads(1)
        language = _language(model)
        self._net = _load(model, language)
        derived = model.with_suffix(".onnx")
        if derived is not None:
            self._net.nn = OnnxNetwork(model, model.read(derived))
        legacy = bool(self._net.use_legacy_polygons) and self._net.seg_type != "bbox"
        parameters: dict[str, str | int | float | bool] = {
            "padding": _PADDING,
            "min_confidence": _MIN_CONFIDENCE,
            "legacy_polygons": legacy,
        }
        if language is not None:
            with_it = f"weight {language.weight:g}, bonus {language.bonus:g} ({KRAKEN_LANGUAGE})"
            parameters["language"] = f"{language.order}-grams, {with_it}"
        self._ours = _OnPaper() if derived is not None else None
        if self._ours is not None:
            self._net._line_extraction_pool = self._ours
            parameters["lines"] = f"in a band, on paper ({KRAKEN_STRIPS})"
        self.step = step_of(model, f"{importlib.metadata.version('kraken')}+{KRAKEN_RECOGNITION}", parameters)

    def recognize(self, image: Image, regions: Sequence[Region]) -> tuple[Region, ...]:
        """See :class:`archive_pipeline.engines.base.Recognizer`."""
        pixels = _black_and_white(image) if self._net.one_channel_mode == "1" else image
        if self._ours is not None:
            self._ours.usual = usual_band_of(pixels, (line for region in regions for line in region.lines))
        return each_line(regions, lambda line: self._read_line(pixels, line))

    def _read_line(self, image: Image, line: Line) -> Line:
        patch = line_patch(image, line)
        record = self._read(patch) if patch is not None else None
        if patch is not None and patch.upright and line.direction != "ttb":
            # Text in a margin may run up or down; the reading that is more certain tells which.
            turned = patch.reversed()
            again = self._read(turned)
            if _confidence(again) > _confidence(record):
                patch, record = turned, again
                line = line.model_copy(update={"baseline": line.baseline[::-1]})
        confidence = round(_confidence(record), 4)
        if patch is None or record is None or confidence < _MIN_CONFIDENCE or not str(record).strip():
            return line.model_copy(update={"text": "", "confidence": confidence, "words": ()})
        direction = _direction(str(record), line.direction)
        # The network reads from left to right, whatever the script.
        logical = record.logical_order(base_dir="R" if direction == "rtl" else "L")
        words = _words(logical, patch, image.shape[1], image.shape[0])
        return line.model_copy(
            update={
                "text": clean_text(" ".join(word.text for word in words)),
                "confidence": confidence,
                "words": words,
                "direction": direction,
            }
        )

    def _read(self, patch: LinePatch) -> Any:
        """kraken's record of a line, in display order; None where kraken finds that there is no line."""
        segmentation = segmentation_of(patch)
        if self._net.seg_type == "bbox":
            segmentation = segmentation.to_bbox()
        if self._ours is not None:
            self._ours.patch = patch
        with warnings.catch_warnings(), torch.inference_mode():
            # It is right that an old model gets its lines as it was trained on them, and kraken warns at each.
            warnings.filterwarnings("ignore", message="Using legacy polygon extractor")
            records = list(self._net.predict(im=PillowImage.fromarray(patch.image), segmentation=segmentation))
        return records[0] if records and records[0].prediction else None


def _language(model: InstalledModel) -> Language | None:
    """That of its hand, which only models that were trained here have."""
    file = model.named(LANGUAGE)
    return None if file is None else language_from(model.read(file), LANGUAGE)


def _load(model: InstalledModel, language: Language | None) -> Any:
    """The recognition network of a file, ready.

    Raises:
        ModelError: kraken cannot load the file, or there is no recognition network in it.
    """
    try:
        networks = load_models((model.with_suffix(".safetensors") or model.files[0]).path, tasks=["recognition"])
    except Exception as error:  # whatever kraken raises at a file that is none of its own
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"model {model.id} cannot be loaded by kraken: {reason}", remedy=model.remedy) from error
    network: Any = next((net for net in networks if "recognition" in net.model_type), None)
    if network is None or getattr(network, "codec", None) is None:
        raise ModelError(
            f"model {model.id} has no network that reads lines", remedy="Give a recognition model of kraken."
        )
    network.prepare_for_inference(
        RecognitionInferenceConfig(
            accelerator="cpu",
            device=1,
            num_threads=1,
            num_line_workers=0,  # lines are cut out in this process
            padding=_PADDING,
            bidi_reordering=False,
            decoder=decoder_for(network.codec, language),
        )
    )
    network.nn.to(memory_format=torch.channels_last)  # a quarter less time for VGSL's convolutions
    return network


class _OnPaper:
    """What kraken cuts a line out with, in this process, as our trainings do.

    Attributes:
        usual: Reach of the lines of the page.
        patch: The one line that is read.
    """

    usual: Band | None = None
    patch: LinePatch

    def imap_unordered(
        self, cut: Callable[[int], tuple[PillowImage.Image | None, int]], indexes: Iterable[int]
    ) -> Iterator[tuple[PillowImage.Image | None, int]]:
        for strip, index in map(cut, indexes):
            yield (strip if strip is None or 0 in strip.size else to_band(strip, self.patch, self.usual)), index

    def terminate(self) -> None:
        """Nothing was started."""


def _confidence(record: Any) -> float:
    """Mean over characters; 0 where there are none."""
    return sum(map(float, record.confidences)) / len(record.confidences) if record is not None else 0.0


def _direction(text: str, known: Direction) -> Direction:
    """That of most letters, where the line itself does not know better: segmenters cannot tell it from a shape."""
    if known != "ltr":
        return known
    classes = [unicodedata.bidirectional(character) for character in text]
    leftwards = sum(kind in _LEFTWARDS for kind in classes)
    return "rtl" if leftwards > sum(kind == "L" for kind in classes) else "ltr"


def _words(record: Any, patch: LinePatch, width: int, height: int) -> tuple[Word, ...]:
    """The runs without blanks of a record in logical order, with their places on the page."""
    text = record.prediction
    edges = [0, *(at for at in range(1, len(text)) if text[at].isspace() != text[at - 1].isspace()), len(text)]
    words = []
    for start, end in pairwise(edges):
        run, polygon, confidence = record[start:end]
        run = clean_text(run).strip()
        if run:
            box = bounding_box(clip(patch.on_page(polygon), width, height))
            words.append(Word(text=run, box=box, confidence=round(float(confidence), 4)))
    return tuple(words)


def _black_and_white(image: Image) -> Image:
    """For models that were trained on such pages, by the method of kraken that they were trained with."""
    if image.min() == image.max():  # kraken finds an empty image an error
        return image
    binary = nlbin(PillowImage.fromarray(image)).convert("L")
    return np.repeat(np.asarray(binary)[:, :, None], 3, axis=2)
