"""Whether the audit log is as it was written: its chain is walked as a stream, and the first entry that does not fit
is named.

What a chain alone cannot show is said too: without a checkpoint that left the house, a log that was cut off at its end
together with its head, or put back from an older backup, fits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final

from pulse_dash.core import audit_checkpoints
from pulse_dash.core.access import Permission, open_because, requires
from pulse_dash.core.errors import FieldError, Invalid
from pulse_dash.core.work import Work
from pulse_dash.store.audit_chain import Head as Head  # noqa: PLC0414 - core hands it on to api and state
from pulse_dash.store.audit_form import INSTALLATION, VERSION, entry_in, follows, hash_of, marks_of
from pulse_dash.store.engine import Document

ALWAYS: Final = ("edit", "delete", "delete_all", "reorder", "insert", "swap")
"""What verify finds by itself, done with access to the database alone."""
ANCHORED: Final = ("cut", "restore")
"""What it finds once a checkpoint has left the house, and is given back."""

_AT_ONCE: Final = 500
# Looked at without a pause; each takes a tenth of a millisecond.
_SIGNATURES: Final = 16

SENTENCES: Final = {
    "chain_missing": "The chain is gone: there is no head, although there must be entries.",
    "head_forged": "The head of the chain was not signed by this installation.",
    "unchained_differ": "Entries without a place in the chain were added or removed.",
    "missing": "One or more entries before this one are missing.",
    "twice": "Two entries claim the same place.",
    "not_ours": "It does not follow on the entry before.",
    "changed": "It was changed after it was written.",
    "marks_changed": "What it is found by was changed.",
    "end_missing": "The entries after this one are missing.",
    "beyond": "It stands beyond the end of the chain.",
    "checkpoint_differs": "The chain was another one when this checkpoint was kept.",
    "checkpoint_forged": "A kept checkpoint was not signed by this installation.",
    "before_checkpoint": "It ends before the checkpoint that was given: its end was cut off, or an older one put back.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that does not fit: why, at which place, and the entry's id where there is one."""

    reason: str
    sequence: int
    entry_id: str | None = None

    @property
    def sentence(self) -> str:
        """Why, for people."""
        return SENTENCES[self.reason]


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found. `entries` were looked at; `unchained` are older than the chain, which says nothing of them."""

    chain: str
    entries: int
    unchained: int
    checkpoints: int
    head: Head | None
    fault: Fault | None
    compared: bool = False

    @property
    def fits(self) -> bool:
        return self.fault is None

    @property
    def anchored(self) -> bool:
        """Whether a checkpoint of it has left the house."""
        return self.head is not None and self.head.anchored_sequence is not None

    @property
    def finds(self) -> tuple[str, ...]:
        """Which attacks on the database would have been found."""
        return ALWAYS + (ANCHORED if self.compared else ())


@requires(Permission.VIEW)
async def verify(work: Work, org_id: str, *, checkpoint: str | None = None) -> Verified:
    """Walk the chain of one organization; with a checkpoint that was mailed or exported, compare with that too.

    Raises NotFound; Invalid for a checkpoint that is none of this organization's."""
    await work.store.organizations.get(org_id)
    await work.parts.store.logged()
    # Where no key was needed yet on this node, it is there after this.
    head = await work.parts.store.chains.head(org_id)
    given = audit_checkpoints.read(work, org_id, checkpoint) if checkpoint else None
    if given is not None and head is not None and given.sequence < head.from_sequence:
        raise Invalid(FieldError("checkpoint", "It is older than the oldest entry that is kept."))
    return await walk(work.as_system("verify the caller's own log"), org_id, given)


