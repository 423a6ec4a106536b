"""Pages by number stay in their range; a cursor is read back exactly or refused."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from pulse_dash.core.errors import Invalid
from pulse_dash.store import paging
from pulse_dash.store.engine import Collection
from pulse_dash.store.paging import Cursor, newest_first
from tests.store.things import NOON, a_thing


def _packed(inside: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(inside, separators=(",", ":")).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_limit_out_of_range_is_refused_by_name(limit: int) -> None:
    with pytest.raises(Invalid) as refused:
        paging.check_limit(limit)

    assert [error.field for error in refused.value.errors] == ["limit"]


def test_a_cursor_is_read_back_exactly() -> None:
    cursor = Cursor(NOON + timedelta(milliseconds=7), "aud_01")

    assert Cursor.decode(cursor.encode()) == cursor


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "x",
        "====",
        "not base64!",
        "ä",
        "A" * 10_000,
        _packed({}),
        _packed([1]),
        _packed([1, 2]),
        _packed(["1", "x"]),
        _packed([True, "x"]),
        _packed([-1, "x"]),
        _packed([10**20, "x"]),
        _packed([1.5, "x"]),
        _packed([1, "x", 2]),
        _packed([1, {"$ne": 1}]),
        _packed([1, "x"]) + "=",
        _packed([1, "\ud800"]),
        _packed(None),
        _packed([[]] * 9),
    ],
    ids=lambda junk: junk[:20],
)
def test_a_cursor_that_is_not_ours_is_refused(junk: str) -> None:
    with pytest.raises(Invalid) as refused:
        Cursor.decode(junk)

    assert [error.field for error in refused.value.errors] == ["cursor"]


async def test_a_log_is_read_once_to_its_end_while_it_grows(things: Collection) -> None:
    moments = [NOON + timedelta(seconds=number // 3) for number in range(20)]
    await things.insert_many([a_thing(f"t{number:02}", made_at=moment) for number, moment in enumerate(moments)])
    read: list[str] = []
    older: dict[str, Any] = {}
    while page := await things.find(older, sort=newest_first("made_at"), limit=6):
        read += [thing["_id"] for thing in page]
        older = Cursor(page[-1]["made_at"], page[-1]["_id"]).older("made_at")
        await things.insert_one(a_thing(made_at=NOON + timedelta(hours=1)))

    assert read == [f"t{number:02}" for number in reversed(range(20))]
