"""Which true word a read word stands for, and what is counted of suggestions."""

from __future__ import annotations

import pytest

from archive_pipeline.bench.spelling import WordCounts, count_page
from archive_pipeline.bench.word_matches import match_words
from archive_pipeline.page import Alternative, Line, Page, Region, Word

SQUARE = ((0, 0), (99, 0), (99, 99), (0, 99))


def word(text: str, *others: str, confidence: float = 0.5) -> Word:
    alternatives = tuple(Alternative(text=each, source="list") for each in others)
    return Word(text=text, box=(0, 0, 9, 9), confidence=confidence, alternatives=alternatives)


def page_of(*lines: list[Word]) -> Page:
    made = tuple(
        Line(id=f"l{index}", boundary=SQUARE, text=" ".join(each.text for each in words), words=tuple(words))
        for index, words in enumerate(lines)
    )
    return Page(number=1, width=100, height=100, regions=(Region(id="r", boundary=SQUARE, lines=made),))


@pytest.mark.parametrize(
    ("true", "read", "matches"),
    [
        ("le chat dort", "le chat dort", ["le", "chat", "dort"]),
        ("le chat dort", "le chot dart", ["le", "chat", "dort"]),
        ("le chat dort", "le ehats dort", ["le", "chat", "dort"]),
        ("le chat dort", "lechat dort", [None, "dort"]),
        ("le chat dort", "le ch at dort", ["le", None, None, "dort"]),
        ("le chat", "le chat noir", ["le", "chat", None]),
        ("le gros chat", "le chat", ["le", "chat"]),
        ("_souligné 2^e", "souligne 2e", ["souligné", "2e"]),
    ],
)
def test_a_word_stands_for_the_one_in_its_place_and_for_none_where_words_were_joined_or_split(
    true: str, read: str, matches: list[str | None]
) -> None:
    found = match_words([true], page_of([word(each) for each in read.split()]))
    assert [each.true for each in found.words] == matches
    assert found.lost == ()


def test_words_of_lines_without_ground_truth_are_told_apart() -> None:
    found = match_words(["un deux trois"], page_of([word("zzzz")], [word("un"), word("deux"), word("trois")]))
    assert [each.text for each in found.lost] == ["zzzz"]
    assert len(found.words) == 3


def test_rights_wrongs_hits_and_false_alarms_are_counted_and_replacing_shows_in_the_errors() -> None:
    page = page_of(
        [
            word("chot", "chat", "chut"),
            word("dart", "dard", "dort"),
            word("bien", "rien"),
            word("ici", confidence=0.99),
            word("xyz"),
        ]
    )
    result = count_page(["chat dort bien ici xyy"], page, 0.95)
    assert result.counts == WordCounts(
        words=5, wrong=3, doubtful=4, doubtful_wrong=3, offered=2, among=2, first=1, false_alarms=1
    )
    assert result.counts.doubtful_right == 1
    # Read: 3 letters. Replaced: chat right, dart -> dard 2 letters, bien -> rien 1, xyz 1. Chosen: xyz only.
    assert [each.errors for each in (result.read, result.replaced, result.chosen)] == [3, 4, 1]
