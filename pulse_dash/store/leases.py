"""Leases: who may do a job until when. One document each, changed by compare-and-set.

A lease makes it rare that two do the same, never impossible (a holder may sleep past its end), so a job
behind one is still safe to run twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pulse_dash.store.engine import DuplicateKey, Engine
from pulse_dash.store.schema import CollectionSchema

SCHEMA = CollectionSchema("leases", {"_id": "string", "holder": "string", "until": "date"})


async def take(engine: Engine, name: str, holder: str, *, until: datetime, now: datetime) -> bool:
    """Hold it until then, when it is free, over or already ours."""
    mine_or_over: list[dict[str, Any]] = [{"holder": holder}, {"until": {"$lte": now}}]
    try:
        await engine.collection("leases").find_one_and_update(
            {"_id": name, "$or": mine_or_over},
            {"$set": {"holder": holder, "until": until}},
            upsert=True,
        )
    except DuplicateKey:
        # It is there and does not match: somebody else holds it.
        return False
    return True


async def release(engine: Engine, name: str, holder: str) -> None:
    """Give it back before its time; one that is not ours is left alone."""
    await engine.collection("leases").delete_one({"_id": name, "holder": holder})
