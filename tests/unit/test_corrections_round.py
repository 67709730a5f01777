"""Pages go out, are corrected, and come back, and nothing that a person wrote is lost."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from correctable import KEY, MACHINE, SIZE, corrected, line, page, read, show, store_with_a_document
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from PIL import Image
from tests_support import files_below

from archive_pipeline.cli import cli
from archive_pipeline.corrections.returning import Returned, take_back
from archive_pipeline.corrections.sending import Selection, send
from archive_pipeline.durable import file_digest, read_json
from archive_pipeline.errors import PageFailed, UsageError
from archive_pipeline.ground_truth.matching import match_lines
from archive_pipeline.ground_truth.sent_names import parse_sent_name, sent_name
from archive_pipeline.intake import Source
from archive_pipeline.keys import DocumentKey
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.page import Line
from archive_pipeline.processing.choice import Choices, decide
from archive_pipeline.processing.corrected_lines import corrections_on
from archive_pipeline.processing.correction_layer import Correction, PageCorrections, note_image, stored_corrections
from archive_pipeline.processing.drawn_lines import with_drawn_lines
from archive_pipeline.processing.inspection import Inspection
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.page_job import DocumentWork, PageJob
from archive_pipeline.processing.processor import Processor
from archive_pipeline.processing.settings_reader import store_choices
from archive_pipeline.processing.stored_pages import (
    StoredPage,
    applied_corrections,
    forget_pages_after,
    page_to_export,
    stored_image,
    with_corrections,
    write_model,
)
from archive_pipeline.store import DocumentFolder, Store
from archive_pipeline.training_sets.lines import corrected_pages, pages_of_hand
from archive_pipeline.training_sets.reading import ReadOptions
from archive_pipeline.training_sets.stored import TruthStore

OPTIONS = ReadOptions()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_with_a_document(tmp_path / "store")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.zip"


def by_another_tool(text: str) -> str:
    """Without our name in it, and with names of lines of its own."""
    root = etree.fromstring(text.encode())
    for creator in root.iter("{*}Creator"):
        creator.text = "escriptorium"
    for number, each in enumerate(root.iter("{*}TextLine")):
        each.set("id", f"eSc_line_{number}abc")
    return etree.tostring(root).decode()


def taken(path: Path, store: Store, *, reviewed: bool = False, take: bool = False) -> list[Returned]:
    return list(take_back(path, store, OPTIONS, reviewed=reviewed, take=take))


def texts(store: Store, number: int = 1) -> list[str]:
    return [each.best_text for each in page_to_export(store.document(KEY), number).lines()]


def test_what_goes_out_has_images_page_files_and_a_mets_that_names_both(store: Store, out: Path) -> None:
    sent = send([Selection(store.document(KEY), "1")], out)
    (name,) = sent.pages
    image = stored_image(store.document(KEY), 1)
    assert image is not None
    assert name == f"{KEY}_0001_{image.sha256[:12]}"
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == [f"{KEY}/{name}.png", f"{KEY}/page/{name}.xml", "mets.xml"]
        mets = etree.fromstring(archive.read("mets.xml"))
        places = [each.get("{http://www.w3.org/1999/xlink}href") for each in mets.iter("{*}FLocat")]
        assert places == archive.namelist()[:2]
        (div,) = mets.findall("{*}structMap//{*}div[@TYPE='page']")
        assert [each.get("FILEID") for each in div] == [each.get("ID") for each in mets.iter("{*}file")]
        content = etree.fromstring(archive.read(f"{KEY}/page/{name}.xml"))
        assert content.find("{*}Page").get("imageFilename") == f"{name}.png"  # type: ignore[union-attr]
        assert Image.open(io.BytesIO(archive.read(f"{KEY}/{name}.png"))).size == SIZE


def test_the_same_pages_make_the_same_zip_and_never_over_another(store: Store, out: Path) -> None:
    send([Selection(store.document(KEY))], out)
    first = out.read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        send([Selection(store.document(KEY))], out)
    out.unlink()
    send([Selection(store.document(KEY))], out)
    assert out.read_bytes() == first


def test_pages_without_lines_are_left_out_and_nothing_but_them_is_an_error(store: Store, out: Path) -> None:
    folder = store.document(KEY)
    folder.transcription(2).unlink()
    assert send([Selection(folder)], out).left_out == {f"{KEY}, page 2": "Not read yet."}
    with pytest.raises(UsageError, match="none of these pages can be corrected"):
        send([Selection(folder, "2")], out.with_name("b.zip"))
    assert not out.with_name("b.zip").exists()


@pytest.mark.parametrize("images", [True, False], ids=["with-images", "without-images"])
@pytest.mark.parametrize("tool", [str, by_another_tool], ids=["as-sent", "renamed-lines"])
def test_a_correction_comes_back_to_its_line(store: Store, out: Path, images: bool, tool: Callable[[str], str]) -> None:
    send([Selection(store.document(KEY))], out)
    back = corrected(out, lambda text: tool(text.replace("Audieuce dn", "Audience du")), images=images)
    found = taken(back, store)
    assert [(each.outcome, each.key, each.page, each.changed, each.left) for each in found] == [
        ("corrected", KEY, 1, 1, 2),
        ("corrected", KEY, 2, 1, 2),
    ]
    assert texts(store) == ["Audience du matin", *MACHINE[1:]]
    image = stored_image(store.document(KEY), 1)
    layer = stored_corrections(store.document(KEY), 1)
    assert image is not None
    assert (layer.image, layer.source, layer.width) == (image.sha256, image.source, 400)
    # Nobody vouches for the lines that were left alone: a better model may read them better.
    assert {name: each.text for name, each in layer.lines.items()} == {"l0": "Audience du matin"}
    # The same again changes nothing.
    before = files_below(store.root)
    assert {each.outcome for each in taken(back, store)} == {"same"}
    assert files_below(store.root) == before


def test_lines_that_were_left_alone_are_right_where_a_person_says_that_the_page_was_gone_through(
    store: Store, out: Path
) -> None:
    send([Selection(store.document(KEY), "1")], out)
    back = corrected(out, lambda text: text.replace("Audieuce dn", "Audience du"))
    (found,) = taken(back, store)
    assert "--reviewed" in found.what
    (found,) = taken(back, store, reviewed=True)
    assert (found.outcome, found.changed, found.confirmed, found.left, found.what) == ("corrected", 1, 2, 0, "")
    layer = stored_corrections(store.document(KEY), 1)
    assert layer.reviewed
    assert [each.text for each in layer.lines.values()] == ["Audience du matin", *MACHINE[1:]]
    # What comes back once more without a word takes nothing of that away.
    assert [each.outcome for each in taken(back, store)] == ["same"]


def test_a_page_that_nobody_touched_says_nothing_of_the_machines_text(store: Store, out: Path) -> None:
    send([Selection(store.document(KEY))], out)
    back = corrected(out, by_another_tool)
    assert {each.outcome for each in taken(back, store)} == {"unchanged"}
    assert stored_corrections(store.document(KEY), 1).lines == {}
    assert {each.outcome for each in taken(back, store, reviewed=True)} == {"corrected"}
    assert len(stored_corrections(store.document(KEY), 1).lines) == 3


def test_a_page_that_is_done_in_transkribus_was_gone_through(store: Store, out: Path) -> None:
    send([Selection(store.document(KEY), "1")], out)
    status = '<TranskribusMetadata docId="1" pageId="1" pageNr="1" status="GT"/></Metadata>'
    back = corrected(out, lambda text: text.replace("</Metadata>", status))
    assert [each.outcome for each in taken(back, store)] == ["corrected"]


def test_a_page_that_was_read_anew_meanwhile_is_compared_with_what_was_sent(store: Store, out: Path) -> None:
    send([Selection(store.document(KEY), "1")], out)
    read(store.document(KEY), [line(f"l{n}", n, f"{text} anew") for n, text in enumerate(MACHINE)])
    back = corrected(out, lambda text: text.replace("Audieuce dn", "Audience du"))
    (found,) = taken(back, store)
    assert (found.outcome, found.changed, found.left) == ("corrected", 1, 2)
    assert texts(store) == ["Audience du matin", *(f"{text} anew" for text in MACHINE[1:])]


def test_two_people_who_correct_one_line_differently_are_both_heard(store: Store, out: Path) -> None:
    folder = store.document(KEY)
    send([Selection(folder, "1")], out)
    (first,) = taken(corrected(out, lambda text: text.replace("Audieuce dn", "Audience du")), store)
    assert first.outcome == "corrected"
    other = corrected(out, lambda text: text.replace("Audieuce dn", "AUDIENCE DU").replace("Lc sieur", "Le sieur"))
    (second,) = taken(other, store)
    assert second.outcome == "conflict"
    assert [(each.line, each.stored, each.returned) for each in second.conflicts] == [
        ("l0", "Audience du matin", "AUDIENCE DU matin")
    ]
    # The other line had no rival, and what the second left alone on the first line is not undone.
    assert texts(store) == ["Audience du matin", "Le sieur Martin", "a comparu"]
    kept = [json.loads(path.read_text("utf-8")) for path in sorted((folder.root / "returned" / "0001").glob("*"))]
    assert "AUDIENCE DU matin" in json.dumps(kept)
    (third,) = taken(other, store, take=True)
    assert third.outcome == "corrected"
    assert texts(store)[0] == "AUDIENCE DU matin"
    # Each file of corrections that was replaced is there still.
    before = [json.loads(path.read_text("utf-8")) for path in (folder.root / "corrections" / "before").glob("0001-*")]
    assert {each["lines"]["l0"]["text"] for each in before} == {"Audience du matin"}
    assert len(before) == 2


def test_who_left_a_line_alone_does_not_undo_what_another_corrected_meanwhile(store: Store, out: Path) -> None:
    send([Selection(store.document(KEY), "1")], out)
    taken(corrected(out, lambda text: text.replace("Audieuce dn", "Audience du")), store)
    (found,) = taken(corrected(out, lambda text: text.replace("Lc sieur", "Le sieur")), store)
    assert found.outcome == "corrected"
    assert texts(store) == ["Audience du matin", "Le sieur Martin", "a comparu"]


def test_a_correction_of_a_correction_is_no_conflict(store: Store, tmp_path: Path, out: Path) -> None:
    send([Selection(store.document(KEY), "1")], out)
    taken(corrected(out, lambda text: text.replace("Audieuce dn", "Audiance du")), store)
    again = tmp_path / "again.zip"
    send([Selection(store.document(KEY), "1")], again)
    (found,) = taken(corrected(again, lambda text: text.replace("Audiance", "Audience")), store)
    assert (found.outcome, found.conflicts) == ("corrected", ())
    assert texts(store)[0] == "Audience du matin"


def test_corrections_stay_on_their_lines_when_the_page_is_segmented_anew(store: Store, out: Path) -> None:
    folder = store.document(KEY)
    send([Selection(folder, "1")], out)
    taken(corrected(out, lambda text: text.replace("Audieuce dn", "Audience du")), store, reviewed=True)
    # Another model: other names, in another order, a little lower; the third line is not found any more.
    read(folder, [line("l0", 1, "x", 2), line("l1", 0, "y", 2), line("l9", 3, "new")])
    assert {each.id: each.best_text for each in page_to_export(folder, 1).lines()} == {
        "l0": MACHINE[1],
        "l1": "Audience du matin",
        "l9": "new",
        # Of people, where the machine has no line any more.
        "l2": MACHINE[2],
    }
    assert applied_corrections(folder, 1).lost == ()
    (truth,) = corrected_pages(folder)
    assert sorted(each.text for each in truth.lines()) == sorted(["Audience du matin", *MACHINE[1:]])


def test_lines_that_are_not_on_the_page_any_more_are_kept_and_named(store: Store, out: Path) -> None:
    folder = store.document(KEY)
    send([Selection(folder, "1")], out)
    read(folder, [line("l0", 0, "x"), line("l1", 1, "y")])
    back = corrected(out, lambda text: text.replace("a comparu", "a comparu devant"))
    (found,) = taken(back, store, reviewed=True)
    assert (found.outcome, found.unplaced) == ("corrected", ("l2",))
    assert stored_corrections(folder, 1).lines["l2"].text == "a comparu devant"
    assert texts(store)[2] == "a comparu devant"
    assert {each.outcome for each in taken(back, store)} == {"same"}
    # It is a line to train with all the same, where the person had it.
    choices = Choices(engine="e", segmentation_model="s", model="m", hand="Jean", origins={})
    store_choices(folder, choices, {})
    (truth,) = pages_of_hand(TruthStore(store.root / "ground-truth"), store, "Jean")
    (drawn,) = [each for each in truth.lines() if each.text == "a comparu devant"]
    assert drawn.line.baseline == line("l2", 2).baseline
    # The line comes back with the next reading, and has its correction.
    read(folder, [line("a", 2, "z")])
    assert {each.id: each.best_text for each in page_to_export(folder, 1).lines()} == {
        "l0": MACHINE[0],
        "l1": MACHINE[1],
        "a": "a comparu devant",
    }


def test_corrections_of_another_picture_are_put_on_no_line_and_are_not_lost(store: Store, out: Path) -> None:
    folder = store.document(KEY)
    send([Selection(folder, "1")], out)
    back = corrected(out, lambda text: text.replace("Audieuce dn", "Audience du"))
    taken(back, store)
    show(folder, 7, f"{'6' * 64}:0")
    read(folder, [line(f"l{n}", n, f"other {n}") for n in range(3)])
    assert texts(store) == ["other 0", "other 1", "other 2"]
    assert applied_corrections(folder, 1).other_picture
    store_choices(folder, Choices(engine="e", segmentation_model="s", model="m", hand="Jean", origins={}), {})
    assert list(pages_of_hand(TruthStore(store.root / "ground-truth"), store, "Jean")) == []
    assert stored_corrections(folder, 1).lines["l0"].text == "Audience du matin"
    # The old ZIP is of the old picture.
    assert [each.outcome for each in taken(corrected(out, str, images=False), store)] == ["other-picture"]
    # Corrections of the new one take the place of the old ones, which are kept.
    new = out.with_name("new.zip")
    send([Selection(folder, "1")], new)
    (found,) = taken(corrected(new, lambda text: text.replace("other 0", "another 0")), store)
    assert found.outcome == "corrected"
    assert texts(store) == ["another 0", "other 1", "other 2"]
    (before,) = (folder.root / "corrections" / "before").glob("0001-*")
    assert "Audience du matin" in before.read_text("utf-8")


def test_corrections_stay_when_the_same_scan_is_rendered_anew_in_another_size(store: Store, out: Path) -> None:
    folder = store.document(KEY)
    send([Selection(folder, "1")], out)
    taken(corrected(out, lambda text: text.replace("Audieuce dn", "Audience du")), store, reviewed=True)
    first = stored_image(folder, 1)
    assert first is not None
    image = show(folder, 8, first.source).model_copy(update={"width": 800, "height": 600})
    write_model(folder.image_record(1), image)
    doubled = [
        each.model_copy(
            update={
                "boundary": tuple((2 * x, 2 * y) for x, y in each.boundary),
                "baseline": tuple((2 * x, 2 * y) for x, y in each.baseline),
            }
        )
        for each in (line(f"m{n}", n, "x") for n in range(3))
    ]
    bigger = page(doubled, image.sha256).model_copy(update={"width": 800, "height": 600})
    write_model(folder.transcription(1), StoredPage(made_from="y", page=bigger))
    assert texts(store) == ["Audience du matin", *MACHINE[1:]]


def test_fragments_of_the_machine_make_way_for_a_line_of_a_person(store: Store, out: Path) -> None:
    folder = store.document(KEY)
    send([Selection(folder, "1")], out)
    taken(corrected(out, lambda text: text.replace("Audieuce dn", "Audience du")), store, reviewed=True)

    def part(name: str, left: int, right: int) -> Line:
        whole = line(name, 0, name)
        return whole.model_copy(
            update={
                "boundary": ((left, 20), (right, 20), (right, 50), (left, 50)),
                "baseline": ((left, 42), (right, 42)),
            }
        )

    read(folder, [part("l0", 10, 100), part("b", 110, 200), part("c", 210, 390), line("d", 3, "new")])
    assert texts(store) == ["Audience du matin", *MACHINE[1:], "new"]
    names = [each.id for each in page_to_export(folder, 1).lines()]
    assert names == ["l0-by-people", "l1", "l2", "d"]


def by_hand(folder: DocumentFolder, lines: dict[str, str]) -> None:
    folder.correction(1).parent.mkdir(exist_ok=True)
    folder.correction(1).write_text(json.dumps(lines), "utf-8")


def test_a_file_by_hand_goes_by_names_until_its_picture_is_replaced(store: Store) -> None:
    folder = store.document(KEY)
    by_hand(folder, {"l0": "by hand"})
    content = folder.correction(1).read_bytes()
    assert texts(store)[0] == "by hand"
    before = stored_image(folder, 1)
    assert before is not None
    note_image(folder, 1, before)  # as a run does, before it publishes another image
    show(folder, 7, f"{'6' * 64}:0")
    read(folder, [line("l0", 0, "other")])
    assert texts(store) == ["other"]
    assert applied_corrections(folder, 1).other_picture
    assert folder.correction(1).read_bytes() == content
    # A person who writes it anew means the picture of now.
    by_hand(folder, {"l0": "by hand, of the new one"})
    assert texts(store) == ["by hand, of the new one"]


def test_a_page_that_is_gone_and_comes_back_as_another_does_not_get_the_old_corrections(store: Store) -> None:
    folder = store.document(KEY)
    by_hand(folder, {"l0": "by hand"})
    forget_pages_after(folder, 0)
    show(folder, 7, f"{'6' * 64}:0")
    read(folder, [line("l0", 0, "other")])
    assert texts(store) == ["other"]


@pytest.mark.parametrize("gone", ["nothing", "image"])
def test_a_file_by_hand_is_put_on_no_other_picture_after_a_rendering_that_failed(
    store: Store, tmp_path: Path, gone: str
) -> None:
    folder = store.document(KEY)
    by_hand(folder, {"l0": "by hand"})
    before = stored_image(folder, 1)
    assert before is not None
    if gone == "image":
        (folder.images / before.file).unlink()
    inspection = Inspection.model_validate(read_json(folder.inspection))
    options = ProcessingOptions(workers=1, models_dir=tmp_path / "models")
    decided = decide([], ModelLibrary(tmp_path / "models"))
    work = DocumentWork(
        folder,
        Source(tmp_path / "l.pdf", "file", (), 0),
        inspection,
        options,
        decided.segmentation,
        decided.recognition,
    )
    job = PageJob(1, inspection.pages[0], render=True, segment=True, recognize=True)
    with Processor(store, options) as processor:
        processor._page_failed(work, job, PageFailed("it cannot be rendered"))
    assert stored_image(folder, 1) is None
    folder.failure(1).unlink()  # as the next run does, which succeeds
    show(folder, 7, f"{'6' * 64}:0")
    read(folder, [line("l0", 0, "other")])
    assert texts(store) == ["other"]
    assert applied_corrections(folder, 1).other_picture


def test_a_file_by_hand_is_taken_over_with_the_first_that_comes_back(store: Store, out: Path) -> None:
    folder = store.document(KEY)
    by_hand(folder, {"l2": "a comparu hier", "gone": "of old"})
    send([Selection(folder, "1")], out)
    (found,) = taken(corrected(out, lambda text: text.replace("Audieuce dn", "Audience du")), store)
    assert found.outcome == "corrected"
    assert texts(store) == ["Audience du matin", MACHINE[1], "a comparu hier"]
    layer = stored_corrections(folder, 1)
    assert layer.lines["gone"] == Correction(text="of old")
    assert layer.lines["l2"].baseline == line("l2", 2).baseline


def test_pages_of_no_document_or_of_no_format_stop_no_other(store: Store, out: Path, tmp_path: Path) -> None:
    send([Selection(store.document(KEY), "1")], out)
    back = corrected(out, lambda text: text.replace("Audieuce dn", "Audience du"))
    with zipfile.ZipFile(back, "a") as archive:
        archive.writestr("0-broken.xml", "<PcGts")
        with zipfile.ZipFile(out) as sent:
            name = next(each for each in sent.namelist() if "/page/" in each)
            other = sent.read(name).decode().replace(KEY, "nobody.pdf")
        image = stored_image(store.document(KEY), 1)
        assert image is not None
        archive.writestr("1-other.xml", other.replace(image.sha256, "0" * 64))
    found = {each.file: each.outcome for each in taken(back, store)}
    assert found["0-broken.xml"] == "unreadable"
    assert found["1-other.xml"] == "unknown"
    assert sorted(found.values()) == ["corrected", "unknown", "unreadable"]


def test_a_transcription_without_any_text_deletes_nothing(store: Store, out: Path) -> None:
    send([Selection(store.document(KEY), "1")], out)

    def emptied(text: str) -> str:
        root = etree.fromstring(text.encode())
        for each in root.iter("{*}Unicode"):
            each.text = ""
        return etree.tostring(root).decode()

    assert [each.outcome for each in taken(corrected(out, emptied), store)] == ["no-text"]
    assert texts(store) == MACHINE


def test_a_line_that_a_person_emptied_is_empty(store: Store, out: Path) -> None:
    send([Selection(store.document(KEY), "1")], out)
    taken(corrected(out, lambda text: text.replace("a comparu", "")), store)
    assert texts(store) == [*MACHINE[:2], ""]


def test_corrected_pages_are_ground_truth_of_the_hand_of_their_document(
    store: Store, out: Path, tmp_path: Path
) -> None:
    folder = store.document(KEY)
    choices = Choices(engine="e", segmentation_model="s", model="m", hand="Jean", origins={})
    store_choices(folder, choices, {})
    truths = TruthStore(tmp_path / "truths")
    assert list(pages_of_hand(truths, store, "Jean")) == []
    send([Selection(folder, "1")], out)
    back = corrected(out, lambda text: text.replace("Audieuce dn", "Audience du"))
    taken(back, store)
    assert list(pages_of_hand(truths, store, "jean")) == []
    taken(back, store, reviewed=True)
    (found,) = pages_of_hand(truths, store, "jean")
    assert (found.id, found.origin) == (f"{KEY}/1", "corrections")
    assert [each.text for each in found.lines()] == ["Audience du matin", *MACHINE[1:]]
    assert file_digest(found.image) == found.image_sha256
    assert list(pages_of_hand(truths, store, "Marie")) == []


def test_a_page_on_which_a_person_corrected_what_they_stumbled_upon_is_no_ground_truth(
    store: Store, tmp_path: Path
) -> None:
    folder = store.document(KEY)
    store_choices(folder, Choices(engine="e", segmentation_model="s", model="m", hand="Jean", origins={}), {})
    by_hand(folder, {"l0": "by hand"})
    assert list(pages_of_hand(TruthStore(tmp_path / "truths"), store, "Jean")) == []


def test_the_commands_send_and_take_back(
    store: Store, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVE_STORE", str(store.root))
    run = CliRunner().invoke
    sent = run(cli, ["corrections", "export", f"{KEY}:1", "--out", str(out)])
    assert sent.output == f"{out}: 1 pages\n"
    back = corrected(out, lambda text: text.replace("Audieuce dn", "Audience du"))
    result = run(cli, ["corrections", "import", str(back)])
    assert result.exit_code == 0, result.output
    assert (
        f"→ {KEY}, page 1: corrected, 1 changed, 2 left as the machine read them (if the page was gone through"
        in result.output
    )
    assert f"archive-pipeline export {KEY}" in result.output
    run(cli, ["corrections", "import", str(corrected(out, lambda text: text.replace("Audieuce", "Audace")))])
    conflict = run(cli, ["corrections", "import", str(tmp_path / "back.zip"), "--json"])
    assert conflict.exit_code == 3
    (page,) = json.loads(conflict.stdout)["pages"]
    assert page["conflicts"] == [{"line": "l0", "stored": "Audience du matin", "returned": "Audace dn matin"}]


@given(
    key=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,30}(\.[a-z0-9_]{1,5})?", fullmatch=True),
    number=st.integers(1, 999_999),
    around=st.sampled_from(["{}", "{}.jpg", "export/{}.xml", "C:\\x\\{}.png", "{}.jpg.xml"]),
)
@settings(max_examples=100)
def test_a_sent_name_is_read_back_from_what_tools_make_of_it(key: str, number: int, around: str) -> None:
    name = sent_name(DocumentKey(key), number, "0123456789abcdef" * 4)
    assert parse_sent_name(around.format(name)) == name


@given(st.text(max_size=60))
@settings(max_examples=100)
def test_any_name_is_a_sent_one_or_none(text: str) -> None:
    found = parse_sent_name(text)
    assert found is None or str(found) in text


LINES = st.lists(st.tuples(st.integers(0, 8), st.integers(-8, 8)), max_size=8).map(
    lambda places: [line(f"l{n}", number, "t", shift) for n, (number, shift) in enumerate(places)]
)


@given(LINES, LINES)
@settings(max_examples=100)
def test_lines_are_matched_one_to_one_and_to_themselves(these: list[Line], those: list[Line]) -> None:
    found = match_lines(these, those)
    assert len(set(found.values())) == len(found)
    own = match_lines(these, these)
    assert sorted(own) == list(range(len(these)))
    assert all(these[one].boundary == these[other].boundary for one, other in own.items())


TEXT = st.sampled_from(["", "a", "b", "c"])


@given(machine=LINES, people=LINES, new=st.lists(TEXT, min_size=8, max_size=8))
@settings(max_examples=100)
def test_every_corrected_line_with_text_is_on_the_page_once(
    machine: list[Line], people: list[Line], new: list[str]
) -> None:
    lines = {
        each.id: Correction(text=text, boundary=each.boundary, baseline=each.baseline)
        for each, text in zip(people, new, strict=False)
    }
    now = page([each.model_copy(update={"text": "machine"}) for each in machine], "a" * 64)
    applied = corrections_on(now, None, PageCorrections(image="a" * 64, width=400, height=300, lines=lines))
    shown = list(with_drawn_lines(with_corrections(now, applied.texts), applied.drawn).lines())
    written = [each.correction for each in shown if each.correction]
    assert sorted(written) == sorted(each.text for each in lines.values() if each.text)
    assert len({each.id for each in shown}) == len(shown)
    assert applied.lost == ()