@open_because("whoever is asked for has a rule of its own; the command line asks for all")
async def walk(work: Work, chain: str, given: Head | None = None) -> Verified:
    """Walk one chain whoever it belongs to."""
    store, chains = work.store.audit_log, work.parts.store.chains
    head = await chains.head(chain)
    unchained = await store.unchained(chain)
    if head is None:
        begun = [slice_ async for slice_ in store.chained(chain, -1)] or (not unchained and await _must_be(work, chain))
        fault = Fault("chain_missing", 0) if begun or given is not None else None
        return Verified(chain, 0, unchained, 0, None, fault)
    looked = Looked(work, head, given)
    fault = looked.at_head(unchained)
    if fault is None:
        kept = await chains.checkpoints(chain, head.from_sequence, head.sequence)
        for first in range(0, max(len(kept), 1), _SIGNATURES):
            looked.expect(kept[first : first + _SIGNATURES])
            # Whoever else waits for this node comes first.
            await asyncio.sleep(0)
        async for slice_ in store.chained(chain, -1):
            fault = looked.at(slice_)
            if fault is not None:
                break
        fault = fault or await looked.at_end()
    return Verified(chain, looked.entries, unchained, looked.checkpoints, head, fault, given is not None)


@open_because("the command line asks, on the machine itself")
async def every(work: Work, organization: str, checkpoint: str | None) -> AsyncIterator[Verified]:
    """Walk one chain, or those of the installation, of every organization and of every head. Raises Invalid."""
    chains = work.parts.store.chains
    if organization or checkpoint:
        chain = organization or audit_checkpoints.chain_in(checkpoint or "")
        await chains.head(chain)
        yield await walk(work, chain, audit_checkpoints.read(work, chain, checkpoint) if checkpoint else None)
        return
    yield await walk(work, INSTALLATION)
    async for chain in _all(work):
        yield await walk(work, chain)


async def _all(work: Work) -> AsyncIterator[str]:
    """The ids of all organizations that are there or have a head, deleted ones too, each once."""
    last = ""
    while True:
        heads = await work.parts.store.chains.chains(last, _AT_ONCE)
        there = await work.store.organizations.ids(last, _AT_ONCE)
        whole = [each for each in (heads, there) if len(each) == _AT_ONCE]
        until = min((each[-1] for each in whole), default=None)
        for chain in sorted({*heads, *there} - {INSTALLATION}):
            if until is None or chain <= until:
                yield chain
        if until is None:
            return
        last = until


def told(found: Verified) -> str:
    """What was found, as a line for the terminal."""
    if found.fault is not None:
        where = f"entry {found.fault.sequence}" + (f" ({found.fault.entry_id})" if found.fault.entry_id else "")
        return f"{found.chain}: does not fit at {where}. {found.fault.sentence}"
    words = f"{found.chain}: {found.entries:,} entries fit"
    if found.unchained:
        words += f"; {found.unchained:,} are older than the chain and not looked at"
    if not found.compared:
        words += "; whether its end was cut off or an older backup put back shows a mailed checkpoint (--checkpoint)"
    return words + "."


async def _must_be(work: Work, chain: str) -> bool:
    """Whether there is something whose making was an entry of this chain."""
    if chain == INSTALLATION:
        return bool(await work.parts.store.chains.chains("", 1))
    return bool(await work.store.organizations.count({"_id": chain}))


