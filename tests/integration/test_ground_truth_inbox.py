"""The sensor on the folder for ground truth, with Dagster in this process: from a dropped set to a known hand."""

import os

import dagster as dg
import pytest
from truth_inbox import Inbox, files_of, line_image, why

from archive_pipeline.automation import hands_sensor
from archive_pipeline.bench.hostile_zips import with_name
from archive_pipeline.errors import NoSpaceLeft
from assets.ground_truth import FOLDER, SET
from assets.learning import TRUTH
from assets.partitions import TRAINING_SETS


def test_a_dropped_set_is_stored_and_its_hand_is_known_with_all_that_there_is_of_it(inbox: Inbox) -> None:
    inbox.drop("jean", files_of("un", "deux mots"))
    inbox.drop_zip("more of jean.zip", files_of("trois", hand="writer: jean  DUPONT\nlicence: CC0-1.0\n"))
    first, second = inbox.tick()
    assert first == "jean"
    assert second.startswith("more-of-jean-")
    assert inbox.tick() == []
    assert inbox.run(first).success
    assert inbox.run(second).success
    assert [truth.lines for name in inbox.truths.names() if (truth := inbox.truths.load(name))] == [2, 1]
    (hand,) = inbox.hands()
    assert hand.startswith("jean-dupont-")
    shown = inbox.shown(SET, "jean")
    assert {name: shown[name] for name in ("hand", "pages", "lines", "characters", "licence", "changed")} == {
        "hand": "Jean Dupont",
        "pages": 2,
        "lines": 2,
        "characters": 11,
        "licence": "CC-BY-4.0",
        "changed": True,
    }
    of_hand = inbox.shown(TRUTH, hand)
    assert (of_hand["pages"], of_hand["characters"], of_hand["licences"]) == (3, 16, "CC-BY-4.0, CC0-1.0")
    assert of_hand["sets"] == f"jean, {second}"


def test_the_same_again_changes_nothing_and_other_bytes_take_the_place_of_what_was_dropped(inbox: Inbox) -> None:
    inbox.drop("jean", files_of("un"))
    (name,) = inbox.tick()
    inbox.run(name)
    before = inbox.truths.load("jean")
    os.utime(inbox.folder / "jean" / "p1-1.png", (1, 1))
    assert inbox.tick() == ["jean"]
    assert inbox.run("jean").success
    assert inbox.shown(SET, "jean")["changed"] is False
    assert inbox.truths.load("jean") == before
    inbox.drop("jean", files_of("un", "deux"))
    assert inbox.tick() == ["jean"]
    assert inbox.run("jean").success
    after = inbox.truths.load("jean")
    assert after is not None
    assert after.lines == 2
    assert inbox.shown(SET, "jean")["changed"] is True


def test_a_set_that_was_stored_by_command_gives_way_only_when_somebody_says_so(inbox: Inbox) -> None:
    from archive_pipeline.training_sets.importing import import_truth
    from archive_pipeline.training_sets.reading import ReadOptions

    inbox.drop("jean", files_of("by command"))
    import_truth(inbox.folder / "jean", "jean", inbox.truths, ReadOptions())
    inbox.drop("jean", files_of("dropped"))
    assert inbox.tick() == ["jean"]
    assert "there is other ground truth of the name jean" in why(inbox.run("jean"))
    assert inbox.refused()["jean"].startswith("there is other ground truth of the name jean (1 page")
    assert inbox.run("jean", replace=True).success
    assert inbox.refused() == {}


def test_what_is_refused_is_shown_with_its_reason_and_noted_beside_it_until_it_is_mended(inbox: Inbox) -> None:
    (inbox.folder / "bad.zip").write_bytes(with_name("../../a.xml"))
    inbox.drop("empty", {"notes.odt": b"x"})
    (inbox.folder / "jean.png").write_bytes(line_image(1))
    (inbox.folder / "away").symlink_to("/etc")
    os.mkfifo(inbox.folder / "pipe.zip")
    asked = inbox.tick()
    assert asked == ["bad", "empty"]
    for name in asked:
        assert not inbox.run(name).success
    shown = inbox.shown(FOLDER)
    assert shown["refused"] == 5
    table = shown["refused ground truth"]
    assert isinstance(table, dg.TableMetadataValue)
    rows = {row.data["upload"]: row.data for row in table.records}
    assert {name: row["reason"] for name, row in rows.items()} == {
        "away": "it is a link",
        "bad.zip": "the name '../../a.xml' leads out of the archive",
        "empty": "it has no transcriptions",
        "jean.png": "it is neither a folder nor a ZIP",
        "pipe.zip": "it is no regular file",
    }
    assert all(row["what to do"] for row in rows.values())
    assert inbox.tick() == []
    assert "leads out of the archive" in (inbox.folder / "bad.zip.refused.txt").read_text("utf-8")
    (inbox.folder / "bad.zip").unlink()
    inbox.drop_zip("bad.zip", files_of("good now"))
    assert inbox.tick() == ["bad"]
    assert inbox.run("bad").success
    assert inbox.shown(FOLDER)["refused"] == 4
    inbox.tick()
    assert not (inbox.folder / "bad.zip.refused.txt").exists()
    assert sorted(inbox.refused()) == ["away", "empty", "jean.png", "pipe.zip"]
    assert [path.name for path in inbox.settings.home.rglob("a.xml")] == []


