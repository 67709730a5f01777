"""How pages of a hand are split: which are frozen, which are trained with, which are left out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_pages import NOTHING, ids, marks, page, pages, text_of

from archive_pipeline.evaluation.statistics import LEAST_PAGES
from archive_pipeline.training_sets.frozen import FrozenPages
from archive_pipeline.training_sets.lines import TrainingPage
from archive_pipeline.training_sets.splitting import ENOUGH, LEAST_FROZEN, MOST_FROZEN, Split, split_pages


@st.composite
def related(draw: st.DrawFn) -> list[TrainingPage]:
    """Pages of which some share group, image or text with others."""
    numbers = st.integers(0, 40)
    made = []
    for number in range(draw(st.integers(0, 25))):
        one = page(number, image=draw(st.none() | numbers), text=draw(st.none() | numbers.map(text_of) | st.just("x")))
        made.append(replace(one, group=f"set/{draw(numbers)}") if draw(st.booleans()) else one)
    return made


@settings(max_examples=60)
@given(related(), st.randoms())
def test_no_page_to_train_with_has_anything_of_a_frozen_one(made: list[TrainingPage], draw: object) -> None:
    split, record = split_pages("Jean", made, NOTHING)
    parts = (split.frozen, split.train, split.validate)
    for first in range(3):
        for second in range(first + 1, 3):
            assert not marks(parts[first]) & marks(parts[second])
    assert not marks(split.train) & record.marks()
    everywhere = [*(each for part in parts for each in ids(part)), *split.left_out]
    assert sorted(everywhere) == sorted(ids(made))
    shuffled = list(made)
    draw.shuffle(shuffled)  # type: ignore[attr-defined]
    assert split_pages("Jean", shuffled, NOTHING) == (split, record)


@settings(max_examples=60)
@given(related(), related())
def test_what_is_frozen_stays_so_when_pages_come_and_go(first: list[TrainingPage], more: list[TrainingPage]) -> None:
    split, record = split_pages("Jean", first, NOTHING)
    added = [replace(each, id=f"more/{each.id}", group=f"more/{each.group}") for each in more]
    later, now = split_pages("Jean", [*first, *added], record)
    if record.pages:
        assert ids(later.frozen) == ids(split.frozen)
        assert [each.id for each in now.pages] == [each.id for each in record.pages]
    assert not marks([*later.train, *later.validate]) & record.marks()
    gone, last = split_pages("Jean", added, now)
    assert not marks([*gone.train, *gone.validate]) & record.marks()
    assert not marks([*gone.train, *gone.validate]) & last.marks()


@settings(max_examples=40)
@given(related(), st.lists(related(), max_size=4))
def test_what_was_given_out_is_never_frozen_and_what_is_frozen_was_never_given_out(
    first: list[TrainingPage], more: list[list[TrainingPage]]
) -> None:
    there, record, given = first, NOTHING, None
    for number, came in enumerate([first, *more]):
        if number:
            there = [
                *there,
                *(replace(each, id=f"{number}/{each.id}", group=f"{number}/{each.group}") for each in came),
            ]
        split, now = split_pages("Jean", there, record, given=given)
        trained = marks([*split.train, *split.validate])
        assert not trained & now.marks()
        assert not (given or frozenset()) & {mark for each in now.pages[len(record.pages) :] for mark in each.marks()}
        assert [each.id for each in now.pages[: len(record.pages)]] == [each.id for each in record.pages]
        # Asked again, it is the same: a page has one lot.
        record = now
        if record.pages:
            given = frozenset(trained | (given or frozenset()))
        assert split_pages("Jean", there, record, given=given) == (split, record)


def test_of_pages_that_come_later_about_a_quarter_is_frozen_until_there_are_enough() -> None:
    split, record = split_pages("Jean", pages(12), NOTHING)
    given = marks([*split.train, *split.validate])
    counts = []
    for count in (13, 20, 40, 80, 160, 400):
        # One after another, as people correct them, or many at once: it is the same.
        split, record = split_pages("Jean", pages(count), record, given=frozenset(given))
        given |= marks([*split.train, *split.validate])
        counts.append(len(split.frozen))
    assert counts[0] in (6, 7)
    assert 40 * 0.25 <= counts[2] <= 40 * 0.4
    assert counts[-1] == MOST_FROZEN
    assert counts == sorted(counts)
    one_by_one, known = NOTHING, frozenset[tuple[str, str]]()
    for count in range(12, 41):
        split, one_by_one = split_pages("Jean", pages(count), one_by_one, given=known if count > 12 else None)
        known |= marks([*split.train, *split.validate])
    assert len(split.frozen) == counts[2]


def test_where_nobody_knows_what_was_given_out_nothing_more_is_frozen() -> None:
    _, record = split_pages("Jean", pages(12), NOTHING)
    split, now = split_pages("Jean", pages(60), record)
    assert now == record
    assert len(split.frozen) == 6


@pytest.mark.parametrize(
    ("count", "frozen"), [(ENOUGH - 1, 0), (ENOUGH, 6), (24, 6), (36, 9), (100, 25), (120, 30), (500, 30)]
)
def test_about_a_quarter_is_frozen_but_enough_to_show_something_and_no_more_than_helps(count: int, frozen: int) -> None:
    split, _ = split_pages("Jean", pages(count), NOTHING)
    assert len(split.frozen) == frozen <= MOST_FROZEN
    assert split.train
    assert split.validate
    assert (split.shortage == "") is (frozen > 0)


def test_as_many_are_frozen_at_least_as_a_result_needs() -> None:
    assert LEAST_FROZEN == LEAST_PAGES


def test_with_too_few_pages_nothing_is_frozen_and_it_says_what_to_do() -> None:
    split, record = split_pages("Jean", pages(3), NOTHING)
    assert record == NOTHING
    assert split.shortage.startswith("3 pages are too few to judge a model by: from 8 on, 6 are kept for that. Correct")
    alone, _ = split_pages("Jean", pages(1), NOTHING)
    assert (len(alone.train), alone.validate) == (1, ())


def test_the_lines_of_one_page_go_where_their_page_goes() -> None:
    lines = [replace(page(number), group=f"set/{number % 10}") for number in range(50)]
    split, _ = split_pages("Jean", lines, NOTHING)
    assert len(split.frozen) == 6 * 5
    assert len(split.validate) == 5
    assert {each.group for each in split.frozen}.isdisjoint({each.group for each in (*split.train, *split.validate)})


def test_a_frozen_page_is_known_again_by_its_image_its_text_and_by_what_it_was_in_between() -> None:
    _, record = split_pages("Jean", pages(10), NOTHING)
    number = next(n for n in range(10) if page(n).id == record.pages[0].id)
    others = [each for each in pages(10) if each.id != record.pages[0].id]

    def with_one(one: TrainingPage, known: FrozenPages) -> tuple[Split, FrozenPages]:
        split, now = split_pages("Jean", [*others, one], known)
        assert len(split.frozen) == 6
        assert one.id in ids(split.frozen)
        return split, now

    split, corrected = with_one(page(number, name="again/a.xml", text=text_of(99)), record)
    assert split.corrected == ("again/a.xml",)
    split, scanned = with_one(page(number, name="other/b.xml", image=77, text=text_of(99)), corrected)
    assert split.missing == ()
    # Nothing in common with the page as it was frozen, but with what it became.
    with_one(page(number, name="third/c.xml", image=77, text=text_of(98)), scanned)
    gone, _ = split_pages("Jean", others, record)
    assert gone.missing == (record.pages[0].id,)
    assert len(gone.frozen) == 5
    assert gone.shortage.startswith("with 5 frozen pages no result can be shown, 6 are needed.")


def test_copies_of_a_frozen_page_are_left_out_with_the_reason_and_count_once() -> None:
    _, record = split_pages("Jean", pages(10), NOTHING)
    number = next(n for n in range(10) if page(n).id == record.pages[0].id)
    copies = [
        page(number, name="zz/image.xml", text="short"),
        page(number, name="zz/text.xml", image=500),
        replace(page(600, name="zz/group.xml"), group=record.pages[0].group),
    ]
    split, now = split_pages("Jean", [*pages(10), *copies], record)
    assert ids(split.frozen) == [each.id for each in record.pages]
    assert sorted(split.left_out) == ["zz/group.xml", "zz/image.xml", "zz/text.xml"]
    assert "copy of a page that models are judged by" in split.left_out["zz/text.xml"]
    assert now == record


def test_what_is_frozen_for_one_hand_is_trained_with_for_none() -> None:
    _, record = split_pages("Jean", pages(20), NOTHING)
    other, own = split_pages(
        "Marie", [*pages(12), *(page(n) for n in range(100, 110))], FrozenPages(hand="Marie"), [record]
    )
    assert not marks([*other.train, *other.validate]) & record.marks()
    shared = [each.id for each in record.pages if int(each.id[4:7]) < 12]
    assert shared
    # They are the first to be frozen here, too: nothing else can be done with them.
    assert set(shared) <= {each.id for each in own.pages}
    first, _ = split_pages("Paul", pages(20), FrozenPages(hand="Paul"), [record])
    assert ids(first.frozen) == [each.id for each in record.pages][: len(first.frozen)]


def test_pages_without_a_fit_line_are_in_no_part() -> None:
    empty = replace(page(50), skip=frozenset({0}))
    split, _ = split_pages("Jean", [*pages(9), empty], NOTHING)
    assert split.left_out == {empty.id: "no line of it is fit"}


def test_the_digest_of_a_split_changes_with_a_text_and_with_a_place() -> None:
    split, record = split_pages("Jean", pages(10), NOTHING)
    last = next(each for each in pages(10) if each.id == split.train[0].id)
    mended = [each for each in pages(10) if each.id != last.id] + [page(1, name=last.id, image=55, text="other")]
    assert split_pages("Jean", pages(10), record)[0].digest == split.digest
    assert split_pages("Jean", mended, record)[0].digest != split.digest
    assert replace(split, train=split.validate, validate=split.train).digest != split.digest
