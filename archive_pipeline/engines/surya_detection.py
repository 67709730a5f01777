"""surya's line detection in torch, and layout and reading order by its server where there is one.

``DetectionPredictor.local`` is the variant that holds the model itself; surya's usual one starts a server. Its fast
layout and order models are pickles and are never loaded.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from PIL import Image as PillowImage
from safetensors import SafetensorError, safe_open
from surya.common.blank import is_blank_region
from surya.detection import DetectionPredictor

from archive_pipeline.engines import surya_library
from archive_pipeline.engines.base import Image, step_of
from archive_pipeline.engines.baselines import baseline_of
from archive_pipeline.engines.crops import Quad, clip, to_points
from archive_pipeline.engines.line_boxes import size, upright
from archive_pipeline.engines.serving import Server
from archive_pipeline.engines.surya_blocks import box_around, make_region, own_blocks
from archive_pipeline.engines.surya_layout import SuryaLayout
from archive_pipeline.engines.versions import SURYA_SEGMENTATION
from archive_pipeline.errors import ModelError
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Direction, Line, Point, Region

WEIGHTS = "model.safetensors"
_SHORT = 990  # pixels of the scaled page's short side: A4 then has 1,400 in height, which surya looks at in one piece
_LONG = 4 * 1200  # more pieces at once would not fit into a worker's memory: 0.6 GB each
_SMALLEST = 8
_CUTTABLE, _SLIM = 32_000, 500
_NOT_STORED = "num_batches_tracked"


class SuryaSegmenter:
    """Lines by surya's detector.

    Args:
        model: ``model.safetensors``, ``config.json`` and ``preprocessor_config.json`` in one folder. If ``served``
            names a model, layout and reading order are that model's.
        server: Where that model is.

    Raises:
        ModelError: A file is missing, damaged or not what it must be.
    """

    def __init__(self, model: InstalledModel, server: Server | None = None) -> None:
        version = f"{surya_library.VERSION}+{SURYA_SEGMENTATION}"
        parameters: dict[str, str | int | float | bool] = {"short_side": _SHORT, "long_side": _LONG}
        self._layout = None
        if model.served:
            if server is None:
                raise ModelError(f"the layout by {model.served} needs a server", remedy="Set SURYA_INFERENCE_URL.")
            self._layout = SuryaLayout(server, model.served)
            parameters["layout"] = model.served
        self.step = step_of(model, version, parameters)
        _require_own_files(model)
        model.verify()
        try:
            self._detector = DetectionPredictor.local(checkpoint=str(model.folder), device="cpu", dtype=torch.float32)
            stored = _stored_names(model)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"model {model.id} cannot be loaded by surya: {reason}", remedy=model.remedy) from error
        wanted = {name for name in self._detector.model.state_dict() if not name.endswith(_NOT_STORED)}
        if missing := wanted - stored:
            # transformers would fill them with random numbers.
            raise ModelError(f"model {model.id} lacks {len(missing)} of its weights, such as {min(missing)}")

    def segment(self, image: Image, direction: Direction = "ltr") -> tuple[Region, ...]:
        """See :class:`archive_pipeline.engines.base.Segmenter`.

        Raises:
            ServerFailed: The server gave no layout that could be used.
        """
        height, width = image.shape[:2]
        if min(height, width) < _SMALLEST:
            return ()
        scaled = _scaled(image)
        lines = _lines(image, self._detect(scaled, width, height))
        if self._layout is not None and not (not lines and is_blank_region(scaled)):
            return self._layout.regions(scaled, lines, width, height, direction)
        return tuple(
            make_region(number, "table" if is_table else "text", box_around(members), members)
            for number, (members, is_table) in enumerate(own_blocks(lines, direction), start=1)
        )

    def _detect(self, scaled: PillowImage.Image, width: int, height: int) -> list[Quad]:
        """Boxes of lines on the page, corners as :data:`Quad`."""
        (found,) = self._detector([scaled])
        scale = np.array([width / scaled.width, height / scaled.height], dtype=np.float32)
        return [upright(np.asarray(box.polygon, dtype=np.float32) * scale) for box in found.bboxes]


def _scaled(image: Image) -> PillowImage.Image:
    """The page in the size that surya was made for; never larger than it is."""
    height, width = image.shape[:2]
    factor = min(1.0, _SHORT / min(height, width), _LONG / max(height, width))
    if factor == 1.0:
        return PillowImage.fromarray(image)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return PillowImage.fromarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _lines(image: Image, quads: list[Quad]) -> list[Line]:
    height, width = image.shape[:2]
    return [
        Line(
            id=f"l{number}",
            boundary=clip(to_points(quad), width, height),
            baseline=clip(_baseline(image, quad), width, height),
        )
        for number, quad in enumerate(quads, start=1)
    ]


def _baseline(image: Image, quad: Quad) -> tuple[Point, ...]:
    """From the line's ink; where OpenCV cannot cut the line out, which it counts in 16 bits for, where it mostly is."""
    along, across = size(quad)
    if max(image.shape[:2]) < _CUTTABLE and along < _SLIM * across:
        return baseline_of(image, quad)
    return to_points(quad[:2] + 0.8 * (quad[[3, 2]] - quad[:2]))


def _require_own_files(model: InstalledModel) -> None:
    """transformers looks for weights by name, so that a file of another name beside them must not be there."""
    own = {file.path.name for file in model.files}
    if WEIGHTS not in own or model.path.name != WEIGHTS:
        raise ModelError(f"model {model.id} has no {WEIGHTS}, the only file that surya's weights are loaded from")
    folders = {file.path.parent for file in model.files}
    try:
        found = {path.name for folder in folders for path in folder.iterdir()}
    except OSError as error:
        raise ModelError(f"model {model.id} cannot be read: {error.strerror}", remedy=model.remedy) from error
    if len(folders) != 1 or found - own:
        others = ", ".join(sorted(found - own)) or "its files are in several folders"
        raise ModelError(f"beside the files of model {model.id} are others: {others}", remedy="Take them away.")


def _stored_names(model: InstalledModel) -> set[str]:
    with safe_open(model.path, framework="pt") as weights:  # type: ignore[no-untyped-call]
        return set(weights.keys())
