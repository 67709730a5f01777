"""Rows of dataclasses in an SQLite file."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from archive_pipeline.errors import StorageError
from archive_pipeline.sqlite_table import SqliteTable


@dataclass(frozen=True)
class Old:
    key: str
    when: float
    order: str = ""


@dataclass(frozen=True)
class New:
    key: str
    when: float
    order: str = ""
    group: str = "none"
    count: int = 7
    share: float | None = None


def test_names_that_are_words_of_sql_can_be_written_and_searched_by(tmp_path: Path) -> None:
    table = SqliteTable(tmp_path / "a.sqlite", Old, ("order",))
    table.write([Old("a", 1.5, "x"), Old("b", 2.5, "y'; DROP TABLE rows; --")])
    assert table.where(order="y'; DROP TABLE rows; --") == [Old("b", 2.5, "y'; DROP TABLE rows; --")]
    table.remove(["b"])
    assert table.all() == {"a": Old("a", 1.5, "x")}


def test_a_name_that_is_no_utf_8_comes_back_as_it_was(tmp_path: Path) -> None:
    table = SqliteTable(tmp_path / "a.sqlite", Old)
    table.write([Old("caf\udce9", 1.0)])
    assert list(table.all()) == ["caf\udce9"]


def test_a_table_of_an_earlier_version_gets_the_columns_that_were_added_since(tmp_path: Path) -> None:
    SqliteTable(tmp_path / "a.sqlite", Old).write([Old("a", 1.0)])
    table = SqliteTable(tmp_path / "a.sqlite", New, ("group",))
    assert table.all() == {"a": New("a", 1.0)}
    table.write([New("b", 2.0, count=3)])
    assert table.where(group="none") == [New("a", 1.0), New("b", 2.0, count=3)]


def test_a_file_that_is_no_database_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match=r"a\.sqlite cannot be used"):
        SqliteTable(path, Old).all()


def test_an_update_leaves_alone_what_somebody_else_has_changed_meanwhile(tmp_path: Path) -> None:
    table = SqliteTable(tmp_path / "a.sqlite", Old)
    table.write([Old("mine", 1.0), Old("theirs", 1.0), Old("gone", 1.0), Old("kept", 1.0)])
    before = table.all()
    table.write([Old("theirs", 2.0, "refused"), Old("kept", 2.0), Old("new", 2.0)])
    after = {"mine": Old("mine", 9.0), "theirs": Old("theirs", 9.0), "new": Old("new", 9.0), "added": Old("added", 9.0)}
    table.update(before, after)
    assert table.all() == {
        "mine": Old("mine", 9.0),
        "theirs": Old("theirs", 2.0, "refused"),
        "kept": Old("kept", 2.0),
        "new": Old("new", 2.0),
        "added": Old("added", 9.0),
    }


def test_values_are_counted_and_a_change_says_whether_there_was_one(tmp_path: Path) -> None:
    table = SqliteTable(tmp_path / "a.sqlite", Old)
    table.write([Old("a", 1.0), Old("b", 2.0, "refused"), Old("c", 3.0, "refused")])
    assert table.counts("order") == {"": 1, "refused": 2}
    assert table.change(lambda row: replace(row, order="taken") if row.key == "b" else None, order="refused")
    assert table.counts("order") == {"": 1, "refused": 1, "taken": 1}
    assert not table.change(lambda _: None, order="refused")


def test_nothing_of_a_removed_row_is_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    table = SqliteTable(path, Old)
    table.write([Old("kept", 1.0, "other"), Old("marker-of-a-name", 1.0, "marker-of-a-reason")])
    assert b"marker-of" in path.read_bytes()
    table.remove(["marker-of-a-name"])
    assert b"marker-of" not in path.read_bytes()
