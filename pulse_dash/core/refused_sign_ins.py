"""Sign-ins that were refused for a wrong password: gathered as they come, in the audit log within a second.

Written beside the answer, not before it, so that the time until the answer tells nobody whether the account exists.
Whether a password was right is told by accounts; who must wait, by slowdown.
"""

from __future__ import annotations

from typing import Final

from pulse_dash.core import homes
from pulse_dash.core.access import Anonymous, open_because
from pulse_dash.core.work import Work
from pulse_dash.store.users import User

# Each takes a slow hash, so far fewer come between two writes: this bounds them while the database is away.
_MOST: Final = 1_000


@open_because("accounts calls it once a password was wrong")
def note(work: Work, user: User) -> None:
    """Somebody gave a wrong password for this account."""
    waiting = work.parts.refused_sign_ins
    if len(waiting) >= _MOST:
        return
    entry = work.entry(
        "session.refused",
        # In whose log it stands takes a read, which is made beside the answer too.
        org_id=None,
        resource="user",
        resource_id=user.id,
        name=user.name,
        by=Anonymous(),
        status="failure",
    )
    waiting.append((user, entry))


@open_because("a job writes what was noted")
async def write(work: Work) -> None:
    """Keep them as refusals are kept: the first of an account and a minute at once, the rest of it as one entry.

    What can't be written waits for the next time. Raises Unavailable."""
    waiting = work.parts.refused_sign_ins
    while waiting:
        user, entry = waiting[0]
        kept = {**entry, "org_id": await homes.of(work, user)}
        await work.store.refusals.note(f"{user.id}:password", kept)
        waiting.popleft()
