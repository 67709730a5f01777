"""A corrected page meets what is stored: which lines are taken, and where two people disagree.

Compared are three texts of a line: the one that was sent out, the one that came back, the one that is stored now. Only
what a person changed is a change; where somebody else changed the same line meanwhile, it is a conflict, and what is
stored stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archive_pipeline.ground_truth.matching import match_lines, scaled
from archive_pipeline.page import Line, Page, Point, clean_text
from archive_pipeline.processing.corrected_lines import drawn_lines, homes_of
from archive_pipeline.processing.correction_layer import Correction, PageCorrections
from archive_pipeline.rendering.model import PageImage

REVIEWED = frozenset({"DONE", "FINAL", "GT"})
"""What people say in Transkribus of a page that they went through."""


@dataclass(frozen=True)
class Conflict:
    """A line that two people corrected differently.

    Attributes:
        line: Its id on the page now.
        stored: What is stored, and stays.
        returned: What came back.
    """

    line: str
    stored: str
    returned: str


@dataclass(frozen=True)
class Merged:
    """What became of a page.

    Attributes:
        layer: The corrections as they should be stored now.
        changed: Lines whose text differs from what was sent.
        confirmed: Lines that came back as they were sent, of a page that was gone through.
        left: Lines that came back as they were sent, of one of which nobody says so: they stay the machine's.
        conflicts: Lines that stay as they are stored.
        unplaced: Lines that the machine does not have; they are put on the page as they are.
        missing: Lines that were sent and did not come back; they stay as they are.
        taken: Whether anything on it was changed, or it was gone through.
    """

    layer: PageCorrections
    changed: int = 0
    confirmed: int = 0
    left: int = 0
    conflicts: tuple[Conflict, ...] = ()
    unplaced: tuple[str, ...] = ()
    missing: int = 0
    taken: bool = True


def merge(
    returned: Page,
    sent: Page | None,
    now: Page,
    image: PageImage,
    layer: PageCorrections,
    *,
    reviewed: bool = False,
    take: bool = False,
) -> Merged:
    """Put a returned page into the corrections.

    Args:
        returned: With text in ``best_text``; of the same picture and size as ``now``.
        sent: As it went out; None if nobody knows. Then it is compared with what is stored now.
        now: As the machine read it last.
        image: Record of the page image now.
        layer: The corrections now, written on this picture.
        reviewed: A person says that the page was gone through: what they left as it was is right, too.
        take: Let what came back win over what is stored.
    """
    back = list(returned.lines())
    places = _Places(now, layer)
    found = places.of(back)
    origins = match_lines(back, list(sent.lines())) if sent is not None else {}
    before = list(sent.lines()) if sent is not None else []
    taken = _Taken(layer, now)
    changed = confirmed = left = 0
    conflicts: list[Conflict] = []
    unplaced: list[str] = []
    for index, line in enumerate(back):
        text = _plain(line.best_text)
        home = found.get(index)
        existing = home.stored if home is not None else None
        origin = before[origins[index]] if index in origins else None
        base = _base(sent, origin, home)
        if not text and not base:
            continue  # nobody read this line yet
        is_changed = text != base
        changed += is_changed
        confirmed += not is_changed and reviewed
        left += not is_changed and not reviewed and existing is None
        if existing is not None and text != _plain(existing):
            if not is_changed:
                continue  # corrected meanwhile by somebody else
            if _plain(existing) != base and not take:
                conflicts.append(Conflict(home.line.id if home else "", existing, text))
                continue
        if not (is_changed or reviewed or (home is not None and not home.is_machine)):
            continue  # nobody vouches for what the machine read there
        if home is not None and home.is_machine:
            taken.at_home(home.line, text)
            continue
        unplaced.append(line.id)
        if home is None:
            taken.elsewhere(line, text)
        else:
            # Whoever left the outline as it was sent says nothing against one that was moved meanwhile.
            is_moved = origin is None or _place(line) != _place(origin)
            taken.again(home.name, line if is_moved else home.line, text)
    missing = len(before) - len(origins)
    if not (reviewed or changed):
        return Merged(layer, left=left, missing=missing, taken=False)
    made = taken.layer(image, now, reviewed=reviewed or layer.reviewed)
    return Merged(made, changed, confirmed, left, tuple(conflicts), tuple(unplaced), missing)


@dataclass(frozen=True)
class _Home:
    """A line as it is now.

    Attributes:
        line: As the machine has it, or as people drew it, in pixels of the page.
        stored: What is stored of it; None for nothing.
        is_machine: The machine has this line.
        name: Of its correction, for a line that the machine does not have.
    """

    line: Line
    stored: str | None
    is_machine: bool
    name: str = ""


class _Places:
    """Which line of now a line is that came back: the machine's lines and those of people are asked alike."""

    def __init__(self, now: Page, layer: PageCorrections) -> None:
        homes = homes_of(now, layer)
        texts = {home: layer.lines[name].text for name, home in homes.items()}
        self._homes = [_Home(line, texts.get(line.id), True) for line in now.lines()]
        self._homes += [
            _Home(line, layer.lines[name].text, False, name) for name, line in drawn_lines(now, layer, homes).items()
        ]

    def of(self, back: Sequence[Line]) -> dict[int, _Home]:
        """Index of what came back -> what it is now."""
        matched = match_lines(back, [home.line for home in self._homes])
        # What people drew without an area, such as a single point, agrees with nothing but itself.
        left = {_place(home.line): n for n, home in enumerate(self._homes) if not home.is_machine}
        left = {place: n for place, n in left.items() if n not in matched.values()}
        for index, line in enumerate(back):
            if index not in matched and _place(line) in left:
                matched[index] = left.pop(_place(line))
        return {index: self._homes[number] for index, number in matched.items()}


