"""The address of a list: read with care, whoever wrote it, and written so that it reads back the same."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_dash.core.names import has_controls
from pulse_dash.state.lists import MOST_PAGES, asked_choice, asked_page, asked_search, pages_of, showing
from pulse_dash.store.records import Page


@pytest.mark.parametrize(
    ("page", "number"),
    [("2", 2), ("0", 1), ("-1", 1), ("", 1), ("x", 1), ("²", 1), ("٣", 1), ("1e3", 1), ("9" * 5000, MOST_PAGES)],
)
def test_a_page_is_a_number_that_the_list_can_have(page: str, number: int) -> None:
    assert asked_page({"page": page}) == number


def test_an_address_without_anything_is_the_first_page_of_all() -> None:
    assert (asked_page({}), asked_search({}), asked_choice({}, "order", {"": 0, "name": 1})) == (1, "", "")


@given(st.text(max_size=600))
def test_a_search_reads_back_as_it_was_written_and_never_longer(words: str) -> None:
    written = words.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    query = dict(parse_qsl(urlencode({"search": written}), keep_blank_values=True))

    kept = "".join(letter for letter in written[:512] if not has_controls(letter))
    assert asked_search(query) == kept


@given(st.text(max_size=20))
def test_a_choice_that_is_none_of_ours_chooses_nothing(word: str) -> None:
    choices = {"": None, "live": True, "idle": False}

    assert asked_choice({"traffic": word}, "traffic", choices) in choices


@pytest.mark.parametrize(
    ("page", "held", "total", "pages", "words"),
    [
        (1, 12, 25, 3, "1 to 12 of 25"),
        (3, 1, 25, 3, "25 to 25 of 25"),
        (1, 0, 0, 1, ""),
        (1, 12, 12, 1, "1 to 12 of 12"),
    ],
)
def test_it_says_which_of_how_many_are_shown(page: int, held: int, total: int, pages: int, words: str) -> None:
    found = Page(items=["item"] * held, page=page, limit=12, total=total)

    assert (pages_of(found), showing(found)) == (pages, words)
