"""What a network and a language read together, where each character is, and how sure that is."""

import gc
from itertools import groupby, product
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kraken.lib.codec import PytorchCodec
from kraken.lib.ctc_decoder import greedy_decoder
from numpy.typing import NDArray

from archive_pipeline.engines import ctc_beam_search
from archive_pipeline.engines.ctc_alignment import aligned
from archive_pipeline.engines.ctc_beam_search import likeliest_labels
from archive_pipeline.engines.kraken_decoding import decoder_for, symbols_of
from archive_pipeline.engines.language_decoding import LanguageDecoder
from archive_pipeline.engines.language_likelihood import LabelLanguage, Likelihood
from archive_pipeline.models.language import Language
from archive_pipeline.training.recognition.language import counts_of

SYMBOLS = {1: "a", 2: "b"}


def _language(lines: list[str], weight: float, bonus: float = 0.0, symbols: dict[int, str] = SYMBOLS) -> LabelLanguage:
    return LabelLanguage(Likelihood(counts_of(lines, 4), 4), weight, bonus, symbols)


@st.composite
def outputs(draw: st.DrawFn, classes: int = 3) -> NDArray[np.float32]:
    """Logarithms of a few time steps x classes."""
    steps = draw(st.integers(1, 5))
    values = draw(st.lists(st.floats(-4, 4, width=32), min_size=steps * classes, max_size=steps * classes))
    logits = np.array(values, np.float64).reshape(steps, classes)
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)


def _paths(values: NDArray[np.float32]) -> dict[tuple[int, ...], list[float]]:
    """All labels that can be read, with the logarithms of the paths that read as they do."""
    found: dict[tuple[int, ...], list[float]] = {}
    for path in product(range(values.shape[1]), repeat=len(values)):
        labels = tuple(label for label, _ in groupby(path) if label)
        found.setdefault(labels, []).append(float(sum(values[step, label] for step, label in enumerate(path))))
    return found


def _score(labels: tuple[int, ...], paths: list[float], language: LabelLanguage) -> float:
    place, said = language.start, 0.0
    for label in labels:
        place, more = language.say(place, label)
        said += more
    return float(np.logaddexp.reduce(paths)) + said + language.end(place)


@given(outputs(), st.sampled_from([0.0, 0.5, 2.0]), st.sampled_from([0.0, 1.0]))
def test_no_line_is_likelier_than_the_one_that_is_found(
    values: NDArray[np.float32], weight: float, bonus: float
) -> None:
    language = _language(["abba", "ab"], weight, bonus)
    scores = {labels: _score(labels, paths, language) for labels, paths in _paths(values).items()}
    with mock.patch.object(ctc_beam_search, "_BEAMS", 100), mock.patch.object(ctc_beam_search, "_LEAST", -99.0):
        found = tuple(likeliest_labels(values, language))
    assert scores[found] == pytest.approx(max(scores.values()), abs=1e-4)


def test_of_a_long_line_that_is_no_writing_only_what_is_possible_is_kept() -> None:
    values = np.log(np.full((600, 9), 1 / 9, np.float32))
    symbols = dict(enumerate("_abcdefgh"))
    language = _language(["abcd", "hgfe"], 0.5, 0.8, symbols)
    gc.disable()
    try:
        before = sum(type(each) is ctc_beam_search._Prefix for each in gc.get_objects())
        labels = likeliest_labels(values, language)
        left = sum(type(each) is ctc_beam_search._Prefix for each in gc.get_objects()) - before
    finally:
        gc.enable()
    assert len(labels) > 200
    assert left < 1000  # of some 70,000 that were made


@pytest.mark.parametrize("seed", range(20))
def test_what_is_let_go_of_was_no_possibility_any_more(seed: int) -> None:
    draw = np.random.default_rng(seed)
    logits = draw.normal(0, 1.5, (20, 6))
    values = (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)
    language = _language(["abcde", "edcba"], 0.5, 0.8, dict(enumerate("_abcde")))
    with mock.patch.object(ctc_beam_search, "_BEAMS", 3):
        found = likeliest_labels(values, language)
        with mock.patch.object(ctc_beam_search, "_forget", return_value=None):
            assert likeliest_labels(values, language) == found


@given(outputs(), st.data())
def test_labels_are_where_the_likeliest_path_says_them(values: NDArray[np.float32], data: st.DataObject) -> None:
    paths = _paths(values)
    labels = data.draw(st.sampled_from(sorted(paths)))
    spans = aligned(values, labels)
    path = [0] * len(values)
    for label, (first, last) in zip(labels, spans, strict=True):
        assert 0 <= first <= last < len(values)
        path[first : last + 1] = [label] * (last + 1 - first)
    assert tuple(label for label, _ in groupby(path) if label) == labels
    said = sum(float(values[step, label]) for step, label in enumerate(path))
    assert said == pytest.approx(max(paths[labels]), abs=1e-4)


