"""What a PDF page paints, as far as that decides whether the page is one image.

The content stream is followed operator by operator (PDF 32000-1, annex A). Anything that is not understood for
certain makes the answer "no": the page is then rendered, which is always right and only slower.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pikepdf
from pikepdf import Name

from archive_pipeline.rendering.bombs import MALFORMED, unpacked_size
from archive_pipeline.rendering.geometry import PageBox, box_of, then
from archive_pipeline.rendering.model import Matrix

IDENTITY: Matrix = (1, 0, 0, 1, 0, 0)
# The page of a scan has a few hundred bytes, with a layer of text a few hundred thousand.
_MAX_CONTENT = 8 << 20
_MAX_DEPTH = 4

_FILL_OR_STROKE = frozenset({"S", "s", "f", "F", "f*", "B", "B*", "b", "b*"})
_PATH = frozenset({"m", "l", "c", "v", "y", "h"})
_SHOW_TEXT = frozenset({"Tj", "TJ", "'", '"'})
_OPERATORS = " ".join(sorted(_FILL_OR_STROKE | _PATH | _SHOW_TEXT)) + " q Q cm gs Do re W W* n Tr BDC BI ID EI sh"
_INVISIBLE, _CLIP_MODES = 3, range(4, 8)


class NotUnderstood(Exception):
    """The page paints something in a way that is not followed here."""


@dataclass(frozen=True)
class PaintedImage:
    """An image on the page.

    Attributes:
        xobject: Its dictionary.
        ctm: Maps the unit square to user space.
        opaque: It hides whatever is under it: no mask, no transparency, no blending.
        size: Width and height in pixels, as the dictionary has them.
    """

    xobject: pikepdf.Object
    ctm: Matrix
    opaque: bool
    size: tuple[int, int]

    @property
    def box(self) -> PageBox:
        return box_of(self.ctm, 0, 0, 1, 1)


@dataclass
class Content:
    """What a page paints, in order: an image, or None for any other visible mark."""

    marks: list[PaintedImage | None] = field(default_factory=list)


@dataclass(frozen=True)
class _State:
    ctm: Matrix = IDENTITY
    clip: PageBox | None = None
    text_mode: int = 0
    opaque: bool = True
    alpha: float = 1.0


def read_content(page: pikepdf.Page, box: PageBox) -> Content:
    """Follow the content of a page.

    Args:
        box: The visible part of the page; a clip must not cut into it.

    Raises:
        NotUnderstood: See there.
        TooLarge: The content is a decompression bomb.
    """
    content = Content()
    try:
        _require_followable(page.obj.get("/Contents"))
        _Follower(content, box).follow(page, page.resources, _State(), 0)
    except MALFORMED as error:
        raise NotUnderstood(str(error)) from error
    return content


def _require_followable(contents: pikepdf.Object | None) -> None:
    if unpacked_size(contents) > _MAX_CONTENT:
        raise NotUnderstood(f"more than {_MAX_CONTENT} bytes of drawing instructions")


class _Follower:
    def __init__(self, content: Content, box: PageBox) -> None:
        self._content = content
        self._box = box

    def follow(self, source: pikepdf.Page | pikepdf.Object, resources: Any, state: _State, depth: int) -> None:
        stack: list[_State] = []
        rectangles: list[PageBox] = []
        straight, clipping = True, False
        for instruction in pikepdf.parse_content_stream(source, _OPERATORS):
            operands, name = instruction.operands, str(instruction.operator)
            if name == "q":
                stack.append(state)
            elif name == "Q":
                state = stack.pop() if stack else state
            elif name == "cm":
                state = replace(state, ctm=then(matrix(operands), state.ctm))
            elif name == "gs":
                state = _with_graphics_state(state, resources.ExtGState[operands[0]])
            elif name == "Tr":
                state = replace(state, text_mode=int(operands[0]))
            elif name == "re":
                x, y, w, h = map(float, operands)
                rectangles.append(box_of(state.ctm, x, y, x + w, y + h))
                straight = straight and (0 in (state.ctm[1], state.ctm[0]))
            elif name in _PATH:
                straight = False
            elif name in ("W", "W*"):
                clipping = True
            elif name == "n" or name in _FILL_OR_STROKE:
                if name != "n" and (rectangles or not straight) and state.alpha > 0:
                    self._content.marks.append(None)
                if clipping:
                    state = self._clipped(state, rectangles if straight else [])
                rectangles, straight, clipping = [], True, False
            elif name in _SHOW_TEXT:
                self._text(operands, state)
            elif name == "Do":
                self._xobject(resources.XObject[operands[0]], resources, state, depth)
            elif name == "BDC":
                if operands[0] == Name.OC:
                    raise NotUnderstood("optional content")
            else:
                raise NotUnderstood(f"operator {name}")  # shadings and inline images

    def _clipped(self, state: _State, rectangles: list[PageBox]) -> _State:
        if len(rectangles) != 1 or not covers(rectangles[0], self._box):
            raise NotUnderstood("a clip that cuts into the page")
        return state

    def _text(self, operands: Any, state: _State) -> None:
        if state.text_mode in _CLIP_MODES:
            raise NotUnderstood("text as a clip")
        if state.text_mode != _INVISIBLE and state.alpha > 0 and not _is_blank(operands):
            self._content.marks.append(None)

    def _xobject(self, xobject: pikepdf.Object, resources: Any, state: _State, depth: int) -> None:
        if "/OC" in xobject:
            raise NotUnderstood("optional content")
        if xobject.Subtype == Name.Image:
            masked = any(key in xobject for key in ("/SMask", "/Mask")) or xobject.get("/SMaskInData", 0) != 0
            opaque = state.opaque and not masked and not bool(xobject.get("/ImageMask", False))
            size = int(xobject.Width), int(xobject.Height)
            if min(size) < 1:
                raise NotUnderstood("an image without pixels")
            self._content.marks.append(PaintedImage(xobject, state.ctm, opaque, size))
        elif xobject.Subtype == Name.Form:
            if depth >= _MAX_DEPTH:
                raise NotUnderstood("forms in forms in forms")
            _require_followable(xobject)
            inner = replace(state, ctm=then(matrix(xobject.get("/Matrix", IDENTITY)), state.ctm))
            form_box = box_of(inner.ctm, *map(float, xobject.BBox))
            before = len(self._content.marks)
            self.follow(xobject, xobject.get("/Resources", resources), inner, depth + 1)
            if len(self._content.marks) > before:
                self._clipped(inner, [form_box])
        else:
            raise NotUnderstood("an XObject of an unknown kind")


def matrix(operands: Any) -> Matrix:
    """Six numbers of a PDF as a matrix.

    Raises:
        ValueError: They are not six.
    """
    a, b, c, d, e, f = map(float, operands)
    return (a, b, c, d, e, f)


def _with_graphics_state(state: _State, parameters: pikepdf.Object) -> _State:
    opaque, alpha = state.opaque, state.alpha
    if parameters.get("/BM", Name.Normal) not in (Name.Normal, Name.Compatible):
        opaque = False
    if parameters.get("/SMask", Name("/None")) != Name("/None"):
        opaque = False
    if "/ca" in parameters:
        alpha = float(parameters.ca)
        opaque = opaque and alpha == 1
    return replace(state, opaque=opaque, alpha=alpha)


def _is_blank(operands: Any) -> bool:
    """Text that shows nothing, whatever its font: scanners write such text to call a page tagged."""
    last = operands[-1]
    pieces = last.as_list() if isinstance(last, pikepdf.Array) else [last]
    return all(not bytes(piece).strip(b" \0") for piece in pieces if isinstance(piece, pikepdf.String))


def covers(outer: PageBox, inner: PageBox, tolerance: float = 0.01) -> bool:
    """Whether ``outer`` leaves uncovered at most that share of the width or height of ``inner``, on any side."""
    dx, dy = inner.width * tolerance, inner.height * tolerance
    return (
        outer.left <= inner.left + dx
        and outer.bottom <= inner.bottom + dy
        and outer.right >= inner.right - dx
        and outer.top >= inner.top - dy
    )
