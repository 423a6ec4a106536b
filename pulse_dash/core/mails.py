"""Mails: kept until they are handed over, so that neither a crash nor a mail server that is away loses one.

What a mail says is told by whoever posts it; how it travels by the adapter behind `Post`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from pulse_dash.core.access import open_because
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.mail import Mail
from pulse_dash.core.names import on_one_line
from pulse_dash.core.vault import Unreadable
from pulse_dash.core.work import Work
from pulse_dash.store.mails import KeptMail

log = structlog.get_logger(__name__)

KEPT: Final = timedelta(days=30)
# Pauses after each attempt that failed; after the last one the mail is given up, and the log says so.
PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
_LEASE: Final = timedelta(minutes=2)
_BATCH: Final = 50


@open_because("each caller has its own rule, and a mail goes only to an address that is kept")
async def post(work: Work, mail: Mail, *, once: str = "", to_many: bool = False) -> None:
    """Keep a mail, to be handed over at once or as soon as it can; of several with the same `once` the first.

    One of those that go to many waits while any other is due: thousands of them delay nobody's reset link.
    Raises Unavailable when it can't be kept."""
    system = work.as_system("post a mail")
    # Links open accounts, so what is kept is sealed.
    vault = work.parts.vault
    await system.store.mails.put(
        f"mai_{once}" if once else work.new_id("mai"),
        to=mail.to,
        subject=on_one_line(mail.subject),
        sealed=vault.sealed(mail.text.encode()),
        sealed_unsubscribe=vault.sealed(mail.unsubscribe.encode()) if mail.unsubscribe else None,
        now=work.clock.now(),
        to_many=to_many,
    )
    work.parts.bus.say("mails:")


@open_because("answers only this machine itself; the edge sees to that")
async def outbox(work: Work) -> Sequence[Mail] | None:
    """The newest mails, where no mail server was named; None elsewhere."""
    return work.parts.post.kept


@open_because("a job of Pulse's own, which no caller reaches")
async def hand_over(work: Work) -> int:
    """Hand over what is due; answers how many arrived. Each is claimed first, so a crash only delays it."""
    store, clock = work.as_system("hand mails over").store, work.clock
    arrived = 0
    for _ in range(_BATCH):
        kept = await store.mails.claim(clock.now(), until=clock.now() + _LEASE)
        if kept is None:
            break
        try:
            await work.parts.post.send(_opened(work, kept))
        except Unreadable:
            log.exception("mail.unreadable", mail=kept.id)
            await store.mails.give_up(kept.id, clock.now())
        except Unavailable as away:
            if kept.attempts > len(PAUSES):
                log.exception("mail.given_up", mail=kept.id, attempts=kept.attempts)
                await store.mails.give_up(kept.id, clock.now())
                continue
            log.warning("mail.later", mail=kept.id, attempts=kept.attempts, detail=away.detail)
            await store.mails.put_off(kept, clock.now() + PAUSES[kept.attempts - 1])
        else:
            await store.mails.sent(kept.id, clock.now())
            arrived += 1
    return arrived


@open_because("a job of Pulse's own, which no caller reaches")
async def forget(work: Work) -> None:
    """Forget mails of a month ago."""
    await work.as_system("forget old mails").store.mails.forget(work.clock.now() - KEPT)


def _opened(work: Work, kept: KeptMail) -> Mail:
    vault, link = work.parts.vault, kept.sealed_unsubscribe
    unsubscribe = vault.opened(link).decode() if link is not None else ""
    return Mail(kept.to, kept.subject, vault.opened(kept.sealed).decode(), unsubscribe)
