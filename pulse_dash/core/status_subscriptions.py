"""Subscriptions to incidents: anybody may name an address or a webhook, and whoever it belongs to confirms it first.

What subscribers are told, and when, is told by status_notices; how webhooks are reached by status_deliveries.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from pulse_dash.core import webhooks
from pulse_dash.core.access import open_because
from pulse_dash.core.errors import Conflict, FieldError, Invalid, RateLimited
from pulse_dash.core.links import LinkSpent
from pulse_dash.core.mail import Mail
from pulse_dash.core.mail_addresses import address
from pulse_dash.core.mails import post
from pulse_dash.core.networks import network_of
from pulse_dash.core.outbound import Purpose
from pulse_dash.core.vault import random_secret, same
from pulse_dash.core.work import Work
from pulse_dash.store.status_subscriptions import StatusSubscription

LIFE: Final = timedelta(days=7)
CONFIRM, UNSUBSCRIBE = "/status/subscriptions/confirm", "/status/subscriptions/unsubscribe"
# The same address or webhook is written to once in so long, however often somebody asks.
PAUSE: Final = timedelta(minutes=10)
_BY_CALLER, _BY_TARGET = 10, 3
_EMAIL, _WEBHOOK = "email", "webhook"
_NOT_PUBLIC = "Must lead to the public internet, as an address without a name and password."
_ASKED = (
    "Hello,\n\nto be told by mail when something happens to this Pulse, open this link and press its button:\n\n{link}"
    "\n\nIt works once, for seven days. Somebody asked for it at {place}. If it was not you, ignore this mail: no "
    "other follows.\n"
)
_KNOWN = (
    "Hello,\n\nthis address is told already when something happens to this Pulse, so there is nothing to do. To end "
    "that, open this link and press its button:\n\n{link}\n\nSomebody asked for it at {place}.\n"
)


class MailNotConfigured(Conflict):
    """This installation sends no mail."""

    code = "mail_not_configured"

    def __init__(self) -> None:
        super().__init__("This installation sends no mail. Read the feed at /status.atom, or subscribe a webhook.")


@open_because("anybody may ask, and nothing follows before the address itself confirms it")
async def by_mail(work: Work, email: str) -> None:
    """Mail a link that confirms it; answered the same whether the address is known or not.

    Raises Invalid, MailNotConfigured, RateLimited, Unavailable."""
    target = address(email)
    if not work.parts.post.delivers:
        raise MailNotConfigured
    _count(work, target)
    asked = await _asked(work, _EMAIL, target)
    if asked is None:
        return
    found, token = asked
    known, place = found.confirmed_at is not None, work.parts.policy.public_url
    link = unsubscribe_link(work, found.id) if known else confirm_link(work, token)
    text = (_KNOWN if known else _ASKED).format(place=place, link=link)
    subject = "You are told of incidents already" if known else "Confirm that you want to be told of incidents"
    await post(work, Mail(target, subject, text, link if known else ""))


@open_because("anybody may ask, and nothing follows before the webhook itself confirms it")
async def by_webhook(work: Work, url: str) -> None:
    """Send the webhook a link that confirms it, and the secret that signs what it is sent.

    Raises Invalid, RateLimited, Unavailable."""
    _refuse_private(work, url)
    _count(work, urlsplit(url).hostname or url)
    secret = webhooks.random_secret()
    asked = await _asked(work, _WEBHOOK, url, sealed_secret=work.parts.vault.sealed(secret.encode()))
    if asked is None or asked[0].confirmed_at is not None:
        # One that is confirmed keeps its secret: nobody else may learn when it is asked for again.
        return
    found, token = asked
    store = work.as_system("ask a webhook").store
    await store.status_deliveries.put(
        f"{found.id}_{work.new_id('ask')}",
        found.id,
        now=work.clock.now(),
        sealed=work.parts.vault.sealed(token.encode()),
    )


@open_because("the link itself is the proof")
async def look(work: Work, token: str) -> StatusSubscription:
    """What the link would confirm. Raises LinkSpent."""
    found = await _store(work).find(token.partition(".")[0])
    if found is None or found.confirm_hash is None or found.confirm_until is None:
        raise LinkSpent
    if found.confirm_until <= work.clock.now() or not same(_hash(work, token), found.confirm_hash):
        raise LinkSpent
    return found


@open_because("the link itself is the proof")
async def confirm(work: Work, token: str) -> StatusSubscription:
    """Tell it of incidents from now on. Raises LinkSpent."""
    found = await look(work, token)
    if not await _store(work).confirm(found.id, _hash(work, token), work.clock.now()):
        raise LinkSpent
    return found


@open_because("the link itself is the proof")
async def look_at_end(work: Work, token: str) -> StatusSubscription | None:
    """What the link would end; None where that is over already. Raises LinkSpent for a link that is none of ours."""
    subscription_id = token.partition(".")[0]
    if not same(token, _unsubscribe_token(work, subscription_id)):
        raise LinkSpent
    return await _store(work).find(subscription_id)


@open_because("the link itself is the proof")
async def unsubscribe(work: Work, token: str) -> None:
    """Tell it nothing more and keep nothing of it; done twice it is done. Raises LinkSpent."""
    found = await look_at_end(work, token)
    if found is not None:
        await _store(work).remove(found.id)


@open_because("it says where a link leads, to whoever writes it into a message")
def confirm_link(work: Work, token: str) -> str:
    """The address under which a subscription is confirmed: ours, whatever a request said."""
    return f"{work.parts.policy.public_url}{CONFIRM}?token={token}"


@open_because("it says where a link leads, to whoever writes it into a message")
def unsubscribe_link(work: Work, subscription_id: str) -> str:
    """The address under which a subscription is ended."""
    return f"{work.parts.policy.public_url}{UNSUBSCRIBE}?token={_unsubscribe_token(work, subscription_id)}"


@open_because("for whoever erases a person, which has a rule of its own")
async def forget_address(work: Work, email: str) -> None:
    """Tell this address nothing more and keep nothing of it."""
    await _store(work).remove_target(_EMAIL, email)


@open_because("a job of the house")
async def forget(work: Work) -> None:
    """Forget those that nobody confirmed in time."""
    await _store(work).forget(work.clock.now())


async def _asked(work: Work, channel: str, target: str, **secrets: Any) -> tuple[StatusSubscription, str] | None:
    """The subscription and the token of its newest link; None where it was written to a moment ago."""
    store, now = _store(work), work.clock.now()
    await store.put(work.new_id("sub"), channel=channel, target=target, now=now - PAUSE)
    found = await store.of_target(channel, target)
    if found is None:
        return None
    token = f"{found.id}.{random_secret()}"
    link = {"confirm_hash": _hash(work, token), "confirm_until": now + LIFE, **secrets}
    pending = None if found.confirmed_at else link
    asked = await store.asked(found.id, now, pending=pending, before=now - PAUSE)
    return (found, token) if asked else None


def _refuse_private(work: Work, url: str) -> None:
    """Raises Invalid. Whom nobody knows lets no name server be asked, and learns of no name of the inside: a webhook
    that leads there is refused when it is delivered to."""
    outbound = work.parts.outbound
    webhooks.refuse_plain(outbound, url, field="url")
    try:
        outbound.check_form(Purpose.WEBHOOK, url, field="url")
    except Invalid:
        raise Invalid(FieldError("url", _NOT_PUBLIC)) from None


def _count(work: Work, target: str) -> None:
    """Limited by who asks and by whom it would reach. Raises RateLimited."""
    for policy, key, most in (("subscribe", network_of(work.call.ip), _BY_CALLER), ("subscribed", target, _BY_TARGET)):
        allowance = work.parts.rates.hit(policy, key, most)
        if not allowance.allowed:
            raise RateLimited(allowance.reset)


def _hash(work: Work, token: str) -> str:
    return work.parts.vault.link_hash("status subscription", token)


def _unsubscribe_token(work: Work, subscription_id: str) -> str:
    return f"{subscription_id}.{work.parts.vault.link_hash('status unsubscribe', subscription_id)}"


def _store(work: Work) -> Any:
    return work.as_system("subscriptions to incidents").store.status_subscriptions
