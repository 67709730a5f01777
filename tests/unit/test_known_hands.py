"""Which hands there is ground truth of, and how much: sets, and pages of the archive that people corrected."""

from __future__ import annotations

from pathlib import Path

import pytest
from correctable import KEY, MACHINE, corrected, store_with_a_document
from PIL import Image

from archive_pipeline.corrections.returning import take_back
from archive_pipeline.corrections.sending import Selection, send
from archive_pipeline.errors import UsageError
from archive_pipeline.hand_names import hand_key
from archive_pipeline.processing.choice import Choices
from archive_pipeline.processing.settings_reader import store_choices
from archive_pipeline.store import Store
from archive_pipeline.training_sets.hand import Hand
from archive_pipeline.training_sets.hands import known_hand, known_hands, truth_of_hand
from archive_pipeline.training_sets.importing import import_truth
from archive_pipeline.training_sets.lines import pages_of_hand
from archive_pipeline.training_sets.reading import ReadOptions
from archive_pipeline.training_sets.stored import TruthStore, truths_in


def take(folder: Path, truths: TruthStore, name: str, text: str, hand: str) -> None:
    path = folder / name
    path.mkdir(exist_ok=True)
    (path / "hand.yaml").write_text(hand, "utf-8")
    Image.new("L", (200, 40), len(name)).save(path / "1-1.png")
    (path / "1-1.gt.txt").write_text(text, "utf-8")
    import_truth(path, name, truths, ReadOptions(), replace=True)


def correct(store: Store, folder: Path, right: str) -> None:
    number = len(list(folder.glob("*.zip")))
    out = folder / f"{number}.zip"
    send([Selection(store.document(KEY), "1")], out)
    before = "Audieuce" if number == 0 else "Audience dn"
    (page,) = take_back(corrected(out, lambda text: text.replace(before, right)), store, ReadOptions(), reviewed=True)
    assert page.outcome == "corrected", page


def test_sets_and_corrected_pages_of_one_hand_are_one_whatever_way_its_name_is_written(tmp_path: Path) -> None:
    store, truths = store_with_a_document(tmp_path / "store"), truths_in(tmp_path / "training")
    assert known_hands(truths, store) == {}
    correct(store, tmp_path, "Audience")
    assert known_hands(truths, store) == {}  # nobody said whose hand it is
    store_choices(
        store.document(KEY), Choices(engine="e", segmentation_model="s", model="m", hand="Jean", origins={}), {}
    )
    assert known_hands(truths, store) == {"jean": "Jean"}
    found = truth_of_hand(truths, store, "jean")
    assert (found.pages, found.lines, found.from_corrections, found.sets) == (1, len(MACHINE), 1, ())
    take(tmp_path, truths, "letters", "un deux", "writer: ' JEAN '\nlicence: CC0-1.0\n")
    take(tmp_path, truths, "anne", "trois", "writer: Anne\n")
    assert sorted(known_hands(truths, store)) == ["anne", "jean"]
    both = truth_of_hand(truths, store, "jean")
    assert (both.pages, both.lines, both.from_corrections) == (2, len(MACHINE) + 1, 1)
    assert (both.sets, both.licences) == (("letters",), ("CC0-1.0",))
    assert both.characters == found.characters + len("un deux")


@pytest.mark.parametrize("hand", ["auto", " Auto"])
def test_documents_of_an_unknown_hand_and_sets_of_before_make_no_hand(tmp_path: Path, hand: str) -> None:
    store, truths = store_with_a_document(tmp_path / "store"), truths_in(tmp_path / "training")
    correct(store, tmp_path, "Audience")
    store_choices(
        store.document(KEY), Choices(engine="e", segmentation_model="s", model="m", hand=hand, origins={}), {}
    )
    take(tmp_path, truths, "letters", "un deux", "writer: Jean\n")
    # As it could be stored before such a hand.yaml was refused.
    stored = truths.load("letters")
    assert stored is not None
    truths.write(stored.model_copy(update={"hand": Hand.model_construct(writer=hand)}))
    assert known_hands(truths, store) == {}
    assert list(pages_of_hand(truths, store, hand)) == []


def test_what_a_hand_is_known_by_changes_with_its_own_ground_truth_alone(tmp_path: Path) -> None:
    store, truths = store_with_a_document(tmp_path / "store"), truths_in(tmp_path / "training")
    store_choices(
        store.document(KEY), Choices(engine="e", segmentation_model="s", model="m", hand="Jean", origins={}), {}
    )
    seen = []

    def digest() -> str:
        return truth_of_hand(truths, store, "jean").digest

    correct(store, tmp_path, "Audience")
    seen.append(digest())
    take(tmp_path, truths, "anne", "trois", "writer: Anne\n")
    assert digest() == seen[-1]
    take(tmp_path, truths, "letters", "un", "writer: Jean\n")
    seen.append(digest())
    take(tmp_path, truths, "letters", "deux", "writer: Jean\n")
    seen.append(digest())
    take(tmp_path, truths, "letters", "deux", "writer: Jean\nlicence: CC0-1.0\n")
    seen.append(digest())
    correct(store, tmp_path, "Audience du jour")
    seen.append(digest())
    assert len(set(seen)) == len(seen)


def test_a_hand_that_nobody_wrote_in_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no ground truth of a hand 'nobody'") as error:
        truth_of_hand(truths_in(tmp_path / "t"), Store(tmp_path / "s"), "nobody")
    assert "hand.yaml" in error.value.remedy


def test_a_hand_whose_name_is_misspelt_is_named_as_it_was_typed_with_those_that_are_meant(tmp_path: Path) -> None:
    truths, store = truths_in(tmp_path / "t"), Store(tmp_path / "s")
    take(tmp_path, truths, "letters", "un", "writer: Jean Dupont\n")
    assert known_hand(truths, store, " jean  DUPONT") == hand_key("Jean Dupont")
    with pytest.raises(UsageError, match="no ground truth of a hand 'Jean Dupond'") as error:
        known_hand(truths, store, "Jean Dupond")
    assert "Did you mean 'Jean Dupont'?" in error.value.remedy
    with pytest.raises(UsageError) as error:
        known_hand(truths, store, "Marie")
    assert "Did you mean" not in error.value.remedy
