"""What two evaluations are made into for a decision: nothing that a candidate fails at counts for it."""

from __future__ import annotations

from datetime import UTC, datetime

from archive_pipeline.evaluation.record import Evaluation, LineRecord, PageRecord, figures
from archive_pipeline.promotion.comparing import compared


def _evaluation(model: str, errors: dict[str, int], characters: int = 100) -> Evaluation:
    pages = tuple(
        PageRecord(
            id=name,
            group=name.partition("#")[0],
            document="jean",
            script="Latin",
            image_sha256="a" * 64,
            text_digest="",
            truth="",
            lines=(
                LineRecord(
                    index=0,
                    truth="x" * characters,
                    read="y" * wrong,
                    errors=wrong,
                    characters=characters,
                    errors_s=wrong,
                    word_errors=1,
                    words=1,
                    confidence=0.9,
                ),
            ),
        )
        for name, wrong in errors.items()
    )
    return Evaluation(
        model=model,
        model_digest="b" * 64,
        signature=(),
        of="Jean",
        digest="d",
        rules="1",
        made=datetime(2026, 5, 1, tzinfo=UTC),
        program="0",
        pages=pages,
        left_out={},
        all=figures(pages),
        documents={},
        scripts={},
        confusions=(),
    )


def test_a_page_that_the_candidate_cannot_read_is_all_wrong() -> None:
    found = compared(_evaluation("a", {"p/1": 10, "p/2": 20}), _evaluation("b", {"p/1": 1}))
    assert [page.errors for page in found.current] == [10, 20]
    assert [page.errors for page in found.candidate] == [1, 100]


def test_a_page_of_which_it_reads_less_is_all_wrong_too() -> None:
    before = _evaluation("a", {"p/1#1": 10, "p/1#2": 10, "p/2": 5})
    after = _evaluation("b", {"p/1#1": 0, "p/2": 4})
    found = compared(before, after)
    assert [(page.id, page.characters) for page in found.candidate] == [("p/1", 200), ("p/2", 100)]
    assert [page.errors for page in found.candidate] == [200, 4]


def test_a_page_that_is_full_of_errors_now_is_no_better_with_a_candidate_that_cannot_read_it() -> None:
    found = compared(_evaluation("a", {"p/1": 150, "p/2": 20}), _evaluation("b", {"p/2": 20}))
    assert [page.errors for page in found.current] == [page.errors for page in found.candidate] == [150, 20]


def test_lines_of_a_page_that_the_candidate_alone_could_read_count_for_neither() -> None:
    before = _evaluation("a", {"p/1#1": 40})
    after = _evaluation("b", {"p/1#1": 5, "p/1#2": 90})
    found = compared(before, after)
    assert [(page.id, page.errors, page.characters) for page in found.candidate] == [("p/1", 5, 100)]


def test_a_page_that_the_model_in_use_cannot_read_counts_for_neither() -> None:
    found = compared(_evaluation("a", {"p/1": 10}), _evaluation("b", {"p/1": 1, "p/2": 0}))
    assert [page.id for page in found.current] == [page.id for page in found.candidate] == ["p/1"]
