"""Links that are mailed: one proves an address, one moves an account to another, one sets a new password.

Each works once, for a while, in one account. Its hash stands in the account itself, so spending it and what it does are
one write; a newer link of the same kind takes the older one's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from pulse_dash.core import homes, sessions
from pulse_dash.core.access import Permission, UserActor, open_because, requires
from pulse_dash.core.errors import FieldError, Gone, Invalid, NotFound, RateLimited, Unavailable
from pulse_dash.core.mail import Mail
from pulse_dash.core.mail_addresses import plain_address
from pulse_dash.core.mails import post
from pulse_dash.core.names import hello
from pulse_dash.core.networks import network_of
from pulse_dash.core.passwords import password_errors
from pulse_dash.core.vault import random_secret, same
from pulse_dash.core.work import Work
from pulse_dash.store.engine import DuplicateKey
from pulse_dash.store.records import Moved
from pulse_dash.store.users import User

VERIFY_LIFE: Final = timedelta(days=2)
RESET_LIFE: Final = timedelta(hours=1)
# Strangers name addresses too: in so long a time so many mails of one kind go to one.
PAUSE: Final = timedelta(minutes=10)
_MOST_MAILS: Final = 3
_MOST_MAILS_OF_ALL: Final = 20


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a link is for; its name stands in the fields of the account, in the token and in the page's address."""

    name: str
    life: timedelta
    page: str
    subject: str
    words: str


_VERIFY = _Kind(
    "verify",
    VERIFY_LIFE,
    "/verify",
    "Confirm your address for Pulse",
    "{hello}open this link to confirm that this address is yours:\n\n{link}\n\n"
    "It works once, for two days. If you did not make an account at {place}, ignore this mail: nothing happens then.\n",
)
_RESET = _Kind(
    "reset",
    RESET_LIFE,
    "/reset",
    "Choose a new password for Pulse",
    "{hello}open this link to choose a new password:\n\n{link}\n\n"
    "It works once, for an hour, and signs you out everywhere. If you did not ask for it, ignore this mail: "
    "your password stays as it is.\n",
)
_MOVE = _Kind(
    "address",
    VERIFY_LIFE,
    "/verify",
    "Confirm your new address for Pulse",
    "{hello}open this link to sign in with this address from now on:\n\n{link}\n\n"
    "It works once, for two days. If you did not ask for it at {place}, ignore this mail: nothing happens then.\n",
)


class LinkSpent(Gone):
    """The link was used, ran out, was replaced by a newer one, or was never ours: told alike."""

    code = "link_spent"

    def __init__(self) -> None:
        super().__init__("This link was used already, is too old, or a newer one was sent. Ask for another.")


@open_because("sign-up and the account itself ask for it; it goes to the account's own address")
async def ask_to_verify(work: Work, user: User) -> None:
    """Mail a link that proves the address. Raises Unavailable when it can't be kept."""
    await _mail(work, user, _VERIFY)


@requires(Permission.VIEW)
async def send_again(work: Work) -> None:
    """Mail the caller another link, unless the address is proved.

    Raises NotByToken; Unauthenticated for a project's key."""
    me = await sessions.in_person(work)
    user = await work.as_system("the caller's own account").store.users.get(me.id)
    if user.verified_at is None:
        await _mail(work, user, _VERIFY)


@open_because("whoever forgot the password cannot sign in; the answer is the same for every address")
async def forgot(work: Work, email: str) -> None:
    """Mail a link for a new password to the account of this address, if there is one.

    One that was mailed lately stays the one: else strangers who ask for others would make it worthless."""
    system = work.as_system("a forgotten password")
    user = await system.store.users.by_email(email)
    if user is None:
        return
    hashed, until = await system.store.users.expected_link(user.id, _RESET.name)
    if hashed is None or until is None or until - RESET_LIFE + PAUSE <= work.clock.now():
        await _mail(work, user, _RESET)


