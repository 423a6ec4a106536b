"""Whether the audit log is as it was written: its chain is walked as a stream, and the first entry that does not fit
is named.

What a chain alone cannot show is said too: without a checkpoint that left the house, a log that was cut off at its end
together with its head, or put back from an older backup, fits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from pulse_dash.core import audit_checkpoints, audit_walk
from pulse_dash.core.access import Permission, open_because, requires
from pulse_dash.core.audit_walk import Fault as Fault  # noqa: PLC0414 - core hands it on to api and state
from pulse_dash.core.audit_walk import Walk, Walked
from pulse_dash.core.errors import FieldError, Invalid
from pulse_dash.core.work import Work
from pulse_dash.store.audit_chain import Head as Head  # noqa: PLC0414 - core hands it on to api and state
from pulse_dash.store.audit_form import INSTALLATION

ALWAYS: Final = ("edit", "delete", "delete_all", "reorder", "insert", "swap")
"""What verify finds by itself, done with access to the database alone."""
ANCHORED: Final = ("cut", "restore")
"""What it finds once a checkpoint has left the house, and is given back."""

_AT_ONCE: Final = 500


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

    Raises NotFound; Invalid for a checkpoint that is none of this organization's; RateLimited, Unavailable."""
    await work.store.organizations.get(org_id)
    await work.parts.store.logged()
    # Where no key was needed yet on this node, it is there after this.
    await work.parts.store.chains.head(org_id)
    given = audit_checkpoints.read(work, org_id, checkpoint) if checkpoint else None
    return await walk(work.as_system("verify the caller's own log"), org_id, given)


@open_because("whoever is asked for has a rule of its own; the command line asks for all")
async def walk(work: Work, chain: str, given: Head | None = None) -> Verified:
    """Walk one chain whoever it belongs to. Raises Invalid, RateLimited, Unavailable."""
    chains = work.parts.store.chains
    head = await chains.head(chain)
    if head is None:
        return await _without_head(work, chain, given)
    found = await _walked(work, head, given)
    if found.fault is not None:
        newer = await chains.head(chain)
        if newer is not None and (_begins(newer) != _begins(head) or found.fault.reason == "unchained_differ"):
            # Retention took entries away while they were walked, or is at it, which it is once a day at most.
            head, found = newer, await _walked(work, newer, given)
    compared = given is not None
    return Verified(chain, found.entries, found.unchained, found.checkpoints, head, found.fault, compared)


def _begins(head: Head) -> tuple[int, str, int]:
    return head.from_sequence, head.from_hash, head.unchained


async def _walked(work: Work, head: Head, given: Head | None) -> Walked:
    """What whoever reads beside this node finds."""
    if given is not None and given.sequence < head.from_sequence:
        raise Invalid(FieldError("checkpoint", "It is older than the oldest entry that is kept."))
    reading = await work.parts.audit_readers.begin(head.chain)
    try:
        asked = Walk(head, given, work.parts.store.chains.public_keys)
        return audit_walk.read(b"".join([chunk async for chunk in reading.chunks(asked)]))
    finally:
        reading.end()


async def _without_head(work: Work, chain: str, given: Head | None) -> Verified:
    """A chain that has not begun, or whose head was taken away."""
    entries = work.store.audit_log
    unchained, chained = await entries.unchained(chain), False
    async for _ in entries.chained(chain, -1, at_once=1):
        chained = True
        break
    gone = chained or given is not None or (not unchained and await _must_be(work, chain))
    return Verified(chain, 0, unchained, 0, None, Fault("chain_missing", 0) if gone else None)


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
