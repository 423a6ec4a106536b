"""Checkpoints of the audit log: kept in the house every hour, mailed to the owners every week, and read back.

One that has left the house shows what none inside can: that the end was cut off, or an older backup put back.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import structlog

from pulse_dash.core.access import Role, open_because
from pulse_dash.core.errors import FieldError, Invalid, NotFound, Unavailable
from pulse_dash.core.mail import Mail
from pulse_dash.core.names import on_one_line
from pulse_dash.core.work import Work
from pulse_dash.store.audit_chain import Head
from pulse_dash.store.audit_form import canonical
from pulse_dash.store.organizations import Organization

log = structlog.get_logger(__name__)

_LONGEST = 1_024
_LARGEST = 2**53
_NUMBERS = ("sequence", "from_sequence", "unchained")
_TEXTS = {
    "chain": r"[a-z0-9_]{1,64}",
    "hash": r"[0-9a-f]{64}",
    "from_hash": r"[0-9a-f]{64}",
    "key": r"[0-9a-f]{64}",
    "signature": r"[0-9a-f]{128}",
    "at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
}


def written(head: Head) -> str:
    """A checkpoint as one line of JSON: in mails, at the end of exports, and where somebody gives it back."""
    return canonical({**head.fields, "chain": head.chain, "key": head.key, "signature": head.signature}).decode()


def chain_in(text: str) -> str:
    """The chain that a checkpoint speaks of; empty where it is none, which `read` then says."""
    found = re.search(r'"chain":"([a-z0-9_]+)"', text)
    return found[1] if found else ""


@open_because("it reads only what it is given")
def read(work: Work, chain: str, text: str) -> Head:
    """What `written` wrote. Raises Invalid for what is none, is of another organization, or none of our keys signed."""
    try:
        found: Any = json.loads(text) if len(text) <= _LONGEST else None
        numbers = {name: found[name] for name in _NUMBERS}
        texts = {name: re.fullmatch(form, found[name], re.ASCII) for name, form in _TEXTS.items()}
        at = datetime.fromisoformat(found["at"])
        ours = all(texts.values()) and all(type(each) is int and 0 <= each < _LARGEST for each in numbers.values())
    except (ValueError, TypeError, KeyError, RecursionError):
        ours, at, numbers, found = False, work.clock.now(), {}, {}
    if not ours:
        raise Invalid(FieldError("checkpoint", "This is no checkpoint. It is one line that begins with {."))
    head = Head(**{name: found[name] for name in _TEXTS if name != "at"}, **numbers, at=at)
    if head.chain != chain:
        raise Invalid(FieldError("checkpoint", "This checkpoint is of another organization."))
    if not work.parts.store.chains.signed_by_us(head):
        raise Invalid(FieldError("checkpoint", "No key of this installation signed this checkpoint."))
    return head


@open_because("a job of Pulse's own, which no caller reaches")
async def keep(work: Work) -> int:
    """Keep one of each chain that has had new entries for an hour; answers how many chains were looked at."""
    return await work.parts.store.chains.keep_due()


@open_because("a job of Pulse's own, which no caller reaches")
async def mail(work: Work) -> int:
    """Mail the owners where their log stands, once a week; answers of how many organizations. One whose mail can't be
    sent now is tried again the next time and no other waits for it."""
    if not work.parts.post.delivers:
        return 0
    system, chains, told = work.as_system("mail checkpoints to the owners"), work.parts.store.chains, 0
    for head in await chains.mail_due(work.clock.now()):
        try:
            organization = await system.store.organizations.get(head.chain)
        except NotFound:
            await chains.mailed(head, work.clock.now(), left=False)
            continue
        owners = [member.user_id for member in organization.members if member.role == Role.OWNER.value]
        people = await system.store.users.list({"_id": {"$in": owners}}, sort=[("_id", 1)])
        left = False
        try:
            for address in (person.email for person in people if person.verified_at is not None):
                await work.parts.post.send(_mail(work, organization, head, address))
                left = True
        except Unavailable as away:
            log.warning("audit.mail_later", chain=head.chain, detail=away.detail)
            if not left:
                continue
        await chains.keep(head)
        await chains.mailed(head, work.clock.now(), left=left)
        told += left
    return told


def _mail(work: Work, organization: Organization, head: Head, address: str) -> Mail:
    name = on_one_line(organization.name)
    return Mail(
        to=address,
        subject=f"Where the audit log of {name} stands",
        text=f"""The audit log of {name} has {head.sequence:,} entries.

Keep this mail. The line below is signed and shows later whether anything was changed, cut off or put back from an
older backup since: give it to Verify on the page Audit log, or to ?checkpoint= of /v1/audit-logs/verify.

{written(head)}

{work.parts.policy.public_url}/audit
""",
    )
