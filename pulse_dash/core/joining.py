"""Joining an organization by the link of an invitation, which invitations made.

An invitation never signs anybody in, never sets the password of an account that is there, and works once.
"""

from __future__ import annotations

from typing import Final

from pulse_dash.core import accounts, sessions
from pulse_dash.core.access import UserActor, open_because
from pulse_dash.core.accounts import SignedIn, SignupClosed
from pulse_dash.core.errors import Forbidden, Invalid, NotFound, Unauthenticated
from pulse_dash.core.invitations import Invitation, InvitationSpent, Unverified
from pulse_dash.core.names import name_errors
from pulse_dash.core.passwords import password_errors
from pulse_dash.core.vault import same
from pulse_dash.core.work import Work
from pulse_dash.store.engine import DuplicateKey
from pulse_dash.store.organizations import Organization
from pulse_dash.store.records import Moved

_TRIES: Final = 20


class SignInToAccept(Unauthenticated):
    """The address has an account; only whoever is signed in as it accepts."""

    code = "sign_in_to_accept"

    def __init__(self) -> None:
        super().__init__("This address has an account. Sign in with it, then open the invitation again.")


class OtherAddress(Forbidden):
    """Signed in as somebody else than was invited."""

    code = "other_address"

    def __init__(self) -> None:
        super().__init__("invitation")
        self.detail = "This invitation is for another address than the one you are signed in with. Nothing was changed."


@open_because("the link itself is the proof, and it signs in to no account that is there")
async def look(work: Work, token: str) -> tuple[Invitation, Organization]:
    """What the link invites to. Raises InvitationSpent, which is told first whoever asks."""
    system = work.as_system("an invitation's link")
    invitation_id, _, _ = token.partition(".")
    try:
        invitation = await system.store.invitations.get(invitation_id)
        organization = await system.store.organizations.get(invitation.org_id)
    except NotFound:
        raise InvitationSpent from None
    if not same(work.parts.vault.link_hash("invitation", token), invitation.token_hash):
        raise InvitationSpent
    if invitation.status(work.clock.now()) != "pending":
        raise InvitationSpent
    if any(member.invitation_id == invitation.id for member in organization.members):
        raise InvitationSpent
    return invitation, organization


@open_because("the link itself is the proof, and it signs in to no account that is there")
async def accept(
    work: Work, token: str, *, name: str | None = None, password: str | None = None, kind: str = sessions.API
) -> SignedIn:
    """Join: as the caller where somebody is signed in, else with a new account.

    Raises InvitationSpent, OtherAddress, Unverified, SignInToAccept, SignupClosed, Invalid."""
    invitation, _ = await look(work, token)
    if isinstance(work.actor, UserActor):
        if work.actor.email != invitation.email:
            raise OtherAddress
        if not work.actor.verified:
            raise Unverified
        # Accepting answers a fresh sign-in, which a token must not get.
        await sessions.in_person(work)
        await _join(work, token, work.actor)
        me = await work.as_system("the caller's own account").store.users.get(work.actor.id)
        return await accounts.signed_in(work, me, kind)
    if await has_account(work, invitation):
        raise SignInToAccept
    if work.parts.policy.signup == "closed":
        raise SignupClosed
    if errors := name_errors(name=name or "") + password_errors(password or ""):
        raise Invalid(*errors)
    password_hash = await work.parts.passwords.hash(password or "")
    # Hashing takes a while, in which the invitation may be taken back.
    await look(work, token)
    try:
        user = await accounts.add_invited(work, invitation.email, name or "", password_hash, invitation.org_id)
    except DuplicateKey as taken:
        raise SignInToAccept from taken
    await _join(work, token, UserActor(user.id, user.name, user.email, ""))
    return await accounts.signed_in(work, user, kind)


@open_because("told only to whoever holds the link, as accepting would tell them")
async def has_account(work: Work, invitation: Invitation) -> bool:
    """Whether the address that was invited has an account."""
    return await work.as_system("an invitation").store.users.by_email(invitation.email) is not None


async def _join(work: Work, token: str, person: UserActor) -> None:
    """The organization's own document decides, so of one invitation that is used twice at once one use counts."""
    system = work.as_system("join by an invitation")
    for _ in range(_TRIES):
        invitation, organization = await look(work, token)
        if organization.role_of(person.id) is not None:
            break
        joined = {
            "user_id": person.id,
            "role": invitation.role,
            "joined_at": work.clock.now(),
            "invitation_id": invitation.id,
        }
        members = [*(member.document() for member in organization.members), joined]
        entry = work.entry(
            "member.joined",
            org_id=organization.id,
            resource="user",
            resource_id=person.id,
            name=person.name,
            changes={"role": {"before": None, "after": invitation.role}},
            by=person,
        )
        try:
            await system.store.organizations.change(
                organization.id, {"members": members}, entry, expect={"version": organization.version}
            )
        except Moved:
            continue
        break
    else:
        raise Moved
    entry = work.entry(
        "invitation.accepted",
        org_id=invitation.org_id,
        resource="invitation",
        resource_id=invitation.id,
        name=person.email,
        by=person,
    )
    try:
        await system.store.invitations.change(
            invitation.id, {"accepted_at": work.clock.now()}, entry, unset=("open",), expect={"accepted_at": None}
        )
    except Moved:
        raise InvitationSpent from None
