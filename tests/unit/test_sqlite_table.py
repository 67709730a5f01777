"""Rows of dataclasses in SQLite."""

from dataclasses import dataclass, replace
from pathlib import Path

from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.sqlite_table import SqliteTable


@dataclass(frozen=True)
class Odd:
    """Fields whose names are words of SQL."""

    key: str
    when: float
    order: str = ""


def test_fields_may_be_called_like_words_of_sql(tmp_path: Path) -> None:
    table = SqliteTable(tmp_path / "t.sqlite", Odd, ("order",))
    table.write([Odd("a", 1.5, "x"), Odd("b", 2.5, "y")])
    assert table.where(order="y") == [Odd("b", 2.5, "y")]
    table.remove(["b"])
    assert table.all() == {"a": Odd("a", 1.5, "x")}


def test_the_state_of_a_document_comes_back_as_it_was_written(tmp_path: Path) -> None:
    states = DocumentStates(tmp_path)
    state = DocumentState("a.pdf", "failed", "f", "m", 12.5, tries=2, code="PageFailed", confidence=0.5)
    states.write(state)
    assert states.of("a.pdf") == state
    states.write(replace(state, standing="done", tries=0))
    assert states.all()["a.pdf"].standing == "done"
    states.forget("a.pdf")
    assert states.of("a.pdf") is None
