"""Operators: who runs this installation. Made on the machine itself; the first account is one from the beginning."""

from __future__ import annotations

from pulse_dash.core import homes
from pulse_dash.core.access import Anonymous, UserActor, open_because
from pulse_dash.core.errors import Forbidden, NotFound, Unauthenticated
from pulse_dash.core.work import Work
from pulse_dash.store.users import User


class OperatorOnly(Forbidden):
    """Only whoever runs this installation may do it."""

    code = "operator_only"

    def __init__(self, detail: str = "Only an operator of this installation may do this.") -> None:
        super().__init__("operator")
        self.detail = detail


@open_because("it is what asks whether the caller is an operator")
async def must_be(work: Work, action: str, *, resource_id: str, name: str) -> None:
    """Let operators pass, and keep who else asked. Raises Unauthenticated, OperatorOnly."""
    actor = work.actor
    if isinstance(actor, Anonymous):
        raise Unauthenticated
    if isinstance(actor, UserActor) and actor.operator:
        return
    if isinstance(actor, UserActor):
        noun, org_id = action.partition(".")[0], await home_of(work)
        entry = work.entry(action, org_id=org_id, resource=noun, resource_id=resource_id, name=name, status="failure")
        system = work.as_system("keep a refusal")
        await system.store.refusals.note(f"{actor.id}:operator:{action}", entry)
    raise OperatorOnly


@open_because("it says where an operator's own acts are kept")
async def home_of(work: Work) -> str | None:
    """The organization in whose log a user's acts on the installation stand."""
    if not isinstance(work.actor, UserActor):
        return None
    user = await work.as_system("where an act is kept").store.users.get(work.actor.id)
    return await homes.of(work, user)


@open_because("whoever can run commands on the machine runs the installation")
async def appoint(work: Work, email: str) -> User:
    """Make the account of this address an operator. Who stands at the machine vouches for the address too.

    Raises NotFound."""
    return await _set(work, email, operator=True)


@open_because("whoever can run commands on the machine runs the installation")
async def dismiss(work: Work, email: str) -> User:
    """Make the account of this address an operator no longer. Raises NotFound."""
    return await _set(work, email, operator=False)


@open_because("whoever can run commands on the machine runs the installation")
async def listing(work: Work) -> list[User]:
    """All operators, oldest account first."""
    return await work.as_system("list operators").store.users.operators()


async def _set(work: Work, email: str, *, operator: bool) -> User:
    system = work.as_system("operators, on the machine")
    user = await system.store.users.by_email(email.strip().lower())
    if user is None:
        raise NotFound(f"There is no account with the address {email}. Sign up first, then run this again.")
    if user.operator is operator and (user.verified_at is not None or not operator):
        return user
    action = "operator.added" if operator else "operator.removed"
    home = await homes.of(system, user)
    entry = system.entry(action, org_id=home, resource="user", resource_id=user.id, name=user.name)
    verified_at = user.verified_at or (work.clock.now() if operator else None)
    return await system.store.users.change(user.id, {"operator": operator, "verified_at": verified_at}, entry)
