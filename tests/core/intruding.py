"""Somebody who reads and writes the database, and the log of an organization that they find there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pulse_dash.core import projects
from pulse_dash.core.audit_verify import Verified, verify
from pulse_dash.services import Services
from pulse_dash.store import audit_chain
from pulse_dash.store.audit_chain import Head
from pulse_dash.store.audit_form import GENESIS, hash_of, linked, marks_of
from pulse_dash.store.engine import Document
from tests.people import Person, Town

OF_THE_CHAIN = {"sequence", "previous", "hash", "marks", "version"}


class Intruder:
    """Somebody who reads and writes the database, and has none of the installation's secrets."""

    def __init__(self, services: Services, org_id: str) -> None:
        self.org_id = org_id
        self.log = services.engine.collection("audit_log")
        self.heads = services.engine.collection("audit_heads")
        self.checkpoints = services.engine.collection("audit_checkpoints")

    async def entries(self) -> list[Document]:
        return await self.log.find({"org_id": self.org_id, "sequence": {"$gt": 0}}, sort=[("sequence", 1)])

    async def put(self, entries: list[Document]) -> None:
        """Let the log hold exactly these."""
        await self.log.delete_many({"org_id": self.org_id})
        await self.log.insert_many(entries)

    async def put_linked(self, entries: list[Document]) -> None:
        """The same, with hashes that fit, and a head that says so."""
        fresh = [{name: value for name, value in each.items() if name not in OF_THE_CHAIN} for each in entries]
        links = linked(fresh, 0, GENESIS)
        await self.put(links)
        end = {"sequence": len(links), "hash": links[-1]["hash"], "kept_sequence": 0}
        await self.heads.update_one({"_id": self.org_id}, {"$set": end})
        await self.checkpoints.delete_many({"chain": self.org_id})


def linked_before(entries: Sequence[Mapping[str, Any]], sequence: int, previous: str) -> list[Document]:
    """Entries as they were linked before there was a second form."""
    links: list[Document] = []
    for entry in entries:
        sequence += 1
        link: Document = {**entry, "sequence": sequence, "previous": previous, "marks": marks_of(entry)}
        link["hash"] = previous = hash_of(link)
        links.append(link)
    return links


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The house writes entries as it did before there was a second form; `undo` ends that."""
    monkeypatch.setattr(audit_chain, "linked", linked_before)
    return monkeypatch


async def busy(town: Town, changes: int = 6) -> Person:
    """Somebody whose organization has a few entries."""
    owner = await town.person()
    house = await town.project(owner)
    for number in range(changes):
        await projects.change(town.work(owner), house.id, name=f"name {number}")
    return owner


async def verified(town: Town, owner: Person, checkpoint: str | None = None) -> Verified:
    return await verify(town.work(owner), owner.organization.id, checkpoint=checkpoint)


async def stands(town: Town, owner: Person) -> Head:
    """Where the chain of somebody's organization stands now."""
    head = (await verified(town, owner)).head
    assert head is not None
    return head