def _base(sent: Page | None, origin: Line | None, home: _Home | None) -> str:
    """What the person had before them."""
    if origin is not None:
        return _plain(origin.best_text)
    if sent is not None or home is None:
        return ""  # a line that the person drew
    return _plain(home.line.text if home.stored is None else home.stored)


def _plain(text: str) -> str:
    """Blanks are no corrections: tools trim them."""
    return " ".join(clean_text(text).split())


class _Taken:
    """The new corrections, beside those that were there, all in pixels of the page image of now."""

    def __init__(self, layer: PageCorrections, page: Page) -> None:
        lines = {line.id: line for line in page.lines()}
        homes = homes_of(page, layer)
        across, down = layer.scale_to(page)
        self._names_of_page = lines.keys()
        self._by_home = {home: name for name, home in homes.items()}
        self._found = {
            name: _correction(lines[homes[name]], each.text)
            if name in homes
            else _correction(scaled(_line(name, each), across, down), each.text)
            for name, each in layer.lines.items()
        }

    def at_home(self, line: Line, text: str) -> None:
        """Correct a line of the page."""
        name = self._by_home.get(line.id) or _free(line.id, self._found, ())
        self._by_home[line.id] = name
        self._found[name] = _correction(line, text)

    def again(self, name: str, line: Line, text: str) -> None:
        """Correct a line that people drew, or that the machine does not have any more."""
        self._found[name] = _correction(line, text)

    def elsewhere(self, line: Line, text: str) -> None:
        """Keep a line that the page does not have; the same one once."""
        made = _correction(line, text)
        if made not in self._found.values():
            self._found[_free(line.id or "line", self._found, self._names_of_page)] = made

    def layer(self, image: PageImage, page: Page, *, reviewed: bool) -> PageCorrections:
        return PageCorrections(
            image=image.sha256,
            source=image.source,
            width=page.width,
            height=page.height,
            lines=self._found,
            reviewed=reviewed,
        )


def _line(name: str, correction: Correction) -> Line:
    return Line(id=name, boundary=correction.boundary, baseline=correction.baseline)


def _correction(line: Line, text: str) -> Correction:
    return Correction(text=text, boundary=line.boundary, baseline=line.baseline)


def _place(correction: Correction | Line) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    return correction.boundary, correction.baseline


def _free(wanted: str, taken: Iterable[str], lines: Iterable[str]) -> str:
    used = {*taken, *lines}
    name, number = wanted, 1
    while name in used:
        number += 1
        name = f"{wanted}-{number}"
    return name
