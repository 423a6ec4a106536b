"""Moves entries from the documents that carry them into the audit log, behind the change and many at a time.

A change is answered once its document is written; its entry follows within moments. What is lost of this by a crash is
nothing: the entry stands in the document until it is in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from pulse_dash.core.errors import PulseError, Unavailable
from pulse_dash.store.audit_chain import Chains
from pulse_dash.store.audit_form import chain_of
from pulse_dash.store.engine import Document, Engine, Update

log = structlog.get_logger(__name__)

TASK = "audit log"


@dataclass(frozen=True, slots=True)
class Owed:
    """A document and those of its entries that are to be in the log."""

    noun: str
    id: str
    entries: Sequence[Document]


class AuditWriter:
    """Writes what this node owes, one batch after the other, each in the order in which it came."""

    def __init__(self, engine: Engine, chains: Chains, say: Callable[[str], None], failed: Callable[[], None]) -> None:
        self._engine = engine
        self._chains = chains
        self._say = say
        self._failed = failed
        self._waiting: list[Owed] = []
        self._task: asyncio.Task[None] | None = None
        self._now: asyncio.Event | None = None
        self._next = asyncio.Event()

    def later(self, owed: Sequence[Owed]) -> None:
        """Write this as soon as what is being written is."""
        self._waiting.extend(owed)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=TASK)

    async def settled(self) -> None:
        """Wait until what was said `later` by now was tried."""
        doing = self._next if self._waiting else self._now
        if doing is not None:
            await doing.wait()

    async def write(self, owed: Sequence[Owed]) -> bool:
        """Put entries into the log and take them off their documents; False where some could not be. Raises
        Unavailable."""
        chains: dict[str, dict[str, Document]] = {}
        for each in owed:
            for entry in each.entries:
                chains.setdefault(chain_of(entry), {})[entry["_id"]] = entry
        stuck: set[str] = set()
        for chain, entries in chains.items():
            try:
                await self._chains.append(chain, list(entries.values()))
            except Unavailable:
                raise
            except PulseError as error:
                log.exception("audit.stuck", chain=chain, code=error.code)
                stuck.add(chain)
        written = [each for each in owed if not any(chain_of(entry) in stuck for entry in each.entries)]
        await self._clear(written)
        for chain in chains.keys() - stuck:
            self._say(f"audit_log:{chain}")
        return not stuck

    async def _clear(self, written: Sequence[Owed]) -> None:
        nouns: dict[str, list[Owed]] = {}
        for each in written:
            nouns.setdefault(each.noun, []).append(each)
        for noun, those in nouns.items():
            collection = self._engine.collection(noun)
            await collection.bulk_write(
                [
                    Update(
                        {"_id": each.id},
                        {
                            "$pull": {"pending": {"_id": {"$in": [entry["_id"] for entry in each.entries]}}},
                            "$set": {"makes": []},
                        },
                    )
                    for each in those
                ]
            )
            await collection.bulk_write(
                [Update({"_id": each.id, "pending": {"$size": 0}}, {"$unset": {"pending_at": ""}}) for each in those]
            )

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            self._now, self._next = self._next, asyncio.Event()
            try:
                if not await self.write(batch):
                    self._failed()
            except PulseError:
                self._failed()
                log.warning("audit.later", documents=len(batch))
            except Exception:  # the outermost boundary of a task: the entries stay in their documents, and are owed
                self._failed()
                log.exception("audit.later", documents=len(batch))
            finally:
                self._now.set()
                self._now = None
