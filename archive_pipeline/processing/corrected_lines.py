"""On which lines of a page holds now what people wrote on it.

A line's name says nothing by itself. When a document is segmented anew, ``l1`` is another line; when its scan is
replaced, it is a line of another picture. So corrections that know their place are put where that is, and corrections
of another picture are put nowhere: both stay in the file and are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archive_pipeline.ground_truth.matching import match_lines, scaled
from archive_pipeline.ground_truth.xml import direction_of
from archive_pipeline.page import Line, Page
from archive_pipeline.processing.correction_layer import Correction, PageCorrections
from archive_pipeline.rendering.model import PageImage

_TURNED = 0.02
"""How far the shapes of two renderings of one scan may differ."""


@dataclass(frozen=True)
class Applied:
    """Corrections on the lines that a page has now.

    Attributes:
        texts: Line id of the page -> text.
        drawn: Corrected lines that know their place, and where the machine has no such line: with the text in
            ``correction``, in pixels of the page, under ids that the page does not have.
        lost: Ids of corrections that are nowhere on the page.
        other_picture: They were written on another picture, so that none of them is on the page.
    """

    texts: dict[str, str]
    drawn: tuple[Line, ...] = ()
    lost: tuple[str, ...] = ()
    other_picture: bool = False


def corrections_on(page: Page, image: PageImage | None, layer: PageCorrections) -> Applied:
    """Put corrections on the lines of a page, by their place where they know it, else by their names.

    Args:
        page: As a machine read it, or its lines before.
        image: Record of its page image.
    """
    if not layer.lines:
        return Applied({})
    if not _same_picture(page, image, layer):
        return Applied({}, lost=tuple(sorted(layer.lines)), other_picture=True)
    homes = homes_of(page, layer)
    texts = {home: layer.lines[name].text for name, home in homes.items()}
    placed = drawn_lines(page, layer, homes)
    drawn = tuple(line for name, line in placed.items() if layer.lines[name].text.strip())
    return Applied(texts, drawn, lost=tuple(sorted(layer.lines.keys() - homes.keys() - placed.keys())))


def drawn_lines(page: Page, layer: PageCorrections, homes: Mapping[str, str]) -> dict[str, Line]:
    """Name of each correction that knows its place, where the page has no such line -> that line.

    Args:
        homes: As :func:`homes_of` gives them.

    Returns:
        In pixels of the page, with the text in ``correction``, which may be empty, under ids that the page does not
        have.
    """
    taken = {line.id for line in page.lines()}
    return {
        name: _drawn(name if name not in taken else f"{name}-by-people", layer.lines[name], layer.scale_to(page))
        for name in sorted(layer.lines.keys() - homes.keys())
        if layer.lines[name].boundary or layer.lines[name].baseline
    }


def _drawn(name: str, correction: Correction, scale: tuple[float, float]) -> Line:
    line = Line(
        id=name,
        boundary=correction.boundary,
        baseline=correction.baseline,
        correction=correction.text,
        direction=direction_of(correction.text),
    )
    return scaled(line, *scale)


def homes_of(page: Page, layer: PageCorrections) -> dict[str, str]:
    """Name of each correction -> id of the line of the page that has its place now; of the same picture."""
    lines = list(page.lines())
    names = {line.id for line in lines}
    placed = {name: each for name, each in layer.lines.items() if each.boundary or each.baseline}
    across, down = layer.scale_to(page)
    now = {line.id: line for line in lines}
    if across == down == 1 and all(_unmoved(now.get(name), each) for name, each in placed.items()):
        homes = {name: name for name in placed}
    else:
        order = sorted(placed)
        then = [
            scaled(Line(id=name, boundary=placed[name].boundary, baseline=placed[name].baseline), across, down)
            for name in order
        ]
        homes = {order[one]: lines[other].id for one, other in match_lines(then, lines).items()}
    free = names - set(homes.values())
    return homes | {name: name for name in layer.lines.keys() - placed.keys() if name in free}


def _unmoved(line: Line | None, correction: Correction) -> bool:
    return line is not None and (line.boundary, line.baseline) == (correction.boundary, correction.baseline)


def _same_picture(page: Page, image: PageImage | None, layer: PageCorrections) -> bool:
    """Whether a page shows what the corrections were written on: the same image, or the same scan rendered anew."""
    now = page.image_digest or (image.sha256 if image else "")
    if not layer.image or not now or layer.image == now:
        return True
    if image is None or not layer.source or image.source != layer.source:
        return False
    if not layer.width or not layer.height:
        return True
    across, down = page.width / layer.width, page.height / layer.height
    return abs(across - down) <= _TURNED * max(across, down)
