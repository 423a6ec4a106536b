"""A second factor that is lost: whoever runs the installation takes it away, and everybody concerned is told."""

from __future__ import annotations

from typing import Any

from pulse_dash.core import operators
from pulse_dash.core.access import open_because
from pulse_dash.core.errors import Conflict, NotFound
from pulse_dash.core.mail import Mail
from pulse_dash.core.mails import post
from pulse_dash.core.names import hello, in_a_mail
from pulse_dash.core.second_factor import FactorIsOff, tell
from pulse_dash.core.work import Work
from pulse_dash.store.organizations import Organization
from pulse_dash.store.users import FACTOR, FACTOR_PENDING, User


class OwnFactor(Conflict):
    """Nobody takes away their own: that is done with a code."""

    code = "own_second_factor"

    def __init__(self) -> None:
        super().__init__("Your own second factor is turned off with a code, or by another operator.")


@open_because("it asks for an operator")
async def may_reset(work: Work) -> None:
    """Raises Unauthenticated, OperatorOnly."""
    await operators.must_be(work, "second_factor.reset", resource_id="", name="")


@open_because("it asks for an operator")
async def reset_for(work: Work, email: str) -> tuple[User, int]:
    """What `reset` does, by an operator who is signed in. Answers the account, and how many people were told.

    Raises Unauthenticated, OperatorOnly, NotFound, OwnFactor, FactorIsOff, Moved."""
    await may_reset(work)
    user, told = await _take_away(work, email)
    return user, len(told)


@open_because("whoever can run commands on the machine runs the installation")
async def reset(work: Work, email: str) -> tuple[User, list[str]]:
    """Take the second factor of an account away, for who lost app and recovery codes. Every sign-in of theirs ends, and
    they and all owners of their organizations are told. Answers the addresses of those who were told.

    Raises NotFound, FactorIsOff, Moved."""
    return await _take_away(work.as_system("operators, on the machine"), email)


async def _take_away(acting: Work, email: str) -> tuple[User, list[str]]:
    system = acting.as_system("take a second factor away")
    user = await system.store.users.by_email(email.strip().lower())
    if user is None:
        raise NotFound(f"There is no account with the address {email}.")
    if getattr(acting.actor, "id", None) == user.id:
        raise OwnFactor
    if user.factor is None:
        raise FactorIsOff(f"{user.email} has no second factor.")
    organizations = await system.store.organizations.of_member(user.id)
    first, *others = [each.id for each in organizations] or [None]
    await system.store.users.change(
        user.id,
        {"epoch": user.epoch + 1},
        _entry(acting, user, first),
        unset=(*FACTOR, *FACTOR_PENDING, "spared_session_id"),
        expect={"version": user.version},
        also=[_entry(acting, user, org_id) for org_id in others],
    )
    await tell(
        system,
        user,
        "Your second factor was reset",
        "Whoever runs this installation took your second factor away, and you are signed out everywhere. Sign in with "
        "your password and set it up again. If you did not ask for it",
    )
    return user, [user.email, *await _tell_owners(system, user, organizations)]


def _entry(acting: Work, user: User, org_id: str | None) -> dict[str, Any]:
    return acting.entry("second_factor.reset", org_id=org_id, resource="user", resource_id=user.id, name=user.name)


async def _tell_owners(system: Work, user: User, organizations: list[Organization]) -> list[str]:
    """One mail an owner, whatever they share with the person."""
    theirs: dict[str, list[str]] = {}
    for organization in organizations:
        for member in organization.members:
            if member.role == "owner" and member.user_id != user.id:
                theirs.setdefault(member.user_id, []).append(in_a_mail(organization.name))
    owners = await system.store.users.list({"_id": {"$in": sorted(theirs)}}, sort=[("_id", 1)])
    who = in_a_mail(user.name)
    for owner in owners:
        text = (
            f"{hello(owner.name)}whoever runs {system.parts.policy.public_url} took away the second factor of "
            f"{who} ({user.email}), who belongs to {', '.join(theirs[owner.id])}. Until they set it up again, "
            "their password alone signs them in. If you did not expect this, ask them, and whoever runs Pulse.\n"
        )
        await post(system, Mail(owner.email, f"The second factor of {who} was reset", text))
    return [owner.email for owner in owners]
