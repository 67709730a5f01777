"""Hands have one key each, however people write their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.errors import UsageError
from archive_pipeline.hand_names import hand_key
from archive_pipeline.keys import DocumentKey
from archive_pipeline.training_sets.hand import same_hand

NAMES = st.text(min_size=1, max_size=60)


@given(NAMES, NAMES)
def test_two_names_have_one_key_exactly_if_they_mean_one_hand(one: str, other: str) -> None:
    if not same_hand(one, one) or not same_hand(other, other):
        return
    assert (hand_key(one) == hand_key(other)) == same_hand(one, other)
    assert DocumentKey(hand_key(one)) == hand_key(one)


@pytest.mark.parametrize(
    ("name", "key"), {"jean": "jean", " Jean ": "jean", "prudhommes-1858": "prudhommes-1858"}.items()
)
def test_a_plain_name_is_its_own_key(name: str, key: str) -> None:
    assert hand_key(name) == key


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/", "../../etc/passwd", "Notary Meier", "手"])
def test_a_name_that_is_no_key_becomes_one(name: str) -> None:
    assert DocumentKey(hand_key(name))


def test_a_hand_without_a_name_has_no_key() -> None:
    with pytest.raises(UsageError, match="needs a name"):
        hand_key(" \n")
