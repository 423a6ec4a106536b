"""What the page of a project says of each key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pulse_dash.state.keys import _row
from pulse_dash.store.keys import Key

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def a_key(**fields: Any) -> Key:
    """A key that was made two months ago and used today."""
    made: dict[str, Any] = {
        "id": "key_x",
        "project_id": "prj_x",
        "org_id": "org_x",
        "name": "Server",
        "public": "pulse_key_x",
        "secret_hash": "x",
        "old_public": None,
        "old_secret_hash": None,
        "version": 1,
        "created_at": NOW - 60 * DAY,
        "last_used_at": NOW,
        "revoked_at": None,
        "old_valid_until": None,
    }
    return Key(**{**made, **fields})


KEYS: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "in use": ({}, ("Active", "good")),
    "unused for a month": ({"last_used_at": NOW - 31 * DAY}, ("Unused for 31 days", "warn")),
    "never used": ({"last_used_at": None}, ("Unused for 60 days", "warn")),
    "new and not used yet": ({"created_at": NOW - DAY, "last_used_at": None}, ("Active", "good")),
    "regenerated": ({"last_used_at": None, "old_valid_until": NOW + DAY}, ("Both pairs work", "warn")),
    "regenerated a while ago": ({"old_valid_until": NOW - DAY}, ("Active", "good")),
    "revoked": ({"last_used_at": None, "revoked_at": NOW}, ("Revoked", "bad")),
}


@pytest.mark.parametrize("which", KEYS)
def test_each_key_says_its_one_most_pressing_state(which: str) -> None:
    fields, said = KEYS[which]

    row = _row(a_key(**fields), NOW)

    assert (row.status, row.tone) == said
