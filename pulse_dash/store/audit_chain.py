"""The chains of the audit log: each entry follows on the one before by its hash, and a head says where a chain stands.

Appending goes through the head, by compare-and-set: the head takes the new entries with it and they are placed from
there, so a node that dies in between has forked nothing and lost nothing. Whoever comes next places them first.
The head is signed, so who writes into the database alone can make no chain that passes for ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from pulse_dash.core.clock import Clock
from pulse_dash.store.audit_form import GENESIS, INSTALLATION, canonical, linked
from pulse_dash.store.audit_people import People
from pulse_dash.store.engine import Document, DuplicateKey, Engine
from pulse_dash.store.schema import CollectionSchema, Fields, Index

AT_ONCE: Final = 200
CHECKPOINT_EVERY: Final = 1_000
CHECKPOINT_AFTER: Final = timedelta(hours=1)
MAILED_EVERY: Final = timedelta(days=7)
_BATCH: Final = 200
_SIGNED_FORM: Final = 1
_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.1

_SIGNED: Final[Fields] = {
    "sequence": "int",
    "hash": "string",
    "from_sequence": "int",
    "from_hash": "string",
    "unchained": "int",
    "at": "date",
    "key": "string",
    "signature": "string",
}
HEADS = CollectionSchema(
    "audit_heads",
    {
        "_id": "string",
        **_SIGNED,
        # Entries that the head was given and that may not be placed yet.
        "open?": "array",
        "kept_sequence": "int",
        # Since when there are entries that no checkpoint covers.
        "unkept_since?": "date",
        "mail_due_at?": "date",
        "anchored_sequence?": "int",
        "anchored_at?": "date",
        # Which way it left the house: mail, webhook or bucket.
        "anchored_by?": "string",
    },
    (
        Index("unkept_since", (("unkept_since", 1),), partial="unkept_since"),
        Index("mail_due_at", (("mail_due_at", 1),), partial="mail_due_at"),
    ),
)
CHECKPOINTS = CollectionSchema(
    "audit_checkpoints",
    {"_id": "string", "chain": "string", **_SIGNED},
    (Index("chain", (("chain", 1), ("sequence", 1)), unique=True),),
)


class Signing(Protocol):
    """Signs what stands in a head with a key that the database does not hold open."""

    @property
    def ready(self) -> bool:
        """Whether a key is there: one of the settings, or one that was kept."""
        ...

    @property
    def public_keys(self) -> tuple[str, ...]:
        """What others verify with, in hexadecimal."""
        ...

    def fresh(self) -> bytes:
        """A new key, sealed, to be kept."""
        ...

    def use(self, sealed: bytes) -> None:
        """Sign with the key that was kept. Raises Unavailable where it can't be unsealed."""
        ...

    def sign(self, message: bytes) -> tuple[str, str]:
        """Which key signed, and the signature."""
        ...

    def good(self, key: str, signature: str, message: bytes) -> bool:
        """Whether one of our keys signed that."""
        ...


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain stands, signed. `from_` is the last entry that retention took, or the beginning of all;
    `unchained` counts the entries that were there before there were chains."""

    chain: str
    sequence: int
    hash: str
    from_sequence: int
    from_hash: str
    unchained: int
    at: datetime
    key: str
    signature: str
    kept_sequence: int = 0
    anchored_sequence: int | None = None
    anchored_at: datetime | None = None
    anchored_by: str = "mail"

    @property
    def message(self) -> bytes:
        """What is signed."""
        return message_of(self.chain, self.fields)

    @property
    def fields(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {
            "sequence": self.sequence,
            "hash": self.hash,
            "from_sequence": self.from_sequence,
            "from_hash": self.from_hash,
            "unchained": self.unchained,
            "at": self.at,
        }


def message_of(chain: str, fields: Mapping[str, Any]) -> bytes:
    """What a signature stands under: where which chain stood when."""
    return canonical({**fields, "version": _SIGNED_FORM, "chain": chain, "what": "pulse audit checkpoint"})


def head_of(document: Document, chain: str | None = None) -> Head:
    """A head, or the checkpoint that was kept of one."""
    return Head(
        chain=chain or document["_id"],
        sequence=document["sequence"],
        hash=document["hash"],
        from_sequence=document["from_sequence"],
        from_hash=document["from_hash"],
        unchained=document["unchained"],
        at=document["at"],
        key=document["key"],
        signature=document["signature"],
        kept_sequence=document.get("kept_sequence", 0),
        anchored_sequence=document.get("anchored_sequence"),
        anchored_at=document.get("anchored_at"),
        anchored_by=by if (by := document.get("anchored_by")) in ("webhook", "bucket") else "mail",
    )


class Stands:
    """Where chains stand and stood, for whoever only reads."""

    def __init__(self, engine: Engine) -> None:
        self._heads = engine.collection("audit_heads")
        self._checkpoints = engine.collection("audit_checkpoints")

    async def now(self, chain: str) -> Head | None:
        """Where a chain stands; what its head was given last may not be in its place yet."""
        document = await self._heads.find_one({"_id": chain})
        return None if document is None else head_of(document)

    async def checkpoints(self, chain: str, after: int, until: int) -> list[Head]:
        """Those kept of these entries, in order."""
        found = await self._checkpoints.find(
            {"chain": chain, "sequence": {"$gt": after, "$lte": until}}, sort=[("sequence", 1)]
        )
        return [head_of(each, chain) for each in found]


class Chains(Stands):
    """All chains, as the outbox appends to them and as verify reads where they stand."""

    def __init__(self, engine: Engine, clock: Clock, signing: Signing, people: People) -> None:
        super().__init__(engine)
        self._log = engine.collection("audit_log")
        self._anchors = engine.collection("audit_anchors")
        self._meta = engine.collection("meta")
        self._clock = clock
        self._signing = signing
        self._people = people

    async def append(self, chain: str, entries: Sequence[Document]) -> None:
        """Let these entries follow in their order, each exactly once whoever else is at it. Raises Unavailable."""
        await self._with_key()
        for first in range(0, len(entries), AT_ONCE):
            lost = 0
            while not await self._appended(chain, entries[first : first + AT_ONCE]):
                # Another node was quicker. Who lost often waits longer, so that fewer try at once.
                lost += 1
                await asyncio.sleep(min(lost * _PAUSE, _LONGEST_PAUSE))

    async def _appended(self, chain: str, entries: Sequence[Document]) -> bool:
        """One try: False when the chain moved meanwhile."""
        document = await self._settled(chain) or await self._begin(chain)
        ids = {entry["_id"]: entry for entry in entries}
        # All that was in the chain when its head was read is placed by now, so what is not there is not in the chain,
        # and the compare below holds only while that is still so.
        placed = await self._log.find({"_id": {"$in": list(ids)}}, projection={"_id": 1})
        for each in placed:
            ids.pop(each["_id"], None)
        if not ids:
            return True
        links = linked(await self._people.sealed(list(ids.values())), document["sequence"], document["hash"])
        moved = self._signed(chain, {**_stands(document), **_at_end(links), "at": self._clock.now()})
        update: dict[str, Any] = {"$set": {**moved, "open": links}}
        if "unkept_since" not in document:
            update["$set"]["unkept_since"] = moved["at"]
        expected = {"_id": chain, "sequence": document["sequence"], "hash": document["hash"]}
        changed = await self._heads.find_one_and_update(expected, update)
        if changed is None:
            return False
        await self._place(changed)
        return True

    async def _settled(self, chain: str) -> Document | None:
        """The head, once what it was given is placed."""
        document = await self._heads.find_one({"_id": chain})
        if document is not None and "open" in document:
            await self._place(document)
        return document

    async def _place(self, head: Document) -> None:
        """Place what a head was given; safe to repeat, by several at once and after later ones."""
        try:
            await self._log.insert_many(head["open"])
        except DuplicateKey:
            # Some of them were placed before.
            for link in head["open"]:
                with suppress(DuplicateKey):
                    await self._log.insert_one(link)
        if head["sequence"] - head["kept_sequence"] >= CHECKPOINT_EVERY:
            await self.keep(head_of(head))
            now = self._clock.now()
            await self._anchors.update_one({"_id": head["_id"], "due_at": {"$gt": now}}, {"$set": {"due_at": now}})
        await self._heads.update_one({"_id": head["_id"], "sequence": head["sequence"]}, {"$unset": {"open": ""}})

    async def _begin(self, chain: str) -> Document:
        """The head of a chain that has no entry yet. What lies in the log before is counted, and not claimed."""
        org_id = None if chain == INSTALLATION else chain
        # Once there is any chain there is the installation's, so that its absence tells something.
        if org_id is not None and await self._heads.find_one({"_id": INSTALLATION}) is None:
            await self._begin(INSTALLATION)
        now = self._clock.now()
        stands = {"sequence": 0, "hash": GENESIS, "from_sequence": 0, "from_hash": GENESIS, "at": now}
        stands["unchained"] = await self._log.count_documents({"org_id": org_id, "sequence": {"$exists": False}})
        document: Document = {"_id": chain, **self._signed(chain, stands), "kept_sequence": 0}
        if org_id is not None:
            document["mail_due_at"] = now + MAILED_EVERY
        try:
            await self._heads.insert_one(document)
        except DuplicateKey:
            # Another node began it, and may have gone on by now.
            return await self._settled(chain) or document
        return document

    def _signed(self, chain: str, stands: Mapping[str, Any]) -> Document:
        key, signature = self._signing.sign(message_of(chain, stands))
        return {**stands, "key": key, "signature": signature}

    async def _with_key(self) -> None:
        """The key of the settings, or the one that the first node made and kept sealed."""
        if self._signing.ready:
            return
        kept = await self._meta.find_one_and_update(
            {"_id": "audit_signing_key"}, {"$setOnInsert": {"sealed": self._signing.fresh()}}, upsert=True
        )
        if kept is not None:
            self._signing.use(kept["sealed"])

    # --- checkpoints

    async def keep_due(self) -> int:
        """Keep a checkpoint of every chain that has had entries for an hour without one; answers of how many."""
        before = self._clock.now() - CHECKPOINT_AFTER
        due = await self._heads.find({"unkept_since": {"$lte": before}}, sort=[("unkept_since", 1)], limit=_BATCH)
        for document in due:
            await self.keep(head_of(document))
        return len(due)

    async def keep(self, head: Head) -> None:
        """Keep a checkpoint of where a chain stands."""
        kept = {"_id": f"{head.chain}:{head.sequence}", "chain": head.chain, **head.fields}
        # Another node may have kept the same.
        with suppress(DuplicateKey):
            await self._checkpoints.insert_one({**kept, "key": head.key, "signature": head.signature})
        await self._heads.update_one(
            {"_id": head.chain, "sequence": head.sequence},
            {"$set": {"kept_sequence": head.sequence}, "$unset": {"unkept_since": ""}},
        )

    async def head(self, chain: str) -> Head | None:
        """Where a chain stands, with all that it was given in its place; None for one that has not begun."""
        await self._with_key()
        document = await self._settled(chain)
        return None if document is None else head_of(document)

    async def chains(self, after: str, limit: int) -> list[str]:
        """The names of chains, in order."""
        found = await self._heads.find({"_id": {"$gt": after}}, projection={"_id": 1}, sort=[("_id", 1)], limit=limit)
        return [each["_id"] for each in found]

    @property
    def public_keys(self) -> tuple[str, ...]:
        """Whose signatures are this installation's; a chain's `head` was asked for before."""
        return self._signing.public_keys

    def signed_by_us(self, head: Head) -> bool:
        """Whether one of this installation's keys signed it."""
        return self._signing.good(head.key, head.signature, head.message)

    async def begin_after(self, chain: str, last: tuple[int, str] | None, unchained: int) -> None:
        """Let the chain begin after the entry with this place and hash, and speak of so many older ones."""
        lost = 0
        while (document := await self._settled(chain)) is not None:
            begins = {"from_sequence": last[0], "from_hash": last[1]} if last else {}
            stands = {**_stands(document), **begins, "unchained": unchained}
            stands |= {"sequence": document["sequence"], "hash": document["hash"], "at": self._clock.now()}
            expected = {"_id": chain, "sequence": document["sequence"], "hash": document["hash"]}
            if await self._heads.update_one(expected, {"$set": self._signed(chain, stands)}):
                return
            lost += 1
            await asyncio.sleep(min(lost * _PAUSE, _LONGEST_PAUSE))

    # --- what leaves the house

    async def mail_due(self, now: datetime) -> list[Head]:
        """Chains whose checkpoint is to be mailed."""
        found = await self._heads.find({"mail_due_at": {"$lte": now}}, sort=[("mail_due_at", 1)], limit=_BATCH)
        return [head_of(each) for each in found]

    async def mailed(self, head: Head, now: datetime, *, left: bool) -> None:
        """It was looked at, and whether it left the house by that; the next is due in a week."""
        await self._heads.update_one({"_id": head.chain}, {"$set": {"mail_due_at": now + MAILED_EVERY}})
        if left:
            await self.left(head, now, "mail")

    async def left(self, head: Head, now: datetime, by: str) -> None:
        """Say from now on that this checkpoint left the house, and which way."""
        values = {"anchored_sequence": head.sequence, "anchored_at": now, "anchored_by": by}
        await self._heads.update_one({"_id": head.chain}, {"$set": values})


def _stands(document: Document) -> Document:
    return {name: document[name] for name in ("from_sequence", "from_hash", "unchained")}


def _at_end(links: Sequence[Document]) -> Document:
    return {"sequence": links[-1]["sequence"], "hash": links[-1]["hash"]}
