"""Every document has its turn, damage is remembered, and a scan that was taken away is no damage."""

import shutil
from pathlib import Path

import pytest

from archive_pipeline.durable import write_json
from archive_pipeline.keeping.rounds import FixityBook, Rounds
from archive_pipeline.keys import DocumentKey
from archive_pipeline.store import Store

DAY = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    for number in range(20):
        name = f"d{number:02d}.pdf"
        write_json(store.document(DocumentKey(name)).source, {"origin": str(tmp_path / name), "key": name})
    return store


def night(store: Store, rounds: Rounds, number: int) -> list[str]:
    book = FixityBook(store)
    return [row.key for row in book.verify(book.next_round(rounds), rounds, (20_000 + number) * DAY)]


@pytest.mark.parametrize("nights", [1, 3, 7, 30])
def test_a_round_sees_every_document_once(store: Store, nights: int) -> None:
    seen = [key for number in range(1, nights + 1) for key in night(store, Rounds(nights), number)]
    assert set(seen) == set(store.keys())
    assert len(night(store, Rounds(nights), nights + 1)) == -(-20 // nights)


def test_after_nights_that_fell_out_those_that_waited_longest_come_first(store: Store) -> None:
    first = night(store, Rounds(4), 1)
    assert len(first) == 5
    assert night(store, Rounds(4), 9)[0] not in first
    assert [night(store, Rounds(4), 10 + number) for number in range(3)][-1] == first


def test_damage_is_remembered_looked_at_every_night_and_gone_when_it_is_mended(store: Store) -> None:
    night(store, Rounds(1), 1)
    bad = store.document(DocumentKey("d13.pdf")).layout(1)
    write_json(bad, {"no": "page"})
    rounds = Rounds(20)
    for number in range(2, 22):
        night(store, rounds, number)
    (row,) = [row for row in FixityBook(store).all().values() if row.damages]
    assert (row.key, row.damages[0][0], row.damages[0][1]) == ("d13.pdf", "pages", str(bad))
    assert "d13.pdf" in night(store, rounds, 22)
    assert len(night(store, rounds, 23)) == 2
    bad.unlink()
    night(store, rounds, 24)
    assert not any(row.damages for row in FixityBook(store).all().values())


def test_what_is_being_written_keeps_its_place(store: Store) -> None:
    key = DocumentKey("d00.pdf")
    with store.document(key).lock():
        assert key not in night(store, Rounds(1), 1)
    assert night(store, Rounds(20), 2) == [key]


def test_a_document_that_is_gone_leaves_the_book(store: Store) -> None:
    night(store, Rounds(1), 1)
    folder = store.document(DocumentKey("d05.pdf"))
    for path in sorted(folder.root.rglob("*"), reverse=True):
        path.unlink()
    folder.root.rmdir()
    FixityBook(store).next_round(Rounds())
    assert "d05.pdf" not in FixityBook(store).all()


def test_a_document_that_was_forgotten_since_the_round_began_leaves_no_trace(store: Store) -> None:
    book, folder = FixityBook(store), store.document(DocumentKey("d05.pdf"))
    keys = book.next_round(Rounds(1))
    shutil.rmtree(folder.root)
    assert "d05.pdf" not in {row.key for row in book.verify(keys, Rounds(1), 1.0)}
    assert not folder.root.exists()


def test_scans_are_read_again_after_their_days_and_never_if_they_are_taken_away(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d01.pdf").write_bytes(b"a scan")
    read = []

    def verify(folder: object, *, sources: bool, **limits: int) -> list[object]:
        read.append((getattr(folder, "key", ""), sources))
        return []

    monkeypatch.setattr("archive_pipeline.keeping.rounds.verify_document", verify)
    for number in (1, 2, 28, 29):
        night(store, Rounds(1, source_days=28), number)
    assert [key for key, sources in read if sources] == ["d01.pdf", "d01.pdf"]
    read.clear()
    night(store, Rounds(1, source_days=0), 90)
    assert not any(sources for _, sources in read)
