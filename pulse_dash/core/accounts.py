"""Accounts: making one, proving that it is yours, and what you belong to. Sign-ins themselves are told by sessions."""

from __future__ import annotations

from dataclasses import dataclass

from pulse_dash.core import challenges, homes, links, refused_sign_ins, sessions
from pulse_dash.core.access import Permission, Role, UserActor, open_because, requires
from pulse_dash.core.errors import Conflict, FieldError, Forbidden, Invalid, Unauthenticated
from pulse_dash.core.mail_addresses import kept_as
from pulse_dash.core.names import name_errors
from pulse_dash.core.networks import network_of
from pulse_dash.core.passwords import password_errors
from pulse_dash.core.sessions import Started
from pulse_dash.core.work import Work
from pulse_dash.store.engine import Document, DuplicateKey
from pulse_dash.store.organizations import Organization
from pulse_dash.store.records import Making
from pulse_dash.store.users import User as User  # noqa: PLC0414 - core hands it on to api and state


class EmailTaken(Conflict):
    """The address has an account already."""

    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("This address has an account already. Sign in instead.")


class SignupClosed(Forbidden):
    """This installation takes no new accounts this way."""

    code = "signup_closed"

    def __init__(self) -> None:
        super().__init__("signup")
        self.detail = "This installation takes new people by invitation only."


@dataclass(frozen=True, slots=True)
class Membership:
    """An organization and the person's role in it; held back while it asks for a second factor that they lack."""

    organization: Organization
    role: Role
    held_back: bool = False


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person, where they worked last, and everything they belong to; `started` when they just signed in."""

    user: User
    organization: Organization | None
    memberships: tuple[Membership, ...]
    started: Started | None = None


@open_because("anybody may ask for an account; the sign-up policy decides")
async def sign_up(
    work: Work, *, email: str, password: str, name: str, organization_name: str, kind: str = sessions.API
) -> SignedIn:
    """Make an account with its first organization and sign it in.

    Where mails are sent the address is proved by a link, and one that has an account already is answered the same:
    the new account can't sign in with it until it is proved, and its owner is told. Raises Invalid, SignupClosed;
    EmailTaken where no mail is sent."""
    address = _checked(email, password, name, organization_name)
    system = work.as_system("sign-up")
    founder = await _admitted_as_founder(system)
    holder = await system.store.users.by_email(address)
    if holder is not None and not work.parts.post.delivers:
        raise EmailTaken
    made = _Made(address, name.strip(), organization_name.strip(), await work.parts.passwords.hash(password))
    try:
        user = await _add(work, made, holds_address=holder is None, founder=founder)
    except DuplicateKey as taken:
        if taken.index == "founder" and work.parts.policy.signup == "first":
            raise SignupClosed from taken
        if taken.index == "login" and not work.parts.post.delivers:
            raise EmailTaken from taken
        user = await _add(work, made, holds_address=False if taken.index == "login" else holder is None, founder=False)
    if holder is not None and holder.verified_at is not None:
        await links.tell_owner(work, holder)
    elif user.verified_at is None:
        await links.ask_to_verify(work, user)
    return await _signed_in(work, user, await sessions.start(work, user, kind))


@open_because("anybody may try to sign in")
async def log_in(work: Work, *, email: str, password: str, kind: str = sessions.API) -> SignedIn:
    """Sign in with address and password. Raises Unauthenticated, the same and as slowly for an unknown address;
    SecondFactorRequired where a code has to follow; RateLimited after ten wrong ones, for a while that grows to a
    minute."""
    address = kept_as(email) or ""
    slowdown, account, here = work.parts.slowdown, f"account:{address}", f"from:{network_of(work.call.ip)}"
    slowdown.check(here)
    user = await work.as_system("log-in").store.users.by_email(address)
    if slowdown.waits(account) and not await sessions.signed_in_from(work, user):
        slowdown.check(account)
    known_hash = None if user is None else user.password_hash
    if not await work.parts.passwords.check(password, known_hash) or user is None:
        slowdown.wrong(account, here)
        if user is not None:
            refused_sign_ins.note(work, user)
        raise Unauthenticated("The address or the password is not right.")
    slowdown.right(account)
    if user.factor is not None:
        raise challenges.required(work, user, kind)
    return await _signed_in(work, user, await sessions.start(work, user, kind))


@open_because("the challenge says that the password was right, and the code is the rest of the proof")
async def log_in_with_code(work: Work, *, challenge: str, code: str, kind: str = sessions.API) -> SignedIn:
    """The second half of signing in. Raises ChallengeOver, WrongCode, RateLimited."""
    user = await challenges.proved(work, challenge, code, kind)
    return await _signed_in(work, user, await sessions.start(work, user, kind))


@open_because("invitations calls it once a link was right")
async def add_invited(work: Work, email: str, name: str, password_hash: str, org_id: str) -> User:
    """An account without an organization of its own, for an address that was invited. Raises DuplicateKey.

    A link that was mailed proves the address; one that was handed over proves nothing."""
    system = work.as_system("an invited account")
    user_id = system.new_id("usr")
    person = UserActor(user_id, name, email, "")
    proved = work.parts.post.delivers or not work.parts.policy.proves_addresses
    document = {
        "_id": user_id,
        "email": email,
        "login": email,
        "name": name.strip(),
        "password_hash": password_hash,
        "verified_at": work.clock.now() if proved else None,
        "operator": False,
        "epoch": 0,
        "last_organization_id": org_id,
    }
    entry = system.entry("user.created", org_id=org_id, resource="user", resource_id=user_id, name=name, by=person)
    return await system.store.users.add(document, entry)


@open_because("invitations calls it once an account was made")
async def signed_in(work: Work, user: User, kind: str) -> SignedIn:
    """The account, signed in."""
    return await _signed_in(work, user, await sessions.start(work, user, kind))


@dataclass(frozen=True, slots=True)
class _Made:
    """What an account is made of, checked."""

    email: str
    name: str
    organization_name: str
    password_hash: str


async def _add(work: Work, made: _Made, *, holds_address: bool, founder: bool) -> User:
    """The account, promising its organization. Raises DuplicateKey."""
    system = work.as_system("sign-up")
    user_id, org_id = system.new_id("usr"), system.new_id("org")
    person = UserActor(user_id, made.name, made.email, "")
    # Its own entry stands in the log before that of the organization.
    entry = system.entry("user.created", org_id=org_id, resource="user", resource_id=user_id, name=made.name, by=person)
    organization = system.store.organizations.draft(
        _organization_document(work, org_id, made.organization_name, user_id),
        system.entry(
            "organization.created",
            org_id=org_id,
            resource="organization",
            resource_id=org_id,
            name=made.organization_name,
            by=person,
        ),
    )
    return await system.store.users.add(
        {
            "_id": user_id,
            "email": made.email,
            **({"login": made.email} if holds_address else {}),
            "name": made.name,
            "password_hash": made.password_hash,
            "verified_at": None if work.parts.policy.proves_addresses else work.clock.now(),
            "operator": founder,
            "epoch": 0,
            "last_organization_id": org_id,
            # Unique where it stands, so that of two first sign-ups at once one is refused.
            **({"founder": True} if founder else {}),
        },
        entry,
        makes=[Making("organizations", organization)],
    )


@requires(Permission.VIEW)
async def me(work: Work) -> SignedIn:
    """The caller and what they belong to. Raises Unauthenticated for a project's key: it is nobody."""
    user = await _caller(work)
    return await _signed_in(work, user, None)


