"""Entries that are kept no longer leave the audit log: from its beginning on, only where they are as they were written,
and the chain says so itself.

Each step may be cut off by a crash. The next run goes on where this one stopped: what the head no longer speaks of is
deleted first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from pulse_dash.core.access import open_because
from pulse_dash.core.audit_walk import Fault, Looked
from pulse_dash.core.plans import longest
from pulse_dash.core.work import Work
from pulse_dash.store.audit_chain import Head
from pulse_dash.store.audit_form import INSTALLATION, entry_in
from pulse_dash.store.ids import ALPHABET, LENGTH

log = structlog.get_logger(__name__)

# A chain is trimmed once a day at most, for each time costs it an entry.
_MORE_THAN: Final = timedelta(days=1)
_AT_ONCE: Final = 500
# A millisecond or two of work, so that others of this node hardly wait.
_READ_AT_ONCE: Final = 128


@dataclass(frozen=True, slots=True)
class _Prefix:
    """The entries from the beginning to this one are to go."""

    sequence: int
    hash: str


@open_because("a job of Pulse's own, which no caller reaches")
async def trim(work: Work) -> int:
    """Let every chain's entries go that are older than its plan keeps them; answers how many chains lost some."""
    system, trimmed, last = work.as_system("trim the audit log"), 0, ""
    now = work.clock.now()
    while chains := await work.parts.store.chains.chains(last, _AT_ONCE):
        last = chains[-1]
        found = await system.store.organizations.list({"_id": {"$in": chains}}, sort=[("_id", 1)])
        plans = {each.id: each.plan for each in found}
        for chain in chains:
            trimmed += await _trim(system, chain, now - timedelta(days=kept_days(work, plans.get(chain))))
    return trimmed


@open_because("it only says what the settings say")
def kept_days(work: Work, plan: str | None) -> int:
    """How long the log of an organization with this plan is kept; of none, and of what was deleted, the longest."""
    days = work.parts.policy.audit_days
    return days.get(plan or "", longest(days))


async def _trim(work: Work, chain: str, before: datetime) -> bool:
    chains, entries = work.parts.store.chains, work.store.audit_log
    head = await chains.head(chain)
    if head is None:
        return False
    await entries.forget(chain, head.from_sequence)
    if await entries.unchained(chain, before) == head.unchained:
        await entries.forget_unchained(chain, before)
    oldest = await entries.oldest(chain)
    if oldest is None or oldest > before - _MORE_THAN:
        return False
    found = await _prefix(work, head, before)
    if isinstance(found, Fault):
        log.error("audit.not_trimmed", chain=chain, reason=found.reason, sequence=found.sequence)
        return False
    left = await entries.unchained(chain, before)
    if found is None and left == head.unchained:
        return False
    if found is not None:
        await chains.append(chain, [_told(work, head, found)])
    await chains.begin_after(chain, found and (found.sequence, found.hash), left)
    await entries.forget_unchained(chain, before)
    if found is not None:
        await entries.forget(chain, found.sequence)
    log.info("audit.trimmed", chain=chain, through=found and found.sequence)
    return True


async def _prefix(work: Work, head: Head, before: datetime) -> _Prefix | Fault | None:
    """How far all entries are of before that moment and as they were written; None where the first is not."""
    looked = Looked(work.parts.store.chains.signed_by_us, head, None)
    fault = looked.at_head(head.unchained)
    if fault is not None:
        return fault
    looked.expect(await work.parts.store.chains.checkpoints(head.chain, head.from_sequence, head.sequence))
    prefix: _Prefix | None = None
    async for bodies in work.store.audit_log.chained(head.chain, -1, _READ_AT_ONCE):
        for body in bodies:
            entry = entry_in(body)
            # The last one stays, so that there always is one.
            if entry is not None and (entry["at"] >= before or entry["sequence"] >= head.sequence):
                return prefix
            fault = looked.at([body])
            if fault is not None or entry is None:
                return fault
            prefix = _Prefix(entry["sequence"], entry["hash"])
    return prefix


def _told(work: Work, head: Head, prefix: _Prefix) -> dict[str, object]:
    """The entry that says so. Its id follows from what it says, so that it is written once."""
    mark = int.from_bytes(hashlib.sha256(f"{head.chain}:{prefix.sequence}".encode()).digest()[:16])
    letters = "".join(ALPHABET[mark >> 5 * place & 31] for place in range(LENGTH - 1))
    entry = work.entry(
        "audit.trimmed",
        org_id=None if head.chain == INSTALLATION else head.chain,
        resource="audit_log",
        resource_id=head.chain,
        name="",
        changes={
            "through_sequence": {"before": head.from_sequence, "after": prefix.sequence},
            "through_hash": {"before": head.from_hash, "after": prefix.hash},
        },
    )
    return {**entry, "_id": f"aud_0{letters}"}
