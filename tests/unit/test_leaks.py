"""Whether a model was trained with pages that it is to be judged by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from promoted import add_model, add_record

from archive_pipeline.durable import write_json
from archive_pipeline.errors import ModelError
from archive_pipeline.evaluation.leaks import Leak, leaks_of, require_unseen
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.training_sets.doctor.examination import text_digest
from archive_pipeline.training_sets.frozen import FrozenPage, FrozenPages, FrozenStore
from archive_pipeline.training_sets.lines import TrainingPage

BOX = ((0, 0), (99, 0), (99, 9), (0, 9))
LONG = "a text that is long enough to be known by, wherever it comes from, in whatever form " * 2


def page(name: str, text: str, image: str) -> TrainingPage:
    line = Line(id="l", boundary=BOX, text=text)
    return TrainingPage(
        id=name,
        group=name,
        image=Path("x.png"),
        image_sha256=image * 64,
        page=Page(number=1, width=100, height=100, regions=(Region(id="r", boundary=BOX, lines=(line,)),)),
        skip=frozenset(),
        licence=None,
        origin="set",
    )


@pytest.fixture
def frozen(tmp_path: Path) -> FrozenStore:
    return FrozenStore(tmp_path / "splits")


@pytest.fixture(autouse=True)
def model(tmp_path: Path) -> InstalledModel:
    return add_model(tmp_path, "m")


def found(models: Path, pages: Sequence[TrainingPage], frozen: FrozenStore) -> list[Leak]:
    leaks = leaks_of(models, ModelLibrary(models).installed("m"), pages, frozen)
    assert leaks is not None
    return list(leaks.found)


def test_a_page_of_the_training_is_known_by_its_image_or_by_a_text_that_is_long_enough(
    tmp_path: Path, frozen: FrozenStore
) -> None:
    pages = [page("a/1", LONG, "1"), page("a/2", "short", "2"), page("a/3", "short", "3")]
    add_record(tmp_path, "m", ("9" * 64, ""), ("8" * 64, text_digest(pages[1].page)))
    assert found(tmp_path, pages, frozen) == []
    add_record(tmp_path, "m", ("9" * 64, text_digest(pages[0].page)), ("3" * 64, ""))
    assert found(tmp_path, pages, frozen) == [Leak("a/1", "page/0", "text"), Leak("a/3", "page/1", "image")]
    assert found(tmp_path, pages[1:2], frozen) == []


def test_an_evaluation_is_refused_with_the_pages_and_the_training_and_an_unknown_training_is_not(
    tmp_path: Path, frozen: FrozenStore, model: InstalledModel
) -> None:
    pages = [page("a/1", LONG, "1"), page("a/3", "short", "3")]
    assert leaks_of(tmp_path, model, pages, frozen) is None
    require_unseen(tmp_path, model, pages, frozen)
    add_record(tmp_path, "m", ("3" * 64, ""))
    told = (
        r"model m was trained with pages that it would be judged by: a/3 \(there as page/0, by image\), "
        r"in its training of 2026-01-01T00:00:00\+00:00\. Judge it by others"
    )
    with pytest.raises(ModelError, match=told):
        require_unseen(tmp_path, model, pages, frozen)
    write_json(tmp_path / "trained" / "m.json", {"model": "m"})
    with pytest.raises(ModelError, match="nobody knows what m was trained with"):
        require_unseen(tmp_path, model, pages, frozen)


# Which model it is


def test_the_same_bytes_under_another_id_were_trained_with_the_same_pages(tmp_path: Path, frozen: FrozenStore) -> None:
    pages = [page("a/3", "short", "3")]
    add_record(tmp_path, "m", ("3" * 64, ""))
    other = add_model(tmp_path, "brought-along", data=b"m")
    leaks = leaks_of(tmp_path, other, pages, frozen)
    assert leaks is not None
    assert (leaks.model, leaks.found) == ("brought-along", (Leak("a/3", "page/0", "image"),))
    # A record that nobody can read may be that of these bytes.
    (tmp_path / "trained" / "m.json").write_text("{")
    with pytest.raises(ModelError, match="nobody knows what m was trained with"):
        leaks_of(tmp_path, other, pages, frozen)


def test_a_record_that_stayed_of_a_model_that_is_gone_says_nothing_of_another_one_with_its_id(
    tmp_path: Path, frozen: FrozenStore
) -> None:
    pages = [page("a/1", LONG, "1")]
    add_record(tmp_path, "m", ("9" * 64, ""))
    assert found(tmp_path, pages, frozen) == []
    another = add_model(tmp_path, "m", data=b"another")
    assert leaks_of(tmp_path, another, pages, frozen) is None


def test_of_what_a_server_holds_nobody_knows_anything(tmp_path: Path, frozen: FrozenStore) -> None:
    served = ModelLibrary(tmp_path).installed("surya-ocr-2")
    assert leaks_of(tmp_path, served, [page("a/1", LONG, "1")], frozen) is None


# What a frozen page was known by before


@pytest.mark.parametrize(
    ("now", "by"),
    [
        (page("a/1", "short", "7"), "image"),
        (page("a/1", LONG, "7"), "image"),
        (page("a/1", f"{LONG} mended", "1"), "text"),
        (page("a/1", f"{LONG} mended", "7"), "text"),
        (page("b/9", f"{LONG} mended", "1"), "text"),
    ],
    ids=["scanned-anew-and-emptied", "scanned-anew", "corrected", "scanned-anew-and-corrected", "corrected-renamed"],
)
def test_a_frozen_page_that_was_changed_since_it_was_trained_with_is_a_leak_still(
    tmp_path: Path, frozen: FrozenStore, now: TrainingPage, by: str
) -> None:
    then = page("a/1", LONG, "1")
    frozen.write("jean", FrozenPages(hand="Jean", pages=(FrozenPage.of(then).seen_as(now),)))
    trained = ("1" * 64, "") if by == "image" else ("8" * 64, text_digest(then.page))
    add_record(tmp_path, "m", trained)
    assert found(tmp_path, [now], frozen) == [Leak(now.id, "page/0", by)]
    # What is not frozen has no history.
    frozen.write("jean", FrozenPages(hand="Jean"))
    assert bool(found(tmp_path, [now], frozen)) == (trained[0] == now.image_sha256)


def test_a_page_that_was_changed_before_it_was_frozen_is_known_by_its_name(tmp_path: Path, frozen: FrozenStore) -> None:
    now = page("a/0", f"{LONG} mended", "7")
    add_record(tmp_path, "m", ("1" * 64, ""), name="a")
    # A name tells of frozen pages only: another folder may have pages of that name, too.
    assert found(tmp_path, [now], frozen) == []
    frozen.write("jean", FrozenPages(hand="Jean", pages=(FrozenPage.of(now),)))
    assert found(tmp_path, [now], frozen) == [Leak("a/0", "a/0", "name")]
    other = page("a/1", f"{LONG} another", "8")
    assert found(tmp_path, [other], frozen) == []