@open_because("a mail to the owner of an address that somebody signed up with")
async def tell_owner(work: Work, user: User) -> None:
    """Say that somebody wanted an account under an address that has one; however often they want it, seldom."""
    if not work.parts.rates.hit("told", user.id, 1, seconds=int(PAUSE.total_seconds())).allowed:
        return
    text = (
        f"{hello(user.name)}somebody just signed up at {work.parts.policy.public_url} with this address, which has "
        f"an account already. If it was you: sign in at {work.parts.policy.public_url}/login, or choose a new password "
        f"at {work.parts.policy.public_url}/forgot. If not, nothing changed and there is nothing to do.\n"
    )
    await post(work, Mail(user.email, "You have an account at Pulse already", text))


@requires(Permission.VIEW)
async def move(work: Work, *, password: str, email: str) -> None:
    """Ask to sign in with another address: a link goes there, and until it is opened nothing changes. The present
    address is told; once a minute. It is answered the same for an address that has an account.

    Raises Invalid, NotByToken, RateLimited; Unavailable where no mail is sent."""
    user = await sessions.with_password(work, password, field="password")
    to = plain_address(email)
    if to == user.email:
        raise Invalid(FieldError("email", "Is your address already."))
    if work.parts.policy.proves_addresses and not work.parts.post.delivers:
        raise Unavailable("mail", "No mail server is configured, so another address can't be proved.")
    allowance = work.parts.rates.hit("move", user.id, 1)
    if not allowance.allowed:
        raise RateLimited(allowance.reset)
    holder = await work.as_system("another address").store.users.by_email(to)
    if holder is not None and holder.verified_at is not None:
        await tell_owner(work, holder)
    else:
        await _mail(work, user, _MOVE, to)
    place = work.parts.policy.public_url
    text = (
        f"{hello(user.name)}somebody who is signed in to your account at {place} asked to move it to {to}. It "
        "moves once the link that was mailed there is opened. If it was not you, choose a new password at once: "
        f"{place}/forgot\n"
    )
    await post(work, Mail(user.email, "Your account is about to move to another address", text))


@open_because("the link itself is the proof")
async def verify(work: Work, token: str) -> User:
    """Prove the address that the link was mailed to. Whoever had the address without proving it loses it, and is out.

    Raises LinkSpent."""
    system = work.as_system("prove an address")
    try:
        user, expect = await _opened(system, token, _VERIFY)
    except LinkSpent:
        return await _moved(work, token)
    await _make_room(system, user, user.email)
    now = work.clock.now()
    values: dict[str, Any] = {"verified_at": now, "login": user.email}
    return await _spend(work, user, _VERIFY, values, "user.verified", expect)


async def _moved(work: Work, token: str) -> User:
    """The account signs in with the address that the link was mailed to; links to the one before open nothing."""
    system = work.as_system("move to another address")
    user, expect = await _opened(system, token, _MOVE)
    if user.moving_to is None:
        raise LinkSpent
    await _make_room(system, user, user.moving_to)
    values: dict[str, Any] = {"email": user.moving_to, "login": user.moving_to, "verified_at": work.clock.now()}
    expect["address_to"] = user.moving_to
    dead = ("address_to", "reset_hash", "reset_until", "verify_hash", "verify_until")
    moved = await _spend(work, user, _MOVE, values, "user.address_changed", expect, also=dead)
    text = (
        f"{hello(user.name)}your account at {work.parts.policy.public_url} signs in with {moved.email} from now "
        "on, and with this address no more. If it was not you, tell whoever runs this Pulse.\n"
    )
    await post(work, Mail(user.email, "Your account moved to another address", text))
    return moved


async def _make_room(system: Work, user: User, email: str) -> None:
    """Who holds the address without having proved it goes; who has proved it stays. Raises LinkSpent."""
    holder = await system.store.users.by_email(email)
    if holder is not None and holder.id != user.id:
        if holder.verified_at is not None:
            raise LinkSpent
        await _put_out(system, holder)


