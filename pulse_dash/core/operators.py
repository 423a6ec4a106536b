"""Operators: who runs this installation. Made on the machine itself; the first account is one from the beginning."""

from __future__ import annotations

from pulse_dash.core import homes
from pulse_dash.core.access import Actor, Anonymous, UserActor, open_because
from pulse_dash.core.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, Unauthenticated
from pulse_dash.core.work import Work
from pulse_dash.store.users import User


class OperatorOnly(Forbidden):
    """Only whoever runs this installation may do it."""

    code = "operator_only"

    def __init__(self, detail: str = "Only an operator of this installation may do this.") -> None:
        super().__init__("operator")
        self.detail = detail


def is_one(actor: Actor) -> bool:
    """Whether this is somebody who runs the installation, signed in as themselves."""
    return isinstance(actor, UserActor) and actor.operator


@open_because("it is what asks whether the caller is an operator")
async def must_be(work: Work, action: str, *, resource_id: str, name: str) -> None:
    """Let operators pass, and keep who else asked. Raises Unauthenticated, OperatorOnly."""
    actor = work.actor
    if isinstance(actor, Anonymous):
        raise Unauthenticated
    if is_one(actor):
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
async def appoint(work: Work, email: str, *, vouched: bool = False) -> User:
    """Make the account of this address an operator; `vouched` says that the address is known to be theirs.

    Raises NotFound, Invalid; Conflict for one that nobody has proved."""
    return await _set(work, email, operator=True, vouched=vouched)


@open_because("whoever can run commands on the machine runs the installation")
async def dismiss(work: Work, email: str) -> User:
    """Make the account of this address an operator no longer. Raises NotFound."""
    return await _set(work, email, operator=False)


@open_because("whoever can run commands on the machine runs the installation")
async def listing(work: Work) -> list[User]:
    """All operators, oldest account first."""
    return await work.as_system("list operators").store.users.operators()


async def _set(work: Work, email: str, *, operator: bool, vouched: bool = False) -> User:
    system = work.as_system("operators, on the machine")
    if not email.strip():
        raise Invalid(FieldError("address", "Say whose account: its address."))
    user = await system.store.users.by_email(email.strip().lower())
    if user is None:
        raise NotFound(f"There is no account with the address {email}. Sign up first, then run this again.")
    if user.operator is operator and (user.verified_at is not None or not operator):
        return user
    proves = operator and user.verified_at is None
    if proves and not vouched:
        # Anybody can sign up with any address.
        raise Conflict(
            f"Nobody has proved {user.email} yet. Let them open the link that was mailed to it, or, if you know that "
            "the account is theirs, add --vouch."
        )
    home = await homes.of(system, user)
    action, values = ("operator.added" if operator else "operator.removed"), {"operator": operator}
    told = [
        system.entry(each, org_id=home, resource="user", resource_id=user.id, name=user.name)
        for each in (action, *(["user.verified"] if proves else []))
    ]
    proved = {"verified_at": work.clock.now()} if proves else {}
    return await system.store.users.change(user.id, {**values, **proved}, told[0], also=told[1:])
