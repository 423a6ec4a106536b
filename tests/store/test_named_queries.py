"""Every named query of every noun is asked once of a store that refuses what no index serves.

The methods are found, not listed: a new one is asked too, and one that takes something unknown fails until this page
knows what to give it. What core asks through `list`, `page` and `count` is held by all other tests, whose store
refuses the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pulse_dash.core.clock import SystemClock
from pulse_dash.core.errors import PulseError
from pulse_dash.core.person_ciphers import PersonCiphers
from pulse_dash.core.randomness import Randomness
from pulse_dash.store.audit_anchors import Arrived, Failed
from pulse_dash.store.audit_log import Wanted
from pulse_dash.store.checks import CheckedDay
from pulse_dash.store.embedded import EmbeddedEngine
from pulse_dash.store.ids import IdMaker
from pulse_dash.store.incidents import Incident
from pulse_dash.store.mails import KeptMail
from pulse_dash.store.media_events import MediaEventRecord
from pulse_dash.store.paging import Cursor
from pulse_dash.store.records import Records, View
from pulse_dash.store.scope import EVERYTHING, Scope
from pulse_dash.store.store import ScopedStore, Store
from pulse_dash.store.tallies import Tally
from pulse_dash.store.webhooks import Woken
from tests.doubles import a_signing, a_vault
from tests.store.things import NOON

# What every noun has and takes a filter for: who calls them is tried with the caller.
GENERAL = {name for name, _ in inspect.getmembers(Records, inspect.isfunction)}
GIVEN: dict[str, Any] = {
    "at": NOON,
    "before": NOON,
    "moment": NOON,
    "now": NOON,
    "since": NOON,
    "due": NOON,
    "until": NOON,
    "turn": NOON,
    "secrets_until": NOON,
    "page": 1,
    "limit": 20,
    "after": Cursor(NOON, "aud_x"),
    "filter": {"org_id": "org_x"},
    "wanted": Wanted("org_x", NOON, NOON, (("action:a.b",), ("word:a", "word:b"))),
    "event": MediaEventRecord("evt_x", "key", "room_started", "lobby", NOON, NOON, "{}"),
    "mail": KeptMail("mai_x", "ada@example.com", "x", b"", None, 1, "due_at"),
    "tallies": [Tally("org_x", "prj_x", "tokens", NOON, 1)],
    "epoch": 0,
    "metrics": ["tokens"],
    "org_ids": ["org_x"],
    "documents": [],
    "through": 1,
    "step": 1,
    "incident": Incident(
        "inc_x", "incident", "x", "minor", "resolved", (), (), "", NOON, None, None, None, (), 0, NOON, NOON
    ),
    "days": [CheckedDay("api", NOON.date(), 1, 0, 0)],
    "used": {"key_x": NOON},
    "seen": {"usr_x": NOON},
    "document": {"_id": "rev_x", "org_id": "org_x", "project_id": "prj_x", "identity": "ada", "room": ""},
    "entry": {"_id": "aud_x", "org_id": "org_x", "at": NOON, "actor": {"type": "system", "id": "system"}}
    | {
        "action": "x.y",
        "resource": {"type": "x", "id": "x", "name": ""},
        "status": "success",
    },
    "sealed": b"x",
    "sealed_unsubscribe": b"x",
    "answer": b"x",
    "secrets": b"x",
    "arrived": Arrived(1, NOON),
    "failed": Failed(NOON, "x", 1),
    "way": "webhook",
    "state": "dead",
    "woken": Woken("whk_x", "org_x", 1),
    "status": 500,
    "what": "first_token_at",
}
# Looking for a part of a name reads what a reader may see; Pulse itself looks for nobody's.
FOR_PEOPLE = {"search", "named"}
VIEWS = {
    "Pulse itself": View(EVERYTHING, EVERYTHING, "view"),
    "a member of two organizations": View(
        Scope(organizations=frozenset({"org_x", "org_y"})), Scope(organizations=frozenset({"org_x", "org_y"})), "view"
    ),
    "a project's key": View(Scope(projects=frozenset({"prj_x"})), Scope(projects=frozenset({"prj_x"})), "view"),
}


def _given(name: str, parameter: inspect.Parameter) -> Any:
    if name in GIVEN:
        return GIVEN[name]
    if "str" in str(parameter.annotation):
        return f"{name}_x"
    raise AssertionError(f"What is given for {name}: {parameter.annotation}? Say it in GIVEN.")


def _methods(scoped: ScopedStore) -> Iterator[tuple[str, Callable[..., Any]]]:
    for noun in ScopedStore.__slots__:
        records = getattr(scoped, noun)
        for name, _ in inspect.getmembers(type(records), inspect.iscoroutinefunction):
            if not name.startswith("_") and not (isinstance(records, Records) and name in GENERAL):
                yield f"{noun}.{name}", getattr(records, name)


@pytest.mark.parametrize("reader", VIEWS)
async def test_every_named_query_is_served_by_a_declared_index(tmp_path: Path, reader: str) -> None:
    engine = await EmbeddedEngine.open(tmp_path / "data", "pulse")
    await engine.prepare()
    engine.refuses_unserved = True
    clock = SystemClock()
    store = Store(
        engine, clock, IdMaker(clock, Randomness().bytes), lambda _: None, a_signing(), PersonCiphers(a_vault())
    )
    asked: list[str] = []
    try:
        for name, method in _methods(store.through(VIEWS[reader])):
            given = {
                each: _given(each, parameter)
                for each, parameter in inspect.signature(method).parameters.items()
                if parameter.default is inspect.Parameter.empty
            }
            if reader == "Pulse itself" and name.partition(".")[2] in FOR_PEOPLE:
                continue
            asked.append(name)
            try:
                await method(**given)
            except PulseError:
                # Nothing is there to be found or changed; Unserved is no error of this family.
                continue
    finally:
        await engine.close()

    assert len(asked) > 30
