"""Ids of our own sort as OpenCode's do, and never come twice."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.opencode.vocabulary.wire.message import PROMPT_MARK
from opencode_mcp.runs.prompting.message_ids import ALPHABET, age_of, message_id, message_id_after, new_message_id

FORM = re.compile(r"msg_[0-9a-f]{12}[0-9A-Za-z]{14}")
MOMENTS = st.integers(0, 2**36 - 1)
NOISE = st.binary(min_size=14, max_size=14)


def test_ids_made_in_a_row_ascend_and_differ() -> None:
    ids = [new_message_id() for _ in range(4000)]
    assert len(set(ids)) == len(ids)
    assert all(FORM.fullmatch(made) and made.endswith(PROMPT_MARK) for made in ids)
    # The counter begins anew every 4096 ids, which at worst swaps two of one millisecond.
    assert ids[:1000] == sorted(ids[:1000]) or ids[1000:2000] == sorted(ids[1000:2000])


@given(MOMENTS, st.integers(0, 4095), NOISE)
def test_an_id_has_opencodes_form(milliseconds: int, counter: int, noise: bytes) -> None:
    assert FORM.fullmatch(message_id(milliseconds, counter, noise))


@given(MOMENTS.filter(lambda moment: moment < 2**36 - 1), st.integers(0, 4095), st.integers(0, 4095), NOISE, NOISE)
def test_a_later_millisecond_sorts_later_whatever_follows(
    moment: int, counter: int, later_counter: int, noise: bytes, later_noise: bytes
) -> None:
    assert message_id(moment, counter, noise) < message_id(moment + 1, later_counter, later_noise)


@given(MOMENTS, st.integers(0, 4094), NOISE, NOISE)
def test_within_a_millisecond_the_counter_decides(moment: int, counter: int, noise: bytes, other: bytes) -> None:
    assert message_id(moment, counter, noise) < message_id(moment, counter + 1, other)


@given(MOMENTS, st.integers(0, 2**35 - 1), NOISE)
def test_the_age_of_an_id_counts_from_its_making(moment: int, later: int, noise: bytes) -> None:
    assert age_of(message_id(moment, 0, noise), moment + later) == later / 1000


@given(MOMENTS, st.integers(1, 2**35 - 1), NOISE)
def test_an_id_of_a_clock_that_is_ahead_has_no_age(moment: int, ahead: int, noise: bytes) -> None:
    assert age_of(message_id(moment + ahead, 0, noise), moment) == 0


@pytest.mark.parametrize("spelled", ["", "msg_", "msg_x", "prompt-1"])
def test_what_is_spelled_otherwise_has_no_age(spelled: str) -> None:
    assert age_of(spelled, 1_000_000_000_000) == 0


def test_the_alphabet_sorts_as_its_digits_do() -> None:
    assert list(ALPHABET) == sorted(ALPHABET)
    assert len(ALPHABET) == 62


@given(MOMENTS.filter(lambda moment: moment < 2**36 - 1), MOMENTS, NOISE)
def test_the_next_id_of_a_session_sorts_after_its_last(earlier: int, later: int, noise: bytes) -> None:
    last, made = message_id(earlier, 4095, noise), message_id(later, 0, noise)
    following = message_id_after(last, made)
    assert following > last
    assert FORM.fullmatch(following)
    assert following == made or made <= last


def test_after_a_message_that_is_spelled_otherwise_an_id_stays_as_it_is() -> None:
    made = message_id(1, 0, bytes(14))
    assert message_id_after("msg_zzz", made) == made
