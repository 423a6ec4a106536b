"""The walk along one chain of the audit log: what is looked at, and the first entry that does not fit.

It knows entries and where the chain stood; who may ask, and what a fault means for people, is told by audit_verify. It
runs in a process beside the node (pulse_dash/audit_job.py), so it needs no more than an engine that reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson

from pulse_dash.core.audit_signing import PublicKeys
from pulse_dash.store.audit_chain import Head, Stands
from pulse_dash.store.audit_form import VERSION, entry_in, follows, hash_of, marks_of
from pulse_dash.store.audit_log import Entries
from pulse_dash.store.engine import Document, Engine
from pulse_dash.store.scope import EVERYTHING

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
class Walk:
    """A chain to be walked as its head stood when it was asked for, with all that the head was given in its place."""

    head: Head
    given: Head | None
    # Those whose signatures are ours, in hexadecimal.
    public_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Walked:
    """What was found: how many entries and checkpoints were looked at, how many lie outside of the chain."""

    entries: int
    unchained: int
    checkpoints: int
    fault: Fault | None

    def written(self) -> bytes:
        """As it comes back from another process."""
        return orjson.dumps(asdict(self))


def read(written: bytes) -> Walked:
    """What `Walked.written` wrote."""
    found: dict[str, Any] = orjson.loads(written)
    fault = found.pop("fault")
    return Walked(**found, fault=fault and Fault(**fault))


async def walked(engine: Engine, walk: Walk) -> Walked:
    """Walk it to its end or to the first entry that does not fit. Raises Unavailable."""
    chain, stands, entries = walk.head.chain, Stands(engine), Entries(engine, EVERYTHING)
    unchained = await entries.unchained(chain)
    looked = Looked(PublicKeys(walk.public_keys).signed, walk.head, walk.given)
    fault = looked.at_head(unchained)
    if fault is None:
        looked.expect(await stands.checkpoints(chain, walk.head.from_sequence, walk.head.sequence))
        async for slice_ in entries.chained(chain, -1):
            fault = looked.at(slice_)
            if fault is not None:
                break
        fault = fault or looked.at_end(await stands.now(chain))
    return Walked(looked.entries, unchained, looked.checkpoints, fault)


class Looked:
    """How far a walk has come: the place and hash of the last entry, and what is expected further on."""

    def __init__(self, ours: Callable[[Head], bool], head: Head, given: Head | None) -> None:
        self._ours = ours
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
        if not self._ours(self._head):
            return Fault("head_forged", self._head.sequence)
        if unchained != self._head.unchained:
            return Fault("unchained_differ", 0)
        if self._given is not None and self._given.sequence > self._head.sequence:
            return Fault("before_checkpoint", self._head.sequence)
        return None

    def expect(self, kept: list[Head]) -> None:
        """These checkpoints shall fit, and the one that was given."""
        for each in kept:
            if not self._ours(each):
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

    def at_end(self, newest: Head | None) -> Fault | None:
        """Whether it ends where the head says; what was appended during the walk stands in a newer one."""
        if self._sequence < self._head.sequence:
            return Fault("end_missing", self._sequence, self._last_id())
        if self._given is not None and self._given.sequence == self._head.from_sequence == self._sequence:
            return None if self._given.hash == self._head.from_hash else Fault("checkpoint_differs", self._sequence)
        if self._sequence > self._head.sequence and (newest is None or newest.sequence < self._sequence):
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
