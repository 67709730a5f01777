"""Which pages of a hand are frozen, which are trained with, which are left out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_pipeline.durable import to_json
from archive_pipeline.errors import BadGroundTruth, StorageError, UsageError
from archive_pipeline.evaluation.statistics import LEAST_PAGES
from archive_pipeline.hand_names import hand_key
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.store import Store
from archive_pipeline.training_sets.frozen import FrozenPages, FrozenStore, marks_of, require_not_frozen
from archive_pipeline.training_sets.hand import Hand
from archive_pipeline.training_sets.lines import TrainingPage
from archive_pipeline.training_sets.splits import split_of_hand
from archive_pipeline.training_sets.splitting import ENOUGH, LEAST_FROZEN, MOST_FROZEN, Split, split_pages
from archive_pipeline.training_sets.stored import PageEntry, TruthPage, TruthSet, TruthStore, set_digest

BOX = ((0, 0), (99, 0), (99, 9), (0, 9))
NOTHING = FrozenPages(hand="Jean")


def text_of(number: int) -> str:
    return f"page {number} " + hashlib.sha256(str(number).encode()).hexdigest() * 2


def page(number: int, *, name: str | None = None, image: int | None = None, text: str | None = None) -> TrainingPage:
    """A page with an image and a text of its own, if nothing else is said."""
    name = name or f"set/{number:03d}.xml"
    line = Line(id="l", boundary=BOX, text=text_of(number) if text is None else text)
    return TrainingPage(
        id=name,
        group=name,
        image=Path("x.png"),
        image_sha256=hashlib.sha256(f"image {number if image is None else image}".encode()).hexdigest(),
        page=Page(number=1, width=100, height=100, regions=(Region(id="r", boundary=BOX, lines=(line,)),)),
        skip=frozenset(),
        licence=None,
        origin="set",
    )


def pages(count: int) -> list[TrainingPage]:
    return [page(number) for number in range(count)]


def ids(found: Sequence[TrainingPage]) -> list[str]:
    return [each.id for each in found]


@st.composite
def related(draw: st.DrawFn) -> list[TrainingPage]:
    """Pages of which some share group, image or text with others."""
    numbers = st.integers(0, 40)
    made = []
    for number in range(draw(st.integers(0, 25))):
        one = page(number, image=draw(st.none() | numbers), text=draw(st.none() | numbers.map(text_of) | st.just("x")))
        made.append(replace(one, group=f"set/{draw(numbers)}") if draw(st.booleans()) else one)
    return made


def marks(found: Sequence[TrainingPage]) -> set[tuple[str, str]]:
    return {mark for each in found for mark in marks_of(each)}


@settings(deadline=None, max_examples=60)
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


@settings(deadline=None, max_examples=60)
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


@settings(deadline=None, max_examples=40)
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


# With a store


def stored(truths: TruthStore, name: str, found: Sequence[TrainingPage], writer: str = "Jean") -> None:
    """Put pages into a set, as an import does."""
    entries = []
    for each in found:
        file = each.id.partition("/")[2]
        truth = TruthPage(
            file=file,
            sha256="0" * 64,
            image="x.png",
            image_sha256=each.image_sha256,
            image_name="x.png",
            found_by="name",
            group=file,
            page=each.page,
        )
        data = to_json(truth.model_dump(mode="json"))
        entry = PageEntry(
            id=hashlib.sha256(data).hexdigest(), file=file, image="x.png", group=file, lines=1, characters=9
        )
        path = truths.page_path(name, entry.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        entries.append(entry)
    hand = Hand(writer=writer)
    truths.write(
        TruthSet(name=name, hand=hand, digest=set_digest(hand, tuple(entries)), origin="x", pages=tuple(entries))
    )


class Archive:
    """Sets, documents and what is frozen."""

    def __init__(self, root: Path) -> None:
        self.truths = TruthStore(root / "sets")
        self.documents = Store(root / "store")
        self.frozen = FrozenStore(root / "splits")

    def split(self, hand: str = "Jean", test_set: str | None = None) -> Split:
        return split_of_hand(self.frozen, self.truths, self.documents, hand, test_set)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(tmp_path)
    stored(made.truths, "one", pages(12))
    return made


def test_the_split_of_a_hand_is_written_once_and_holds_when_the_set_comes_again_under_another_name(
    archive: Archive,
) -> None:
    split = archive.split()
    assert len(split.frozen) == 6
    written = archive.frozen.path("jean").read_bytes()
    assert archive.split(" JEAN ").frozen == split.frozen
    assert archive.frozen.path("jean").read_bytes() == written
    stored(archive.truths, "two", [page(n) for n in range(30)])
    later = archive.split()
    assert set(ids(split.frozen)) < set(ids(later.frozen))
    assert len(later.left_out) == 6
    (archive.truths.folder("one") / "set.json").unlink()
    moved = archive.split()
    assert {each.image_sha256 for each in moved.frozen} == {each.image_sha256 for each in later.frozen}
    assert {each.id.partition("/")[0] for each in moved.frozen} == {"two"}


def test_a_page_that_was_given_out_stays_so_when_it_comes_back_corrected_or_under_another_name(
    archive: Archive,
) -> None:
    split = archive.split()
    given = [*split.train, *split.validate]
    numbers = [int(each.id[4:7]) for each in given]
    stored(archive.truths, "one", [page(n) for n in range(12) if n not in numbers])
    archive.split()
    stored(archive.truths, "again", [page(n, text=text_of(n + 500)) for n in numbers])
    later = archive.split()
    assert later.frozen == split.frozen
    assert len([*later.train, *later.validate]) == len(given)
    # By now it is known by the text that it came back with, too.
    stored(archive.truths, "again", [page(n, name=f"x/{n}.xml", image=n + 700, text=text_of(n + 500)) for n in numbers])
    assert archive.split().frozen == split.frozen


def test_what_a_model_of_many_hands_has_seen_is_not_frozen_when_it_comes_under_its_own_hand(archive: Archive) -> None:
    before = archive.split()
    stored(archive.truths, "many", [page(n) for n in range(100, 160)], writer="many hands")
    many = archive.split("many hands")
    stored(archive.truths, "more", [page(n) for n in range(90, 160)])
    later = archive.split()
    added = {each.image_sha256 for each in later.frozen} - {each.image_sha256 for each in before.frozen}
    assert 0 < len(added) <= 10
    assert not added & {each.image_sha256 for each in (*many.train, *many.validate)}
    trained = {each.image_sha256 for each in (*later.train, *later.validate)}
    assert trained >= {each.image_sha256 for each in (*many.train, *many.validate)}


def test_of_a_new_hand_those_pages_are_frozen_first_that_no_model_of_another_has_seen(archive: Archive) -> None:
    stored(archive.truths, "many", [page(n) for n in range(100, 107)], writer="many hands")
    assert archive.split("many hands").frozen == ()  # there are too few, but they can be trained with
    stored(archive.truths, "marie", [page(n) for n in range(95, 113)], writer="Marie")
    split = archive.split("Marie")
    assert len(split.frozen) == 6
    assert not {int(each.id[6:9]) for each in split.frozen} & set(range(100, 107))


def test_where_it_was_never_written_what_another_hand_gave_out_nothing_more_is_frozen(archive: Archive) -> None:
    stored(archive.truths, "many", [page(n) for n in range(100, 130)], writer="many hands")
    archive.split("many hands")
    before = archive.split()
    archive.frozen._given(hand_key("many hands")).unlink()
    stored(archive.truths, "more", [page(n) for n in range(100, 190)])
    assert archive.split().frozen == before.frozen
    archive.split("many hands")
    stored(archive.truths, "later", [page(n) for n in range(200, 240)])
    assert len(archive.split().frozen) > len(before.frozen)


def test_what_is_frozen_for_another_hand_meanwhile_is_not_given_out(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marie's pages are frozen between the look of Jean's split and its lock."""
    stored(archive.truths, "marie", [page(n) for n in range(8)], writer="Marie")
    lock = FrozenStore.lock

    def late(self: FrozenStore, key: str) -> AbstractContextManager[None]:
        monkeypatch.setattr(FrozenStore, "lock", lock)
        archive.split("Marie")
        return self.lock(key)

    monkeypatch.setattr(FrozenStore, "lock", late)
    split = archive.split()
    marie = archive.frozen.load("marie")
    assert marie is not None
    assert not marks([*split.train, *split.validate]) & marie.marks()