def test_more_labels_than_time_steps_cannot_be_placed() -> None:
    values = np.log(np.full((2, 3), 1 / 3, np.float32))
    assert aligned(values, [1, 2]) == [(0, 0), (1, 1)]
    with pytest.raises(ValueError, match="2 labels cannot be said in 2 time steps"):
        aligned(values, [1, 1])


def _probabilities(*steps: dict[int, float], classes: int = 3) -> torch.Tensor:
    """Of one line, 1 x classes x steps; what is left of each step goes to the others."""
    columns = []
    for step in steps:
        rest = (1 - sum(step.values())) / (classes - len(step))
        columns.append([step.get(label, rest) for label in range(classes)])
    return torch.tensor(columns).T[None]


def test_of_two_letters_that_look_alike_the_one_is_read_that_makes_a_word_of_the_hand() -> None:
    outputs = _probabilities({1: 0.98}, {0: 0.98}, {1: 0.5, 2: 0.45}, {0: 0.98})
    [alone] = LanguageDecoder(_language(["ab", "ab"], 0.0))(outputs)
    [read] = LanguageDecoder(_language(["ab", "ab"], 0.7))(outputs)
    assert [label for label, *_ in alone] == [1, 1]
    assert [(label, first, last) for label, first, last, _ in read] == [(1, 0, 0), (2, 2, 2)]
    sure = [confidence for *_, confidence in read]
    assert 0.5 < sure[1] < sure[0] < 1


def test_what_the_network_is_sure_of_is_read_in_no_matter_what_language() -> None:
    outputs = _probabilities({2: 0.99999}, {2: 0.99999}, {0: 0.99999}, {1: 0.99999}, {0: 0.99999})
    [read] = LanguageDecoder(_language(["aaaa"], 0.7))(outputs)
    [best] = greedy_decoder(outputs)
    assert [each[:3] for each in read] == [each[:3] for each in best]
    assert min(confidence for *_, confidence in read) > 0.9


def test_where_the_network_sees_nothing_the_language_says_nothing() -> None:
    assert LanguageDecoder(_language(["ab", "ab"], 0.7))(_probabilities({0: 0.9999}, {0: 0.9999})) == [[]]


def test_of_lines_that_are_padded_only_what_they_are_is_read() -> None:
    outputs = _probabilities({1: 0.99}, {0: 0.99}, {2: 0.99}).repeat(2, 1, 1)
    whole, half = LanguageDecoder(_language(["ab"], 0.5))(outputs, torch.tensor([3, 2]))
    assert [[label for label, *_ in each] for each in (whole, half)] == [[1, 2], [1]]


@given(outputs(classes=4), st.sampled_from([0.3, 0.7, 2.0]))
def test_how_sure_a_character_is_is_a_share(values: NDArray[np.float32], weight: float) -> None:
    language = _language(["abba c"], weight, 1.0, {1: "a", 2: "b", 3: "c"})
    [read] = LanguageDecoder(language)(torch.from_numpy(np.exp(values)).T[None])
    assert all(0 < confidence <= 1 for *_, confidence in read)
    [sure] = LanguageDecoder(language)(torch.from_numpy(np.exp(values)).T[None].round())  # all or nothing
    assert all(confidence == pytest.approx(1, abs=0.1) for *_, confidence in sure)


@pytest.mark.parametrize("broken", [slice(None), slice(2, 3)])
def test_a_network_that_gives_no_numbers_reads_nothing(broken: slice) -> None:
    outputs = _probabilities({1: 0.99}, {0: 0.99}, {2: 0.99})
    outputs[:, :, broken] = float("nan")
    assert LanguageDecoder(_language(["ab"], 0.5))(outputs) == [[]]


def test_characters_that_take_several_labels_have_no_symbol() -> None:
    codec = PytorchCodec({"a": [1], "bc": [2], "d": [3, 1]})
    assert symbols_of(codec) == {1: "a", 2: "bc"}


def test_with_a_language_characters_reach_half_way_to_their_neighbours_as_without() -> None:
    codec = PytorchCodec({"a": [1], "b": [2]})
    outputs = _probabilities(*[{0: 0.999}] * 3, {1: 0.999}, *[{0: 0.999}] * 5, {2: 0.999}, *[{0: 0.999}] * 3)
    [best] = decoder_for(codec, None)(outputs, None)
    [read] = decoder_for(codec, Language(order=3, weight=0.5, bonus=0.5, counts=counts_of(["ab"], 3)))(outputs, None)
    assert [each[:3] for each in read] == [each[:3] for each in best] == [(1, 0, 6), (2, 6, 12)]
