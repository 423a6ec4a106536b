"""The schema's version, and the steps that lead to the newest one. They go forward only.

A step runs while nodes of the version before still serve, and may run twice or be cut in the middle: it adds what
older code does not read, fills it in slices, and leaves taking away to a later version. One node does it, under a
lease; a node that is older than what the documents need does not start.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from pulse_dash.core.clock import Clock
from pulse_dash.core.errors import Unavailable
from pulse_dash.store import leases
from pulse_dash.store.audit_form import marks_of
from pulse_dash.store.engine import Engine, Update

log = structlog.get_logger(__name__)

_LEASE = "migrations"
_LIFE = timedelta(minutes=10)
_SCHEMA = "schema"
_SLICE = 200


@dataclass(frozen=True, slots=True)
class Migration:
    """The step to `version`. With `breaking`, nodes of an older version can no longer read what it leaves."""

    version: int
    name: str
    run: Callable[[Engine], Awaitable[None]]
    breaking: bool = False


async def _let_accounts_hold_their_address(engine: Engine) -> None:
    """Until here each account held its address. Written again it changes nothing, and older nodes do not read it."""
    users = engine.collection("users")
    last = ""
    while found := await users.find({"_id": {"$gt": last}}, sort=[("_id", 1)], limit=_SLICE):
        last = found[-1]["_id"]
        changes = [Update({"_id": user["_id"]}, {"$set": {"login": user["email"]}}) for user in found]
        await users.bulk_write([change for change, user in zip(changes, found, strict=True) if "epoch" not in user])


async def _mark_audit_entries(engine: Engine) -> None:
    """Entries from before there were marks are found by the filters too. They stay unchained, and verify says so."""
    log_ = engine.collection("audit_log")
    last = ""
    while found := await log_.find({"_id": {"$gt": last}}, sort=[("_id", 1)], limit=_SLICE):
        last = found[-1]["_id"]
        unmarked = [entry for entry in found if "marks" not in entry]
        await log_.bulk_write(
            [Update({"_id": entry["_id"]}, {"$set": {"marks": marks_of(entry)}}) for entry in unmarked]
        )


async def _count_epochs_from_nought(engine: Engine) -> None:
    """An account that was never signed out everywhere had no epoch, and what compares with one found none."""
    users = engine.collection("users")
    for field in ("epoch", "tokens_epoch"):
        without = {field: {"$exists": False}}
        while found := await users.find(without, limit=_SLICE):
            await users.bulk_write([Update({"_id": user["_id"], **without}, {"$set": {field: 0}}) for user in found])


MIGRATIONS: tuple[Migration, ...] = (
    Migration(2, "each account holds its address as its login", _let_accounts_hold_their_address),
    Migration(3, "audit entries are found by their marks", _mark_audit_entries),
    Migration(4, "each account has its epochs", _count_epochs_from_nought),
)
"""In order, each one version after the one before. Version 1 is what was written before there were any."""


async def migrate(engine: Engine, clock: Clock, holder: str, steps: Sequence[Migration] = MIGRATIONS) -> int:
    """Take every step that is not taken yet, and answer the version that the documents have then.

    Raises Unavailable where the documents are a newer Pulse's, or another node is at it."""
    newest = steps[-1].version if steps else 1
    meta = engine.collection("meta")
    held = await meta.find_one({"_id": _SCHEMA}) or {"version": 1, "least": 1}
    if held["least"] > newest:
        raise Unavailable(
            "store", f"The documents are of schema {held['version']}; this Pulse reads up to {newest}. Upgrade it."
        )
    due = [step for step in steps if step.version > held["version"]]
    if not due:
        return int(held["version"])
    now = clock.now()
    if not await leases.take(engine, _LEASE, holder, now=now, until=now + _LIFE):
        raise Unavailable("store", "Another node is bringing the documents up to date. Start this one again later.")
    try:
        for step in due:
            log.info("store.migrating", version=step.version, step=step.name)
            await step.run(engine)
            least = {"least": step.version} if step.breaking else {}
            await meta.update_one(
                {"_id": _SCHEMA},
                {"$max": {"version": step.version, **least}, "$setOnInsert": {} if least else {"least": 1}},
                upsert=True,
            )
    finally:
        await leases.release(engine, _LEASE, holder)
    return due[-1].version
