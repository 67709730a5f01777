"""The language of a hand: what is counted, what is likely, what lies in its file."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.engines.language_likelihood import LabelLanguage, Likelihood, Place
from archive_pipeline.errors import ModelError
from archive_pipeline.models import language as file_form
from archive_pipeline.models.language import END, START, Language, language_from
from archive_pipeline.training.recognition import language as learning
from archive_pipeline.training.recognition.language import LearntLanguage, counts_of, learn_language
from archive_pipeline.training.recognition.lines import CutLine

LETTERS = "abcé ,"
LINES = st.lists(st.text(LETTERS, max_size=12), min_size=1, max_size=8)


def _language(lines: list[str], symbols: Mapping[int, str], bonus: float = 0.0) -> LabelLanguage:
    return LabelLanguage(Likelihood(counts_of(lines, 6), 6), 1.0, bonus, symbols)


@given(LINES, st.integers(1, 7), st.text(LETTERS + START, max_size=6))
def test_what_may_come_next_is_certain_to_come_in_all(lines: list[str], order: int, before: str) -> None:
    likelihood = Likelihood(counts_of(lines, order), order)
    context = ""
    for character in before:
        context = likelihood.after(context, character)
    known = {*"".join(lines), END}
    probabilities = {each: likelihood.probability(context, each) for each in (*known, "ω")}
    # One that never came stands for as many as there are room for.
    total = sum(probabilities[each] for each in known) + (200 - len(known)) * probabilities["ω"]
    assert total == pytest.approx(1)
    assert min(probabilities.values()) > 0


@given(LINES, st.integers(1, 7))
def test_each_character_and_each_end_is_counted_once(lines: list[str], order: int) -> None:
    counts = counts_of(lines, order)
    found = Counter[str]()
    for context, after in counts.items():
        assert len(context) <= order - 1
        found.update(after)
    assert found == Counter("".join(lines)) + Counter({END: len(lines)})
    assert counts_of(lines[::-1], order) == counts
    assert list(counts) == sorted(counts)


def test_of_too_much_text_the_rarest_is_counted_with_less_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["par devant nous", "par devant moi", "zwölf"]
    whole = counts_of(lines, 6)
    monkeypatch.setattr(learning, "MOST", 24)
    fewer = counts_of(lines, 6)
    assert sum(map(len, fewer.values())) <= 24 < sum(map(len, whole.values()))
    assert sum(sum(after.values()) for after in fewer.values()) == sum(map(len, lines)) + 3
    assert fewer["r dev"] == {"a": 2}
    assert "wöl" not in fewer


@pytest.mark.parametrize("most", [40, 30, 12])
def test_also_of_text_in_which_all_comes_twice_no_more_is_counted_than_may_be(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(learning, "MOST", most)
    lines = ["abcdabdcacbdacdbadbcadcb", "dcbadbca", "bdacabcd"] * 2
    counts = counts_of(lines, 6)
    assert 5 <= sum(map(len, counts.values())) <= most
    assert sum(sum(after.values()) for after in counts.values()) == sum(map(len, lines)) + len(lines)


def test_a_formula_that_came_before_is_likelier_than_another_word() -> None:
    language = _language(["pardevant nous", "pardevant eux"], dict(enumerate("_parlevtndous")))

    def said(text: str) -> float:
        place, total = LabelLanguage.start, 0.0
        for character in text:
            place, more = language.say(place, "_parlevtndous".index(character))
            total += more
        return total + language.end(place)

    assert said("pardevantnous") > said("parlevantnous") + 3


def test_a_name_is_read_as_it_stands_more_than_other_words() -> None:
    language = _language(["Boyer boyer 11"], dict(enumerate("_BboryeE1 ")), bonus=0.8)
    _, other = language.say(Place("t b", name=False), 3)
    _, name = language.say(Place("t b", name=True), 3)
    assert name == pytest.approx(0.3 * other)


@pytest.mark.parametrize(
    ("text", "within"),
    [
        ("bo", [False, False]),
        ("Bo y", [True, True, False, False]),
        ("18,b", [True, True, False, False]),
        ("l’Un", [False, False, True, True]),
        ("E\u0301a", [True, True, True]),  # letters and accents apart, as some networks write
        ("aB", [False, True]),
    ],
)
def test_a_name_goes_from_a_capital_or_a_digit_to_the_end_of_its_word(text: str, within: list[bool]) -> None:
    symbols = dict(enumerate(text, start=1))
    language = _language(["x"], symbols)
    place, found = LabelLanguage.start, []
    for label in symbols:
        place, _ = language.say(place, label)
        found.append(place.name)
    assert found == within


def test_of_a_label_that_has_no_text_the_language_says_nothing_but_the_bonus() -> None:
    language = _language(["ab"], {1: "a"}, bonus=0.5)
    assert language.say(Place("a", name=False), 7) == (Place("a", name=False), 0.5)


@given(LINES, st.integers(1, 7))
def test_a_language_is_the_same_after_it_was_written_and_read(lines: list[str], order: int) -> None:
    language = Language(order=order, weight=0.7, bonus=1.0, counts=counts_of(lines, order))
    assert language_from(language.model_dump_json().encode(), "language.json") == language


GOOD: dict[str, Any] = {"schema_version": 1, "order": 3, "weight": 0.7, "bonus": 1.0, "counts": {"ab": {"c": 2}}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"counts": {"abc": {"d": 1}}}, "a context is longer than 2 characters"),
        ({"counts": {"ab": {"cd": 1}}}, "what follows is counted by single characters"),
        ({"counts": {"ab": {"c": 0}}}, "greater than or equal to 1"),
        ({"counts": {"ab": {"c": 10**10}}}, "less than or equal to 1000000000"),
        ({"counts": {"ab": {"c": True}}}, "valid integer"),
        ({"counts": {"ab": {}}}, "at least 1 item"),
        ({"counts": {"ab": {str(i): 1 for i in range(10)} | dict.fromkeys("xyz", 1)}}, "more than 12 n-grams"),
        ({"weight": -1}, "weight"),
        ({"order": 99}, "order"),
        ({"order": True}, "order"),
        ({"schema_version": 2}, "schema_version"),
        ({"more": 1}, "more"),
    ],
)
def test_a_file_that_is_no_language_is_said_to_be_none(
    change: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_form, "MOST", 12)
    assert language_from(json.dumps(GOOD).encode(), "language.json").order == 3
    with pytest.raises(ModelError, match="is no language of a hand: ") as refused:
        language_from(json.dumps(GOOD | change).encode(), "language.json")
    assert said in refused.value.what


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"[]", b'{"weight": NaN}', b"{" * 100_000, b'{"counts": {"\\ud800": {}}}']
)
def test_bytes_that_are_no_json_of_ours_are_no_language(data: bytes) -> None:
    with pytest.raises(ModelError, match="is no language of a hand"):
        language_from(data, "language.json")


def test_a_file_that_is_too_large_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_form, "_MOST_BYTES", 10)
    with pytest.raises(ModelError, match="has 11 bytes, and a language has 10 at most"):
        language_from(b" " * 11, "language.json")


class _Network:
    """Reads `a` and then, as likely as it says, `b` or `a` again."""

    symbols: ClassVar = {1: "a", 2: "b"}
    codec: ClassVar = {"a": 1, "b": 2}

    def __init__(self, sure: float) -> None:
        self.logits = torch.tensor([[0.01, 0.98, 0.01], [0.98, 0.01, 0.01], [0.01, 0.99 - sure, sure]]).log().T

    def labels(self, text: str) -> list[int]:
        return [self.codec[character] for character in text if character in self.codec]

    def text(self, labels: Sequence[int]) -> str:
        return "".join(self.symbols[label] for label in labels)


def _learnt(
    monkeypatch: pytest.MonkeyPatch, sure: float, train: list[str], held: list[str], order: int = 3
) -> tuple[Language | None, LearntLanguage | None, list[str]]:
    network = _Network(sure)
    monkeypatch.setattr(learning, "line_logits", lambda _, lines, __: ((n, network.logits) for n in range(len(lines))))
    cut = [
        [CutLine(f"{n}", text, np.zeros((1, 1, 3), np.uint8)) for n, text in enumerate(each)] for each in (train, held)
    ]
    said: list[str] = []
    device = torch.device("cpu")
    language, how = learn_language(network, *cut, order, device, said.append)  # type: ignore[arg-type]
    return language, how, said


def test_the_weights_are_those_with_which_the_lines_for_validation_are_read_best(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    language, how, said = _learnt(monkeypatch, 0.45, ["ab"] * 30, ["ab"] * 300)
    assert language is not None
    assert how == LearntLanguage(kept=True, order=3, weight=0.5, bonus=0.8, lines=100, cer_alone=50.0, cer=0.0)
    chosen = "3-grams, weight 0.5, bonus 0.8: on 100 lines CER 50.00 % without, 0.00 % with it"
    assert str(how) == chosen
    assert said == [
        "What the language of the hand is to say is weighed on 100 lines.",
        f"The language of the hand: {chosen}.",
    ]
    # Then they are counted, too.
    assert language.counts["\x02a"] == {"b": 330}


def test_weights_with_which_less_is_read_right_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_TRIED", ((0.001, 0.0), (2.0, 0.0)))
    language, _, _ = _learnt(monkeypatch, 0.45, ["ab"] * 30, ["ab"] * 20)
    assert language is not None
    assert language.weight == 2.0
    # What is to be read came never.
    monkeypatch.setattr(learning, "_TRIED", ((2.0, 0.0),))
    language, how, said = _learnt(monkeypatch, 0.6, ["aa"] * 30, ["ab"] * 20)
    assert language is None
    assert how is not None
    assert not how.kept
    assert said[1:] == ["The language of the hand: none: on 20 lines CER 0.00 % without, 50.00 % with it."]


def test_with_too_few_lines_for_validation_the_usual_weights_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    language, how, said = _learnt(monkeypatch, 0.45, ["abω"] * 30, ["ab"] * 19)
    assert language is not None
    assert how is not None
    assert (how.weight, how.bonus, how.lines, how.cer_alone, how.cer) == (0.5, 0.8, 0, None, None)
    assert str(how) == "3-grams, weight 0.5, bonus 0.8, the usual ones"
    assert (language.weight, language.bonus) == (0.5, 0.8)
    assert language.counts["ab"] == {END: 49}
    assert said == ["The language of the hand: 3-grams, weight 0.5, bonus 0.8, the usual ones."]


def test_a_recipe_may_do_without_a_language(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _learnt(monkeypatch, 0.45, ["ab"] * 30, ["ab"] * 30, order=0) == (None, None, [])