def test_a_hand_of_which_it_is_not_written_what_was_given_out_counts_all_as_such(archive: Archive) -> None:
    split = archive.split()
    given = archive.frozen.root / "given" / "jean.json"
    stored(archive.truths, "two", pages(60))
    given.unlink()
    assert archive.split().frozen == split.frozen
    stored(archive.truths, "three", pages(120))
    assert len(archive.split().frozen) > len(split.frozen)
    given.write_text("[1]")
    with pytest.raises(StorageError, match=r"another version or damaged.* Delete it"):
        archive.split()


def test_a_set_that_a_person_names_is_frozen_as_a_whole_whoever_wrote_it(archive: Archive) -> None:
    stored(archive.truths, "tests", [page(n) for n in range(10, 17)], writer="Marie")
    split = archive.split(test_set="tests")
    assert len(split.frozen) == 7
    assert {each.id.partition("/")[0] for each in split.frozen} == {"tests"}
    # Pages 10 and 11 are in both.
    assert sorted(split.left_out) == ["one/010.xml", "one/011.xml"]
    assert len(split.train) + len(split.validate) == 10
    stored(archive.truths, "tests", [page(n) for n in range(9, 17)], writer="Marie")
    assert len(archive.split().frozen) == 8
    with pytest.raises(UsageError, match="no ground truth nothing"):
        archive.split(test_set="nothing")


