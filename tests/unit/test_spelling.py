"""Spelling suggestions: from which lists, for which words, which come first, and that none becomes text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.durable import digest_of
from archive_pipeline.engines.factory import signature
from archive_pipeline.errors import StorageError, UsageError
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.page import Alternative, Line, Page, Region, Word
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.processor import Processor
from archive_pipeline.processing.stored_pages import StoredPage, transcription_key
from archive_pipeline.settings import read_settings
from archive_pipeline.spelling import lists
from archive_pipeline.spelling.dictionary import Dictionary
from archive_pipeline.spelling.lists import WordList, find_lists, known_languages, of_language
from archive_pipeline.spelling.proposals import MOST, MOST_WORDS, Dictionaries, propose
from archive_pipeline.spelling.words import asked, doubtful_words
from archive_pipeline.store import Store

SQUARE = ((0, 0), (99, 0), (99, 99), (0, 99))
FRENCH = "commandant\ncommander\npeut-être\npeut\nêtre\ntête\ntôt\nville\nle\nla\nboeuf\nParis\naujourd'hui\nregistre\n"
GERMAN = "Haus\nMaus\nKommandant\nder\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "dict"
    made.mkdir()
    (made / "french").write_text(FRENCH, "utf-8")
    (made / "ngerman").write_text(GERMAN, "utf-8")
    return made


@pytest.fixture
def french(folder: Path) -> Dictionaries:
    return Dictionaries(find_lists(["fr"], folder))


@pytest.mark.parametrize(
    ("language", "asked_of"),
    [(None, ["fr", "de"]), ("fr", ["fr"]), ("fr-CA", ["fr"]), ("de-1901", ["de"]), ("la", [])],
)
def test_only_lists_of_the_documents_language_are_asked(
    folder: Path, language: str | None, asked_of: list[str]
) -> None:
    chosen = of_language(find_lists(["fr", "de"], folder), language)
    assert [each.language for each in chosen] == asked_of


def page_of(*texts: str, confidence: float = 0.5) -> Page:
    """A page whose lines have these texts, all words of one confidence; ``!`` before a word makes it certain."""
    lines = []
    for index, text in enumerate(texts):
        words = tuple(
            Word(text=word.removeprefix("!"), box=(0, 0, 9, 9), confidence=0.99 if word[0] == "!" else confidence)
            for word in text.split()
        )
        whole = " ".join(word.text for word in words)
        lines.append(Line(id=f"l{index}", boundary=SQUARE, text=whole, words=words))
    return Page(number=1, width=100, height=100, regions=(Region(id="r", boundary=SQUARE, lines=tuple(lines)),))


def proposed(page: Page) -> dict[str, list[str]]:
    return {
        word.text: [each.text for each in word.alternatives]
        for line in page.lines()
        for word in line.words
        if word.alternatives
    }


# Lists


def test_a_language_without_a_list_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"no word list for the language 'la'. Choose among ca, .* fr, "):
        known_languages(["fr", "la"])


def test_a_list_that_is_not_installed_is_told_with_its_package(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"'de-1901' is not installed. Install Debian's package wogerman"):
        find_lists(["fr", "de-1901"], folder)


def test_a_missing_list_is_an_error_before_anything_is_begun_and_nothing_when_it_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "FOLDER", tmp_path / "none")
    monkeypatch.setattr(lists.find_lists, "__defaults__", (tmp_path / "none",))
    store = Store(tmp_path / "store")
    with pytest.raises(UsageError, match="wfrench"):
        Processor(store, ProcessingOptions(workers=1, spelling=("fr",)))
    for off in (None, ()):
        Processor(store, ProcessingOptions(workers=1, spelling=off)).close()


def test_the_setting_takes_tags_in_any_case_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_SPELLING", "")
    assert read_settings().spelling is None
    monkeypatch.setenv("ARCHIVE_SPELLING", "FR, de-ch,fr")
    assert known_languages(read_settings().spelling or ()) == ("fr", "de-CH")


def test_a_list_that_changes_after_it_was_found_is_not_used(folder: Path) -> None:
    (found,) = find_lists(["fr"], folder)
    assert WordList.from_json(json.loads(json.dumps(found.to_json()))) == found
    (folder / "french").write_text("other\n", "utf-8")
    with pytest.raises(StorageError, match="was changed"):
        found.read()


def test_a_list_that_is_no_text_is_an_error_that_names_the_package(folder: Path) -> None:
    (folder / "french").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StorageError, match=r"not in UTF-8.*wfrench"):
        Dictionaries(find_lists(["fr"], folder))


# Words


@pytest.mark.parametrize(
    ("text", "core"),
    [
        ("commandent,", "commandent"),
        ("«Commandent»", "Commandent"),
        ("l'hotel.", "hotel"),
        ("lorsqu’arrive", "arrive"),
        ("aujourd'hui", "aujourd'hui"),
        ("peut-etre;", "peut-etre"),
    ],
)
def test_a_word_is_asked_about_without_punctuation_and_article(text: str, core: str) -> None:
    found = asked(text)
    assert found is not None
    assert found.core == core
    assert found.with_core(core) == text


@pytest.mark.parametrize(
    "text", ["", "le", "1914", "19l4", "S.N.C.F.", "PARIS", "RÉPUBLIQUE!", "—", "x" * 31, "a_b", "../..", "'", "N°12"]
)
def test_what_a_word_list_cannot_know_is_left_alone(text: str) -> None:
    assert asked(text) is None


@given(st.text(max_size=60))
def test_any_text_is_taken_apart_without_loss(text: str) -> None:
    found = asked(text)
    assert found is None or found.with_core(found.core) == text


def test_both_halves_of_a_word_parted_at_a_line_s_end_are_left_alone() -> None:
    page = page_of("la comman-", "dant arrive", "regis¬", "tre autre")
    assert [word.core for *_, word in doubtful_words(page, 0.95)] == ["arrive", "autre"]


def test_certain_words_and_words_of_unknown_confidence_are_not_asked_about() -> None:
    page = page_of("!commandent commandent")
    assert [place for *place, _ in doubtful_words(page, 0.95)] == [[0, 0, 1]]
    words = tuple(word.model_copy(update={"confidence": None}) for word in next(page.lines()).words)
    line = next(page.lines()).model_copy(update={"words": words})
    region = page.regions[0].model_copy(update={"lines": (line,)})
    assert not list(doubtful_words(page.model_copy(update={"regions": (region,)}), 0.95))


# Suggestions


def test_a_known_word_gets_none_whatever_its_capitals_ligatures_and_hyphens() -> None:
    dictionary = Dictionary(FRENCH)
    for word in ("Ville", "bœuf", "aujourd’hui", "Peut-être", "tôt-la", "paris"):
        assert dictionary.nearest(word, 5) == [], word


def test_the_nearest_comes_first_and_an_accent_counts_least() -> None:
    dictionary = Dictionary("tète\ntête\ntoute\ntente\n")
    assert dictionary.nearest("tete", 5) == ["tète", "tête", "tente"]
    assert dictionary.nearest("tete", 5, page={"tête"}) == ["tête", "tète", "tente"]


def test_two_edits_are_tried_only_where_one_is_not_enough_and_the_word_is_long() -> None:
    dictionary = Dictionary(FRENCH)
    assert dictionary.nearest("commandent", 5) == ["commandant"]
    assert dictionary.nearest("cornmandant", 5) == ["commandant"]
    assert dictionary.nearest("tuut", 5) == []
    assert dictionary.nearest("zzzzzzzz", 5) == []


def test_capitals_and_the_known_part_of_a_compound_are_kept() -> None:
    dictionary = Dictionary(FRENCH)
    assert dictionary.nearest("Vlle", 5) == ["Ville"]
    assert dictionary.nearest("Peut-etre", 5) == ["Peut-être"]
    assert Dictionary("Haus\n").nearest("hauz", 5) == ["Haus"]


# A page


def test_a_page_keeps_its_text_and_gets_alternatives_with_their_source(french: Dictionaries) -> None:
    page = page_of("!le «cornmandant», l'eville la vllle 1914")
    made = propose(page, french)
    assert proposed(made) == {"«cornmandant»,": ["«commandant»,"], "l'eville": ["l'ville"], "vllle": ["ville"]}
    assert made.text == page.text
    assert [word.text for word in next(made.lines()).words] == [word.text for word in next(page.lines()).words]
    (alternative,) = next(made.lines()).words[1].alternatives
    assert alternative == Alternative(text="«commandant»,", source="wfrench fr")
    step = made.steps[-1]
    assert (step.task, step.model, step.model_digest) == ("spelling", "wfrench fr", french.lists[0].sha256)


def test_a_word_that_the_page_has_elsewhere_with_certainty_is_no_error(french: Dictionaries) -> None:
    assert proposed(propose(page_of("!Vlle Vlle"), french)) == {}


def test_a_word_of_either_language_is_known_and_sources_take_turns(folder: Path) -> None:
    both = Dictionaries(find_lists(["fr", "de"], folder))
    assert both.alternatives("Haus") == both.alternatives("commandant") == []
    assert [each.source for each in both.alternatives("kommandent")] == ["wfrench fr", "wngerman de"]
    assert len(propose(page_of("x"), both).steps) == 2


def test_a_page_without_text_stays_as_it_is(french: Dictionaries) -> None:
    blank = Page(number=1, width=9, height=9, status="blank")
    assert propose(blank, french) is blank


def test_a_hostile_page_costs_a_bounded_number_of_looks_and_alternatives(folder: Path) -> None:
    (folder / "french").write_text("\n".join(f"ab{letter}de" for letter in "fghijklmnopqrst"), "utf-8")
    dictionaries = Dictionaries(find_lists(["fr"], folder))
    made = propose(page_of(" ".join(["abzde"] * (MOST_WORDS + 50))), dictionaries)
    counts = [len(word.alternatives) for word in next(made.lines()).words]
    assert counts == [MOST] * MOST_WORDS + [0] * 50


def test_suggestions_are_the_same_in_two_runs(french: Dictionaries) -> None:
    page = page_of("tele vile commandet regitre")
    assert propose(page, french) == propose(page, french)


# What is stored


def test_pages_without_alternatives_are_stored_as_before_and_old_ones_are_read() -> None:
    old = {"text": "a", "box": [0, 0, 1, 1], "confidence": 0.5}
    assert Word.model_validate(old).model_dump(mode="json") == old
    word = Word(text="a", box=(0, 0, 1, 1), alternatives=(Alternative(text="b", source="s"),))
    assert Word.model_validate_json(word.model_dump_json()) == word
    page = page_of("a b")
    assert "alternatives" not in StoredPage(made_from="x", page=page).model_dump_json()


def test_results_are_known_by_the_lists_only_where_there_are_some(folder: Path) -> None:
    entry = ModelLibrary().installed("ppocr-v6-latin", "recognition")
    off = transcription_key("layout", entry)
    assert off == transcription_key("layout", entry, ()) == digest_of("transcription", "layout", signature(entry))
    on = transcription_key("layout", entry, find_lists(["fr"], folder))
    (folder / "french").write_text("other\n", "utf-8")
    assert len({off, on, transcription_key("layout", entry, find_lists(["fr"], folder))}) == 3
