"""What is frozen and given out is written down, and holds whatever becomes of the sets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from made_pages import ids, marks, page, pages, text_of

from archive_pipeline.durable import to_json
from archive_pipeline.errors import BadGroundTruth, StorageError, UsageError
from archive_pipeline.hand_names import hand_key
from archive_pipeline.store import Store
from archive_pipeline.training_sets.frozen import FrozenStore, require_not_frozen
from archive_pipeline.training_sets.hand import Hand
from archive_pipeline.training_sets.lines import TrainingPage
from archive_pipeline.training_sets.splits import split_of_hand
from archive_pipeline.training_sets.splitting import Split
from archive_pipeline.training_sets.stored import PageEntry, TruthPage, TruthSet, TruthStore, set_digest


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


def test_where_it_was_never_written_what_another_hand_gave_out_nothing_more_is_frozen_and_it_says_so(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    stored(archive.truths, "many", [page(n) for n in range(100, 130)], writer="many hands")
    archive.split("many hands")
    before = archive.split()
    archive.frozen._given(hand_key("many hands")).unlink()
    stored(archive.truths, "more", [page(n) for n in range(100, 190)])
    assert archive.split().frozen == before.frozen
    key = hand_key("many hands")
    assert f"the hand {key} was never written: no page joins the frozen ones until that hand is split" in caplog.text
    archive.split("many hands")
    caplog.clear()
    stored(archive.truths, "later", [page(n) for n in range(200, 240)])
    assert len(archive.split().frozen) > len(before.frozen)
    assert caplog.text == ""


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