def test_a_full_disk_is_said_beside_the_set_and_leaves_the_one_before(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.drop("jean", files_of("un"))
    inbox.tick()
    inbox.run("jean")
    before = inbox.truths.load("jean")
    inbox.drop("jean", files_of("un", "deux"))
    assert inbox.tick() == ["jean"]

    def full(*_: object) -> None:
        raise NoSpaceLeft("no space left to write set.json")

    with monkeypatch.context() as patch:
        patch.setattr("archive_pipeline.training_sets.stored.TruthStore.write", full)
        assert "no space left" in why(inbox.run("jean"))
    assert inbox.refused() == {"jean": "no space left to write set.json"}
    assert inbox.truths.load("jean") == before
    assert inbox.run("jean").success
    assert inbox.refused() == {}


def test_a_folder_and_a_zip_of_one_name_are_one_set_and_the_second_waits_for_the_first_to_go(inbox: Inbox) -> None:
    inbox.drop("jean", files_of("un"))
    assert inbox.tick() == ["jean"]
    inbox.drop_zip("jean.zip", files_of("deux"))
    assert inbox.tick() == []
    assert inbox.refused() == {"jean.zip": "'jean' is ground truth of the same name"}
    assert inbox.run("jean").success
    for path in (inbox.folder / "jean").iterdir():
        path.unlink()
    (inbox.folder / "jean").rmdir()
    assert inbox.tick() == ["jean"]
    assert inbox.run("jean").success
    truth = inbox.truths.load("jean")
    assert truth is not None
    assert truth.origin == "jean.zip"


def test_a_tick_that_nobody_heard_of_asks_once_more_under_the_same_key(inbox: Inbox) -> None:
    inbox.drop("jean", files_of("un"))
    assert inbox.tick() == ["jean"]
    inbox.cursor = "of an earlier tick"
    assert inbox.tick() == []
    assert inbox.register.all()["jean"].state == "asked"
    inbox.tick()
    assert inbox.register.all()["jean"].state == "taken"


def test_the_doctors_check_is_of_all_sets(inbox: Inbox) -> None:
    inbox.drop("jean", files_of("un", "tr\ufffdis"))
    inbox.drop("anne", files_of("deux", hand="writer: Anne\nlicence: CC0-1.0\n"))
    inbox.tick()
    first, second = inbox.run("jean"), inbox.run("anne")
    for result in (first, second):
        (check,) = result.get_asset_check_evaluations()
        assert not check.passed
        assert check.severity == dg.AssetCheckSeverity.ERROR
        assert "jean" in str(check.description)
        table = check.metadata["findings"]
        assert isinstance(table, dg.TableMetadataValue)
        worst = table.records[0].data
        assert (worst["set"], worst["file"]) == ("jean", "p2-1.gt.txt")
        assert str(worst["finding"]).startswith("unknown-character")


def test_hands_and_sets_of_other_ways_in_are_made_known(inbox: Inbox) -> None:
    from archive_pipeline.training_sets.importing import import_truth
    from archive_pipeline.training_sets.reading import ReadOptions

    inbox.drop("jean", files_of("by command"))
    import_truth(inbox.folder / "jean", "letters", inbox.truths, ReadOptions())
    inbox.tick(hands_sensor)
    assert inbox.instance.get_dynamic_partitions(str(TRAINING_SETS.name)) == ["letters"]
    (hand,) = inbox.hands()
    assert hand.startswith("jean-dupont-")
    # There is nothing to take in: it is shown as it is.
    assert inbox.run("letters").success
    assert inbox.shown(SET, "letters")["lines"] == 1
