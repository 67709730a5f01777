"""kill -9 at every change that an import makes: the old state or the new one, and nothing of people lost."""

import hashlib
import os
import shutil
import zipfile
from pathlib import Path

from correctable import KEY, corrected, store_with_a_document
from filelock import FileLock
from killed import killed_at
from PIL import Image
from tests_support import files_below

from archive_pipeline.corrections.returning import take_back
from archive_pipeline.corrections.sending import Selection, send
from archive_pipeline.processing.pool import IN_USE
from archive_pipeline.store import Store
from archive_pipeline.training_sets.importing import import_truth
from archive_pipeline.training_sets.reading import ReadOptions
from archive_pipeline.training_sets.stored import TruthStore, truths_in

OPTIONS = ReadOptions()


def contents(folder: Path) -> dict[str, str]:
    """Files below a folder with their digests, but for locks."""
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in files_below(folder)
        if not name.endswith("lock")
    }


def lines(folder: Path, *texts: str) -> Path:
    folder.mkdir()
    (folder / "hand.yaml").write_text("writer: Jean\nlicence: CC0-1.0\n", "utf-8")
    for number, text in enumerate(texts):
        Image.new("L", (200, 40), 200 + number).save(folder / f"{number}-1.png")
        (folder / f"{number}-1.gt.txt").write_text(text, "utf-8")
    return folder


def whole(truths: TruthStore) -> str:
    """The digest of the set, of which every page and image is there with the bytes of its name."""
    truth = truths.load("jean")
    assert truth is not None
    for entry in truth.pages:
        stored = truths.page("jean", entry)
        assert hashlib.sha256(truths.page_path("jean", entry.id).read_bytes()).hexdigest() == entry.id
        image = truths.image_path("jean", entry.image).read_bytes()
        assert hashlib.sha256(image).hexdigest() == stored.image_sha256
    return truth.digest


def test_a_killed_import_of_ground_truth_leaves_the_old_set_or_the_new_one(tmp_path: Path) -> None:
    old, new = lines(tmp_path / "old", "un", "deux"), lines(tmp_path / "new", "un", "deux bis", "trois")
    before, training = tmp_path / "before", tmp_path / "training"

    def take(path: Path, into: Path = training) -> None:
        import_truth(path, "jean", truths_in(into), OPTIONS, replace=True, work=tmp_path / "work")

    take(old, before)
    take(new, tmp_path / "undisturbed")
    digests = whole(truths_in(before)), whole(truths_in(tmp_path / "undisturbed"))
    shutil.copytree(before, training)
    changes = killed_at(None, training, lambda: take(new))
    assert changes is not None
    seen = set()
    for number in range(1, changes + 1):
        shutil.rmtree(training)
        shutil.copytree(before, training)
        assert killed_at(number, training, lambda: take(new)) is None
        found = whole(truths_in(training))
        assert found in digests
        seen.add(found)
        if number % 4 == 0 or number == changes:
            take(new)
            assert contents(training / "sets") == contents(tmp_path / "undisturbed" / "sets")
    print(f"\n{changes} kills of an import of ground truth")
    assert changes > 10
    assert seen == set(digests)


def test_a_killed_import_of_corrections_loses_nothing_that_people_wrote(tmp_path: Path) -> None:
    store = store_with_a_document(tmp_path / "first")
    send([Selection(store.document(KEY))], tmp_path / "out.zip")
    first = corrected(tmp_path / "out.zip", lambda text: text.replace("Audieuce", "Audience"))
    list(take_back(first, store, OPTIONS))
    send([Selection(store.document(KEY))], tmp_path / "again.zip")
    second = corrected(tmp_path / "again.zip", lambda text: text.replace("Lc sieur", "Le sieur"))
    undisturbed, root = tmp_path / "undisturbed", tmp_path / "store"
    shutil.copytree(store.root, undisturbed)
    list(take_back(second, Store(undisturbed), OPTIONS))
    old, new = contents(store.root), contents(undisturbed)
    names = [f"documents/{KEY}/corrections/{number:04d}.json" for number in (1, 2)]
    assert all(old[name] != new[name] for name in names)

    def take() -> None:
        list(take_back(second, Store(root), OPTIONS))

    shutil.copytree(store.root, root)
    changes = killed_at(None, root, take)
    assert changes is not None
    for number in range(1, changes + 1):
        shutil.rmtree(root)
        shutil.copytree(store.root, root)
        assert killed_at(number, root, take) is None
        found = contents(root)
        for name in names:
            assert found[name] in (old[name], new[name])
            # What was there is still there, as it was.
            assert old[name] in found.values()
        assert {name: found[name] for name in old if name not in names} == {
            name: old[name] for name in old if name not in names
        }
        if number % 4 == 0 or number == changes:
            take()
            assert contents(root) == new
    print(f"\n{changes} kills of an import of corrections")
    assert changes > 8


def test_what_a_killed_import_has_unpacked_is_removed_by_the_next_one(tmp_path: Path) -> None:
    from archive_pipeline.training_sets.taking_in import clear_work

    folder, work = lines(tmp_path / "set", "un"), tmp_path / "work"
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    truths = truths_in(tmp_path / "training")
    ended = killed_at(
        1,
        tmp_path / "training" / "sets" / "jean" / "images",
        lambda: import_truth(tmp_path / "set.zip", "jean", truths, OPTIONS, work=work),
    )
    assert ended is None
    unpacked = files_below(work)
    assert unpacked != []
    clear_work(work)
    assert files_below(work) == unpacked  # it may still be somebody's
    (place,) = work.iterdir()
    os.utime(place, (1, 1))
    with FileLock(place / IN_USE):
        clear_work(work)
        assert files_below(work) == unpacked
    clear_work(work)
    assert list(work.iterdir()) == []
