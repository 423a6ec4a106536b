"""Erasing a person: their account, sign-ins and memberships end, and what is kept of them are ids alone.

The account's own document decides it in one write; a job does the rest again until nothing more can come of requests
that were under way, so a crash in between leaves nothing standing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import structlog

from pulse_dash.core import audit_people, invitations, second_factor, sessions, status_subscriptions
from pulse_dash.core.access import Permission, open_because, requires
from pulse_dash.core.errors import FieldError, Invalid, NotFound
from pulse_dash.core.mail import Mail
from pulse_dash.core.mails import post
from pulse_dash.core.members import LastOwner, has_owner
from pulse_dash.core.names import on_one_line
from pulse_dash.core.work import Work
from pulse_dash.store.organizations import Member, Organization, Organizations
from pulse_dash.store.records import Moved
from pulse_dash.store.users import GONE_WITH_THE_PERSON, User

log = structlog.get_logger(__name__)

NAME: Final = "Somebody who was erased"
# So long after it, an entry of a request that was under way may still give the person a key in the audit log.
_LATE: Final = timedelta(hours=1)
_AGAIN: Final = timedelta(minutes=5)
_TRIES: Final = 20
_TOLD: Final = (
    "Hello,\n\nyour account at {place} was erased: nobody can sign in with this address any more, and what the audit "
    "log holds of you can't be read by anybody. Nothing brings it back. If it was not you, tell whoever runs this "
    "Pulse.\n"
)


@requires(Permission.VIEW)
async def erase_me(work: Work, *, password: str, code: str = "") -> None:
    """Erase the caller, who says their password again, and a code where they have a second factor. Nothing brings the
    account back; the address is free for another one.

    Raises Invalid, NotByToken, LastOwner, Moved; RateLimited after ten wrong ones, as signing in does."""
    user = await sessions.with_password(work, password, field="password")
    _refuse_last(await _last_in(work, user))
    if user.factor is not None:
        if not code or not await second_factor.counts(work, user, user.factor, code):
            raise Invalid(FieldError("code", "Is not right, or was used already."))
        # A recovery code that counted has changed the account.
        user = await work.as_system("the caller's own account").store.users.get(user.id)
    await _erase(work, user)


@open_because("whoever can run commands on the machine runs the installation")
async def erase(work: Work, email: str) -> User:
    """Erase the person of an account that signs in with this address. Raises NotFound, LastOwner, Moved."""
    system = work.as_system("operators, on the machine")
    user = await system.store.users.by_email(email.strip().lower())
    if user is None:
        raise NotFound(f"There is no account with the address {email}.")
    _refuse_last(await _last_in(system, user))
    await _erase(system, user)
    return user


@open_because("a job of Pulse's own, which no caller reaches")
async def finish(work: Work) -> int:
    """Do again what follows from an erasure, for an hour after it; answers for how many people."""
    users, now = work.store.users, work.clock.now()
    due = await users.erasing(now)
    for user in due:
        await _end_all(work, user)
        later = user.erased_at is not None and now < user.erased_at + _LATE
        await users.erase_again(user.id, now + _AGAIN if later else None)
    return len(due)


async def _last_in(work: Work, user: User) -> list[Organization]:
    system = work.as_system("whom an organization can't lose")
    theirs = await system.store.organizations.of_member(user.id)
    return [each for each in theirs if not await has_owner(system, _without(each, user))]


def _without(organization: Organization, user: User) -> list[Member]:
    return [each for each in organization.members if each.user_id != user.id]


def _refuse_last(organizations: list[Organization]) -> None:
    if organizations:
        names = ", ".join(on_one_line(each.name) for each in organizations)
        raise LastOwner(f"The last owner of {names}: make somebody else an owner there, or delete it, first.")


async def _erase(work: Work, user: User) -> None:
    """Memberships first, each kept by its own rule: who is stopped there still has an account and tries again."""
    system = work.as_system("erase a person")
    await _leave_deleted(work, user)
    for organization in await system.store.organizations.of_member(user.id):
        await _leave(work, user, organization.id, system.store.organizations)
    await _forget_address(system, user)
    now = work.clock.now()
    values: dict[str, Any] = {
        "email": "",
        "name": NAME,
        "password_hash": None,
        "operator": False,
        "epoch": user.epoch + 1,
        "tokens_epoch": user.tokens_epoch + 1,
        "erased_at": now,
        "erase_due_at": now + _AGAIN,
    }
    entry = work.entry("user.erased", org_id=None, resource="user", resource_id=user.id, name=user.name)
    erased = await system.store.users.change(
        user.id, values, entry, unset=GONE_WITH_THE_PERSON, expect={"epoch": user.epoch}
    )
    await _end_all(system, erased)
    await post(system, Mail(user.email, "Your account was erased", _TOLD.format(place=work.parts.policy.public_url)))


async def _forget_address(system: Work, user: User) -> None:
    """Nothing that Pulse was to send there is kept. One that was never proved may be somebody else's, so it stays."""
    if user.verified_at is not None:
        await status_subscriptions.forget_address(system, user.email)
        await invitations.forget_address(system, user.email)
        await system.store.mails.forget_to(user.email)


async def _end_all(system: Work, user: User) -> None:
    """What follows: no sign-in, token or membership is left, and nobody reads what the audit log holds of them."""
    await _leave_deleted(system, user)
    for organization in await system.store.organizations.of_member(user.id):
        try:
            await _leave(system, user, organization.id, system.store.organizations)
        except LastOwner:
            # Made the last owner in the very moment: the others there, and the log, tell people of it.
            log.exception("erasure.last_owner", organization=organization.id, user=user.id)
    await system.store.sessions.forget_of(user.id)
    await system.store.personal_tokens.forget_of(user.id)
    # Entries that are on their way would make another key.
    await system.parts.store.logged()
    await audit_people.erase(system, user.id)


async def _leave_deleted(work: Work, user: User) -> None:
    """Before the living ones: one that is restored meanwhile is among those then. Whom nobody owns, nobody restores."""
    deleted = work.as_system("erase a person").store.deleted_organizations
    for organization in await deleted.of_member(user.id):
        await _leave(work, user, organization.id, deleted)


async def _leave(work: Work, user: User, org_id: str, among: Organizations) -> None:
    """Take them out of one that is `among` the living or among the deleted; one that is there no more is left."""
    system = work.as_system("erase a person")
    for _ in range(_TRIES):
        try:
            organization = await among.get(org_id)
        except NotFound:
            return
        member = next((each for each in organization.members if each.user_id == user.id), None)
        if member is None:
            return
        if organization.deleted_at is None and not await has_owner(system, _without(organization, user)):
            _refuse_last([organization])
        kept = [each.document() for each in _without(organization, user)]
        entry = work.entry("member.left", org_id=org_id, resource="user", resource_id=user.id, name=user.name)
        try:
            await among.change(org_id, {"members": kept}, entry, expect={"version": organization.version})
        except (Moved, NotFound):
            continue
        if member.invitation_id is not None:
            # It holds the address that they were invited by, and so does the log under a key of its own.
            await system.store.invitations.forget_one(member.invitation_id)
            await system.parts.store.logged()
            await audit_people.erase(system, member.invitation_id)
        return
    raise Moved