@requires(Permission.VIEW)
async def use_organization(work: Work, org_id: str) -> Organization:
    """Work in another of one's organizations from now on. Raises NotFound."""
    user = await _caller(work)
    organization = await work.store.organizations.get(org_id)
    await work.as_system("remember the organization").store.users.remember_organization(user.id, org_id)
    return organization


@requires(Permission.VIEW)
async def rename(work: Work, name: str) -> User:
    """Give the caller another name. Raises Invalid, NotByToken."""
    me = await sessions.in_person(work)
    if errors := name_errors(name=name):
        raise Invalid(*errors)
    system = work.as_system("the caller's own account")
    user = await system.store.users.get(me.id)
    if user.name == name.strip():
        return user
    entry = await _of_account(work, "user.renamed", user, {"name": {"before": user.name, "after": name.strip()}})
    return await system.store.users.change(user.id, {"name": name.strip()}, entry)


@requires(Permission.VIEW)
async def change_password(work: Work, *, present: str, password: str) -> None:
    """Set another password, for who knows the present one; every other sign-in of theirs ends.

    Raises Invalid, NotByToken, Moved; RateLimited after ten wrong ones, as signing in does."""
    me = await sessions.in_person(work)
    system = work.as_system("the caller's own account")
    user = await sessions.with_password(work, present, field="present")
    if errors := password_errors(password):
        raise Invalid(*errors)
    values = {"password_hash": await work.parts.passwords.hash(password), **sessions.only_this(user, me)}
    # A link for a new password that was mailed before must not undo this one.
    spent = ("reset_hash", "reset_until")
    entry = await _of_account(work, "user.password_changed", user)
    await system.store.users.change(user.id, values, entry, unset=spent, expect={"epoch": user.epoch})


async def _of_account(work: Work, action: str, user: User, changes: Document | None = None) -> Document:
    return work.entry(
        action,
        org_id=await homes.of(work, user),
        resource="user",
        resource_id=user.id,
        name=user.name,
        changes=changes,
    )


async def _caller(work: Work) -> User:
    if not isinstance(work.actor, UserActor):
        raise Unauthenticated("A project's key is nobody. Sign in as a user.")
    return await work.as_system("the caller's own account").store.users.get(work.actor.id)


async def _signed_in(work: Work, user: User, started: Started | None) -> SignedIn:
    organizations = await work.as_system("the caller's own organizations").store.organizations.of_member(user.id)
    memberships = tuple(
        Membership(organization, Role(role), organization.requires_second_factor and user.factor is None)
        for organization in organizations
        if (role := organization.role_of(user.id))
    )
    return SignedIn(user, homes.among(user, organizations), memberships, started)


async def _admitted_as_founder(system: Work) -> bool:
    """Whether this account is the installation's first, which runs it. Raises SignupClosed."""
    policy = system.parts.policy.signup
    if policy not in ("open", "first"):
        raise SignupClosed
    first = not await system.store.users.count({})
    # Before the address is looked at: who could not have an account anyway learns of nobody who has.
    if policy == "first" and not first:
        raise SignupClosed
    return first


def _checked(email: str, password: str, name: str, organization_name: str) -> str:
    errors = name_errors(name=name, organization_name=organization_name) + password_errors(password)
    address = kept_as(email)
    if address is None:
        errors.append(FieldError("email", "Must be an email address."))
    if errors or address is None:
        raise Invalid(*errors)
    return address


def _organization_document(work: Work, org_id: str, name: str, owner_id: str) -> Document:
    return {
        "_id": org_id,
        "name": name,
        "plan": "free",
        "members": [{"user_id": owner_id, "role": Role.OWNER.value, "joined_at": work.clock.now()}],
        "created_by": owner_id,
        "deleted_at": None,
    }
