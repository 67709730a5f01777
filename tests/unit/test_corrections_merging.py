"""Three texts of a line meet: the one that was sent, the one that came back, the one that is stored now."""

from __future__ import annotations

import pytest
from correctable import line, page
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_pipeline.corrections.merging import Conflict, Merged, merge
from archive_pipeline.page import Line, Page
from archive_pipeline.processing.corrected_lines import corrections_on
from archive_pipeline.processing.correction_layer import Correction, PageCorrections
from archive_pipeline.rendering.model import PageImage

TEXT = st.sampled_from(["", "a", "b", "c"])


@given(
    machine=TEXT,
    sent=TEXT,
    returned=TEXT,
    stored=st.none() | TEXT,
    take=st.booleans(),
    reviewed=st.booleans(),
)
@settings(max_examples=200)
def test_a_stored_correction_changes_only_if_the_person_who_returns_had_it_before_them(
    machine: str, sent: str, returned: str, stored: str | None, take: bool, reviewed: bool
) -> None:
    image = PageImage(number=1, file="1.png", sha256="a" * 64, width=400, height=300, method="image-file")
    layer = PageCorrections()
    if stored is not None:
        place = line("l0", 0)
        correction = Correction(text=stored, boundary=place.boundary, baseline=place.baseline)
        layer = PageCorrections(image="a" * 64, width=400, height=300, lines={"l0": correction})

    def of(text: str, name: str = "l0") -> Page:
        return page([line(name, 0, text)], "a" * 64)

    merged: Merged = merge(of(returned, "x"), of(sent), of(machine), image, layer, take=take, reviewed=reviewed)
    now = corrections_on(of(machine), image, merged.layer).texts.get("l0")
    if stored is None:
        assert now == (returned if returned != sent or (reviewed and returned) else None)
    elif returned == sent:
        assert now == stored
    elif stored in (sent, returned) or take:
        assert now == returned
    else:
        assert now == stored
        assert [each.returned for each in merged.conflicts] == [returned]


DRAWN = 4
"""Number of the place of a line that people drew."""


def with_drawn(text: str, shift: int = 0) -> PageCorrections:
    """Corrections in which a person drew a line."""
    place = line("d1", DRAWN, "", shift)
    correction = Correction(text=text, boundary=place.boundary, baseline=place.baseline)
    return PageCorrections(image="a" * 64, width=400, height=300, lines={"d1": correction})


@pytest.mark.parametrize("kind", ["drawn", "segmented-anew"])
@pytest.mark.parametrize("shift", [0, 3], ids=["in-place", "moved"])
@pytest.mark.parametrize(
    ("returned", "take", "expected", "conflicts"),
    [
        ("first", False, "BY B", []),
        ("BY C", False, "BY B", [Conflict("d1", "BY B", "BY C")]),
        ("BY C", True, "BY C", []),
        ("BY B", False, "BY B", []),
    ],
    ids=["untouched", "conflict", "take", "alike"],
)
def test_what_another_person_wrote_on_a_drawn_line_stays_and_is_there_once(
    kind: str, shift: int, returned: str, take: bool, expected: str, conflicts: list[Conflict]
) -> None:
    image = PageImage(number=1, file="1.png", sha256="a" * 64, width=400, height=300, method="image-file")
    # In the place of a line that was segmented anew the machine has a part of it.
    part = line("d1-part", DRAWN, "m").model_copy(
        update={"boundary": ((10, 260), (90, 260), (90, 290), (10, 290)), "baseline": ((10, 282), (90, 282))}
    )
    now = page([line("l1", 1, "machine"), *([part] if kind == "segmented-anew" else [])], "a" * 64)
    sent = page([line("l1", 1, "machine"), line("d1", DRAWN, "first")], "a" * 64)
    back = page([line("l1", 1, "by C"), line("d1", DRAWN, returned, shift)], "a" * 64)
    merged = merge(back, sent, now, image, with_drawn("BY B"), take=take)
    assert list(merged.conflicts) == conflicts
    assert {name: each.text for name, each in merged.layer.lines.items()} == {"l1": "by C", "d1": expected}


def test_an_outline_that_was_moved_holds_and_is_not_moved_back_by_who_left_it() -> None:
    image = PageImage(number=1, file="1.png", sha256="a" * 64, width=400, height=300, method="image-file")
    now = page([line("l1", 1, "machine")], "a" * 64)
    sent = page([line("l1", 1, "machine"), line("d1", DRAWN, "first")], "a" * 64)
    moved = page([line("l1", 1, "machine"), line("d1", DRAWN, "second", 3)], "a" * 64)
    layer = merge(moved, sent, now, image, with_drawn("first")).layer
    assert layer.lines["d1"].boundary == line("d1", DRAWN, "", 3).boundary
    left = page([line("l1", 1, "by C"), line("d1", DRAWN, "second")], "a" * 64)
    assert merge(left, sent, now, image, layer).layer.lines["d1"] == layer.lines["d1"]


def test_a_line_without_a_place_takes_the_place_of_no_correction_by_name() -> None:
    image = PageImage(number=1, file="1.png", sha256="a" * 64, width=400, height=300, method="image-file")
    now = page([line("l1", 1, "machine")], "a" * 64)
    layer = PageCorrections(lines={"l9": Correction(text="by hand")})
    back = page([line("l1", 1, "machine"), Line(id="x", boundary=(), text="nowhere")], "a" * 64)
    merged = merge(back, now, now, image, layer)
    assert {name: each.text for name, each in merged.layer.lines.items()} == {"l9": "by hand", "x": "nowhere"}
    assert merge(back, now, now, image, merged.layer).layer == merged.layer


@given(sent=st.none() | TEXT, returned=TEXT, stored=st.none() | TEXT, take=st.booleans(), shift=st.integers(-5, 5))
@settings(max_examples=200)
def test_a_drawn_line_changes_only_if_the_person_who_returns_had_it_before_them(
    sent: str | None, returned: str, stored: str | None, take: bool, shift: int
) -> None:
    image = PageImage(number=1, file="1.png", sha256="a" * 64, width=400, height=300, method="image-file")
    layer = PageCorrections() if stored is None else with_drawn(stored)
    now = page([line("l1", 1, "machine")], "a" * 64)

    def of(text: str, name: str, shift: int = 0) -> Page:
        return page([line("l1", 1, "machine"), line(name, DRAWN, text, shift)], "a" * 64)

    out = now if sent is None else of(sent, "d1")
    merged = merge(of(returned, "x", shift), out, now, image, layer, take=take, reviewed=True)
    had = sent or ""
    drawn = [each.text for name, each in merged.layer.lines.items() if name != "l1"]
    if stored is None:
        assert drawn == ([returned] if returned or had else [])
    elif returned == had:
        assert drawn == [stored]
    elif stored in (had, returned) or take:
        assert drawn == [returned]
    else:
        assert drawn == [stored]
        assert merged.conflicts == (Conflict("d1", stored, returned),)
