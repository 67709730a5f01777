"""Taking another program's text layer off a page that was recognised anew, so that the text is not there twice.

A text layer is text that nobody sees: drawn in render mode 3, or, on a page that is one full image, drawn before that
image. Text that is seen stays, as does everything else that is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pikepdf
from pikepdf import Dictionary, Name, Object, Stream

Instruction = pikepdf.ContentStreamInstruction | pikepdf.ContentStreamInlineImage

_INVISIBLE = 3
_SHOW = {"Tj", "TJ", "'", '"'}
_INLINE_IMAGE = "INLINE IMAGE"
_PAINT = _SHOW | {"S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "Do", _INLINE_IMAGE}
_TEXT_STATE = {"Tf", "Tr", "Tc", "Tw", "Tz", "TL", "Ts"}
# What outlasts a text object or is not part of the text; all else in it goes with the text.
_LASTING = _TEXT_STATE | {"gs", "BMC", "BDC", "EMC", "MP", "DP"}
_MAX_DEPTH = 8  # of forms in forms


def remove_hidden_text(pdf: pikepdf.Pdf, page: pikepdf.Page, *, one_image: bool) -> bool:
    """Remove the text of a page that nobody sees.

    Args:
        pdf: The PDF of the page.
        page: The page; no other page changes, whatever they share.
        one_image: The page is one full image: what is drawn before it is hidden, too.

    Returns:
        Whether there was any.

    Raises:
        pikepdf.PdfError: The page's content is damaged beyond parsing.
    """
    resources = _own_resources(page.obj)
    covered = one_image and any(map(_is_opaque_image, resources.XObject.values()))
    filtered = _Filter(pdf, covered).run(page, resources, 0, 0)
    if filtered.changed:
        page.Contents = pdf.make_stream(pikepdf.unparse_content_stream(filtered.kept))
    return filtered.changed


@dataclass
class _Content:
    """One content stream while it is filtered.

    Attributes:
        mode: Text render mode in force.
        kept: What stays of it.
        block: The text object that is being read, if one is.
        seen, hidden: Whether that text object shows visible or hidden text.
        dropped: Forms that are not drawn any more.
    """

    mode: int
    saved: list[int] = field(default_factory=list)
    kept: list[Instruction] = field(default_factory=list)
    block: list[Instruction] | None = None
    seen: bool = False
    hidden: bool = False
    dropped: set[str] = field(default_factory=set)
    changed: bool = False

    @property
    def paints(self) -> bool:
        return any(str(instruction.operator) in _PAINT for instruction in self.kept)


class _Filter:
    """Filters a page's content and the forms that it draws.

    Args:
        pdf: Where replaced forms live.
        covered: The page's image is still to come, and will cover what is drawn before it.
    """

    def __init__(self, pdf: pikepdf.Pdf, covered: bool) -> None:
        self._pdf = pdf
        self._covered = covered

    def run(self, source: Object | pikepdf.Page, resources: Object, mode: int, depth: int) -> _Content:
        content = _Content(mode)
        for instruction in pikepdf.parse_content_stream(source):
            name = str(instruction.operator)
            if name == "Do" and not self._draws(content, instruction, resources, depth):
                content.changed = True
                continue
            self._note(content, instruction, name)
            if name == "BT":
                content.kept.extend(content.block or [])
                content.block, content.seen, content.hidden = [], False, False
            (content.kept if content.block is None else content.block).append(instruction)
            if name == "ET":
                _close(content)
        content.kept.extend(content.block or [])
        if content.changed:
            _tidy(content, resources)
        return content

    def _note(self, content: _Content, instruction: Instruction, name: str) -> None:
        """Follow the state that decides whether text is seen."""
        if name == "Tr" and len(instruction.operands) == 1:
            content.mode = int(instruction.operands[0])
        elif name == "q":
            content.saved.append(content.mode)
        elif name == "Q" and content.saved:
            content.mode = content.saved.pop()
        elif name == _INLINE_IMAGE:
            self._covered = False
        elif name in _SHOW:
            if self._covered or content.mode == _INVISIBLE:
                content.hidden = True
            else:
                content.seen = True

    def _draws(self, content: _Content, instruction: Instruction, resources: Object, depth: int) -> bool:
        """Whether an XObject is still drawn. A form with hidden text is replaced by a copy without it."""
        name = str(instruction.operands[0]) if instruction.operands else ""
        if name in content.dropped:
            return False
        forms = resources.XObject
        target = forms.get(name) if name.startswith("/") else None
        if not isinstance(target, Stream):
            return True
        if target.get(Name.Subtype) == Name.Image:
            self._covered = False
        if target.get(Name.Subtype) != Name.Form or depth >= _MAX_DEPTH:
            return True
        copy = self._pdf.make_stream(b"", _copy(target.stream_dict))
        inner = _own_resources(copy) if Name.Resources in target else resources
        filtered = self.run(target, inner, content.mode, depth + 1)
        if not filtered.changed:
            return True
        if not filtered.paints:
            content.dropped.add(name)
            del forms[name]
            return False
        copy.write(pikepdf.unparse_content_stream(filtered.kept))
        forms[name] = copy
        content.changed = True
        return True


def _close(content: _Content) -> None:
    """Decide on a whole text object: were only its hidden words taken out, visible ones after them would move."""
    block, content.block = content.block or [], None
    if content.hidden and not content.seen:
        content.changed = True
        block = [instruction for instruction in block if str(instruction.operator) in _LASTING]
    content.kept.extend(block)


def _tidy(content: _Content, resources: Object) -> None:
    """Drop fonts that nothing is written in any more: text layers often use ones that PDF/A does not allow."""
    if not any(str(instruction.operator) in _SHOW for instruction in content.kept):
        content.kept = [i for i in content.kept if str(i.operator) not in _TEXT_STATE]
    # A form without resources of its own uses these.
    if any(Name.Resources not in form for form in resources.XObject.values() if _is_form(form)):
        return
    used = {str(i.operands[0]) for i in content.kept if str(i.operator) == "Tf" and i.operands}
    for name in set(resources.Font.keys()) - used:
        del resources.Font[name]


def _own_resources(holder: Object) -> Object:
    """Give a page or form resources of its own, with own lists of XObjects and fonts, which may be changed."""
    resources = _copy(holder.get(Name.Resources))
    for kind in (Name.XObject, Name.Font):
        resources[kind] = _copy(resources.get(kind))
    holder[Name.Resources] = resources
    return holder[Name.Resources]


def _copy(entries: Object | None) -> Dictionary:
    return Dictionary(dict(entries.items())) if isinstance(entries, Dictionary) else Dictionary()


def _is_form(target: Object) -> bool:
    return isinstance(target, Stream) and target.get(Name.Subtype) == Name.Form


def _is_opaque_image(target: Object) -> bool:
    return (
        isinstance(target, Stream)
        and target.get(Name.Subtype) == Name.Image
        and not any(key in target for key in (Name.SMask, Name.Mask, Name.SMaskInData))
        and not bool(target.get(Name.ImageMask, False))
    )