class Looked:
    """How far a walk has come: the place and hash of the last entry, and what is expected further on."""

    def __init__(self, work: Work, head: Head, given: Head | None) -> None:
        self._work = work
        self._head = head
        self._given = given
        self._sequence, self._hash = head.from_sequence, head.from_hash
        self._last: bytes | None = None
        self._expected: dict[int, str] = {}
        self._forged: Head | None = None
        # Places at which there is more to compare than that the entry follows.
        self._marked: set[int] = set()
        self._expect(head.sequence, head.hash)
        self.entries = self.checkpoints = 0

    def at_head(self, unchained: int) -> Fault | None:
        """What is told by the head alone."""
        if not self._work.parts.store.chains.signed_by_us(self._head):
            return Fault("head_forged", self._head.sequence)
        if unchained != self._head.unchained:
            return Fault("unchained_differ", 0)
        if self._given is not None and self._given.sequence > self._head.sequence:
            return Fault("before_checkpoint", self._head.sequence)
        return None

    def expect(self, kept: list[Head]) -> None:
        """These checkpoints shall fit, and the one that was given."""
        for each in kept:
            if not self._work.parts.store.chains.signed_by_us(each):
                self._forged = self._forged or each
            self._expect(each.sequence, self._expected.get(each.sequence, each.hash))
            self.checkpoints += 1
        if self._given is not None and self._given.sequence > self._head.from_sequence:
            # Before the others: it comes from outside.
            self._expect(self._given.sequence, self._given.hash)

    def _expect(self, place: int, own_hash: str) -> None:
        self._expected[place] = own_hash
        self._marked.add(place)

    def at(self, bodies: Iterable[bytes]) -> Fault | None:
        """The first of these entries, each as it is stored, that does not follow."""
        for body in bodies:
            place = self._sequence + 1
            own = None if place in self._marked else follows(body, place, self._hash)
            if own is None:
                fault = self._at(body)
                if fault is not None:
                    return fault
            else:
                self._sequence, self._hash = place, own
                self.entries += 1
            self._last = body
        return None

    def _at(self, body: bytes) -> Fault | None:
        """The same of one that has to be read for it: of the first form, or with something about it."""
        entry = entry_in(body)
        if entry is None:
            return Fault("changed", self._sequence + 1)
        place, entry_id = entry["sequence"], entry["_id"]
        if not self.entries and 0 < place <= self._head.from_sequence:
            # Retention is about to delete these: they fit if they lead up to where the head begins.
            self._sequence, self._hash = place - 1, str(entry.get("previous"))
            self._expect(self._head.from_sequence, self._head.from_hash)
        wrong = None
        if place == self._sequence and self.entries:
            wrong = "twice"
        elif place <= self._sequence:
            # Before the beginning of the chain nothing stands.
            wrong = "not_ours"
        elif place > self._sequence + 1:
            wrong = "missing" if self._sequence < self._head.sequence else "beyond"
        elif entry.get("previous") != self._hash:
            wrong = "not_ours"
        elif not _hash_fits(entry, body, place, self._hash):
            wrong = "changed"
        elif entry.get("version") != VERSION and entry.get("marks") != marks_of(entry):
            # The hash of a later form is over them too.
            wrong = "marks_changed"
        elif self._expected.pop(place, entry["hash"]) != entry["hash"]:
            wrong = "checkpoint_differs"
        elif self._forged is not None and self._forged.sequence == place:
            wrong = "checkpoint_forged"
        if wrong is not None:
            return Fault(wrong, place, entry_id)
        self._sequence, self._hash = place, entry["hash"]
        self.entries += 1
        return None

    async def at_end(self) -> Fault | None:
        """Whether it ends where the head says; what was appended during the walk stands in a newer head."""
        if self._sequence < self._head.sequence:
            return Fault("end_missing", self._sequence, self._last_id())
        if self._given is not None and self._given.sequence == self._head.from_sequence == self._sequence:
            return None if self._given.hash == self._head.from_hash else Fault("checkpoint_differs", self._sequence)
        if self._sequence > self._head.sequence:
            newer = await self._work.parts.store.chains.head(self._head.chain)
            if newer is None or newer.sequence < self._sequence:
                return Fault("beyond", self._sequence, self._last_id())
        return None

    def _last_id(self) -> str | None:
        last = None if self._last is None else entry_in(self._last)
        return None if last is None else last["_id"]


def _hash_fits(entry: Document, body: bytes, place: int, previous: str) -> bool:
    if entry.get("version") == VERSION:
        # Of what is stored, not of what was read of it: some bytes are read as the same.
        return follows(body, place, previous) is not None
    try:
        return hash_of(entry) == entry.get("hash")
    except TypeError:
        # It holds what no entry of ours does.
        return False