@open_because("the link itself is the proof")
async def reset(work: Work, token: str, password: str) -> None:
    """Set a new password, and sign the person out everywhere. The mail has proved the address too.

    Raises LinkSpent, Invalid."""
    if errors := password_errors(password):
        raise Invalid(*errors)
    system = work.as_system("set a new password")
    user, expect = await _opened(system, token, _RESET)
    values = {
        "password_hash": await work.parts.passwords.hash(password),
        "verified_at": user.verified_at or work.clock.now(),
        "epoch": user.epoch + 1,
        "tokens_epoch": user.tokens_epoch + 1,
    }
    await _spend(work, user, _RESET, values, "user.password_reset", expect, also=("spared_session_id",))


async def _mail(work: Work, user: User, kind: _Kind, to: str | None = None) -> None:
    """Mail a link. Whoever asks again and again fills nobody's mailbox: the links that were mailed still work then."""
    if not _may_mail(work, kind, to or user.email):
        return
    secret = random_secret()
    token = f"{user.id}.{secret}"
    hashed, until = work.parts.vault.link_hash(kind.name, token), work.clock.now() + kind.life
    await work.as_system("a link").store.users.expect_link(user.id, kind.name, hashed, until, to)
    place = work.parts.policy.public_url
    link = f"{place}{kind.page}?token={token}"
    words = kind.words.format(hello=hello(user.name), link=link, place=place)
    await post(work, Mail(to or user.email, kind.subject, words))


def _may_mail(work: Work, kind: _Kind, to: str) -> bool:
    """Few for one who asks and some more for all together, so that nobody's asking keeps another's mail away."""
    limits = ((f"{to} {network_of(work.call.ip)}", _MOST_MAILS), (to, _MOST_MAILS_OF_ALL))
    seconds = int(PAUSE.total_seconds())
    return all(work.parts.rates.hit(f"mail-{kind.name}", key, most, seconds=seconds).allowed for key, most in limits)


async def _opened(system: Work, token: str, kind: _Kind) -> tuple[User, dict[str, Any]]:
    """The account of the link, and what must still hold when it is spent."""
    user_id, _, _ = token.partition(".")
    try:
        user = await system.store.users.get(user_id)
    except NotFound:
        raise LinkSpent from None
    hashed, until = await system.store.users.expected_link(user_id, kind.name)
    if hashed is None or until is None or until <= system.clock.now():
        raise LinkSpent
    if not same(system.parts.vault.link_hash(kind.name, token), hashed):
        raise LinkSpent
    return user, {f"{kind.name}_hash": hashed}


async def _spend(
    work: Work,
    user: User,
    kind: _Kind,
    values: dict[str, Any],
    action: str,
    expect: dict[str, Any],
    also: tuple[str, ...] = (),
) -> User:
    person = UserActor(user.id, user.name, user.email, "")
    home = await homes.of(work, user)
    entry = work.entry(action, org_id=home, resource="user", resource_id=user.id, name=user.name, by=person)
    spent = (f"{kind.name}_hash", f"{kind.name}_until", *also)
    try:
        return await work.as_system("spend a link").store.users.change(
            user.id, values, entry, unset=spent, expect=expect
        )
    except (Moved, DuplicateKey):
        raise LinkSpent from None


async def _put_out(system: Work, holder: User) -> None:
    """The account that had the address without proving it: it can't sign in any more, and its sign-ins end."""
    entry = system.entry(
        "user.replaced",
        org_id=await homes.of(system, holder),
        resource="user",
        resource_id=holder.id,
        name=holder.name,
    )
    await system.store.users.change(
        holder.id,
        {
            "epoch": holder.epoch + 1,
            "tokens_epoch": holder.tokens_epoch + 1,
            "replaced_at": system.clock.now(),
        },
        entry,
        unset=("login", "spared_session_id"),
    )