def test_a_set_that_is_named_later_is_frozen_beside_what_was_frozen(archive: Archive) -> None:
    before = archive.split()
    stored(archive.truths, "tests", [page(n) for n in range(40, 43)])
    split = archive.split(test_set="tests")
    assert sorted(ids(split.frozen)) == sorted([*ids(before.frozen), "tests/040.xml", "tests/041.xml", "tests/042.xml"])


def test_with_too_few_pages_none_is_frozen_but_it_is_written_what_was_given_out(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    stored(archive.truths, "one", pages(4))
    split = archive.split()
    assert split.shortage
    assert archive.frozen.load("jean") is None
    assert archive.frozen.given("jean") == marks([*split.train, *split.validate])
    # When there are enough, those are chosen first that nothing was trained with.
    stored(archive.truths, "one", pages(12))
    assert not {f"one/{n:03d}.xml" for n in range(4)} & {each.id for each in archive.split().frozen}
    with pytest.raises(UsageError, match="no ground truth of the hand Marie"):
        archive.split("Marie")


def test_a_damaged_record_is_an_error_and_not_another_choice(archive: Archive) -> None:
    archive.split()
    archive.frozen.path("jean").write_text("{", "utf-8")
    with pytest.raises(StorageError, match="Take it back from a backup"):
        archive.split()


def test_a_training_with_a_frozen_page_or_its_copy_is_refused(archive: Archive) -> None:
    split = archive.split()
    require_not_frozen(archive.frozen, [*split.train, *split.validate])
    copy = replace(split.frozen[0], id="x/1", group="x/1", image_sha256="0" * 64)
    with pytest.raises(BadGroundTruth, match=r"^x/1: models of the hand Jean are judged by this page"):
        require_not_frozen(archive.frozen, [*split.train, copy])
