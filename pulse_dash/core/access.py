"""Who is acting, what each role may do, and where. The one table of roles that API, dashboard and docs are made from.

It answers "over which organizations and projects does this actor hold that permission"; finding things is the store's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from pulse_dash.core.errors import Unauthenticated
from pulse_dash.store.projects import Project
from pulse_dash.store.scope import EVERYTHING, NOTHING, Scope

if TYPE_CHECKING:
    from pulse_dash.core.work import Work

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., object])


class Role(StrEnum):
    """What a member is in one organization, strongest first."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    VIEWER = "viewer"


class Permission(StrEnum):
    """One thing that may or may not be done; `view` is what makes something visible at all."""

    VIEW = "view"
    PEOPLE_VIEW = "people.view"
    PROJECTS_CREATE = "projects.create"
    PROJECTS_CHANGE = "projects.change"
    PROJECTS_DELETE = "projects.delete"
    KEYS_VIEW = "keys.view"
    KEYS_CREATE = "keys.create"
    KEYS_REGENERATE = "keys.regenerate"
    KEYS_REVOKE = "keys.revoke"
    TOKENS_CREATE = "tokens.create"
    TOKENS_VALIDATE = "tokens.validate"
    TOKENS_REVOKE = "tokens.revoke"
    ROOMS_CHANGE = "rooms.change"
    BANS_CHANGE = "bans.change"
    WEBHOOKS_CHANGE = "webhooks.change"
    MEMBERS_INVITE = "members.invite"
    MEMBERS_CHANGE = "members.change"
    MEMBERS_REMOVE = "members.remove"
    ORGANIZATION_CHANGE = "organization.change"
    ORGANIZATION_TRANSFER = "organization.transfer"
    ORGANIZATION_DELETE = "organization.delete"


_VIEWER = frozenset({Permission.VIEW, Permission.KEYS_VIEW})
_DEVELOPER = _VIEWER | {
    Permission.PEOPLE_VIEW,
    Permission.PROJECTS_CREATE,
    Permission.PROJECTS_CHANGE,
    Permission.KEYS_CREATE,
    Permission.KEYS_REGENERATE,
    Permission.KEYS_REVOKE,
    Permission.TOKENS_CREATE,
    Permission.TOKENS_VALIDATE,
    Permission.TOKENS_REVOKE,
    Permission.ROOMS_CHANGE,
    Permission.BANS_CHANGE,
}
_ADMIN = _DEVELOPER | {
    Permission.PROJECTS_DELETE,
    Permission.WEBHOOKS_CHANGE,
    Permission.MEMBERS_INVITE,
    Permission.MEMBERS_CHANGE,
    Permission.MEMBERS_REMOVE,
}
_OWNER = _ADMIN | {
    Permission.ORGANIZATION_CHANGE,
    Permission.ORGANIZATION_TRANSFER,
    Permission.ORGANIZATION_DELETE,
}

ROLES: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: _OWNER,
    Role.ADMIN: _ADMIN,
    Role.DEVELOPER: _DEVELOPER,
    Role.VIEWER: _VIEWER,
}

# What each permission lets somebody do, after "may".
WORDS: Mapping[Permission, str] = {
    Permission.VIEW: "see projects, members and what happened",
    Permission.PEOPLE_VIEW: "see who is in rooms, and members' addresses",
    Permission.PROJECTS_CREATE: "create projects",
    Permission.PROJECTS_CHANGE: "change projects",
    Permission.PROJECTS_DELETE: "delete projects",
    Permission.KEYS_VIEW: "see keys, never their secrets",
    Permission.KEYS_CREATE: "create keys",
    Permission.KEYS_REGENERATE: "regenerate keys",
    Permission.KEYS_REVOKE: "revoke keys",
    Permission.TOKENS_CREATE: "mint tokens for rooms",
    Permission.TOKENS_VALIDATE: "look at what a token is worth",
    Permission.TOKENS_REVOKE: "revoke tokens and put people out",
    Permission.ROOMS_CHANGE: "end rooms and remove participants",
    Permission.BANS_CHANGE: "ban identities and let them in again",
    Permission.WEBHOOKS_CHANGE: "see and change webhooks, and what they were told",
    Permission.MEMBERS_INVITE: "invite people",
    Permission.MEMBERS_CHANGE: "change roles, and see who has a second factor",
    Permission.MEMBERS_REMOVE: "remove members",
    Permission.ORGANIZATION_CHANGE: "change the organization's settings",
    Permission.ORGANIZATION_TRANSFER: "hand the organization over",
    Permission.ORGANIZATION_DELETE: "delete the organization and restore it",
}

KEY_PERMISSIONS: frozenset[Permission] = frozenset(
    {
        Permission.VIEW,
        Permission.PEOPLE_VIEW,
        Permission.TOKENS_CREATE,
        Permission.TOKENS_VALIDATE,
        Permission.TOKENS_REVOKE,
        Permission.ROOMS_CHANGE,
        Permission.BANS_CHANGE,
        Permission.WEBHOOKS_CHANGE,
    }
)


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody we know; holds no permission anywhere."""


@dataclass(frozen=True, slots=True)
class UserActor:
    """A signed-in person with a role in each of their organizations."""

    id: str
    name: str
    email: str
    session_id: str
    roles: Mapping[str, Role] = field(default_factory=dict[str, Role])
    # Whether the address is proved; who has not proved it invites nobody and accepts nothing.
    verified: bool = True
    operator: bool = False
    # Where a personal token of theirs acts: it is never more than the person, and not at all in their own account.
    token_id: str = ""
    # Organizations that ask for a second factor, which the person does not have: no role there until they do.
    held_back: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KeyActor:
    """A project's server side, known by its key and secret; the project is as it was when the pair was looked up."""

    id: str
    name: str
    project: Project

    @property
    def project_id(self) -> str:
        return self.project.id

    @property
    def org_id(self) -> str:
        return self.project.org_id


@dataclass(frozen=True, slots=True)
class PublicKeyActor:
    """Whoever has a project's key without its secret, where the project lets it mint development tokens."""

    id: str
    name: str
    project: Project


@dataclass(frozen=True, slots=True)
class SystemActor:
    """Pulse itself; the reason says in a few words for what."""

    reason: str


Actor = Anonymous | UserActor | KeyActor | PublicKeyActor | SystemActor


def where(actor: Actor, permission: Permission) -> Scope:
    """Over what the actor holds the permission."""
    match actor:
        case SystemActor():
            return EVERYTHING
        case UserActor():
            return Scope(organizations=frozenset(o for o, role in actor.roles.items() if permission in ROLES[role]))
        case KeyActor() if permission in KEY_PERMISSIONS:
            return Scope(projects=frozenset({actor.project_id}))
        case PublicKeyActor() if permission is Permission.TOKENS_CREATE:
            return Scope(projects=frozenset({actor.project.id}))
        case _:
            return NOTHING


def holds(actor: Actor, permission: Permission, org_id: str) -> bool:
    """Whether the actor holds the permission over the whole of this organization."""
    scope = where(actor, permission)
    return scope.everything or org_id in scope.organizations


def held_back(actor: Actor) -> Scope:
    """What asks for a second factor that the actor does not have."""
    if isinstance(actor, UserActor) and actor.held_back:
        return Scope(organizations=actor.held_back)
    return NOTHING


@dataclass(frozen=True, slots=True)
class Rule:
    """The mark on a core function: the permission it needs, or why it needs none."""

    permission: Permission | None
    open_because: str = ""


def requires(
    permission: Permission,
) -> Callable[[Callable[Concatenate[Work, P], R]], Callable[Concatenate[Work, P], R]]:
    """Hand the function a `work` that sees only what the actor holds this permission over.

    Anonymous callers are refused before the function runs (Unauthenticated)."""

    def mark(function: Callable[Concatenate[Work, P], R]) -> Callable[Concatenate[Work, P], R]:
        @wraps(function)
        def narrowed(work: Work, *args: P.args, **kwargs: P.kwargs) -> R:
            if isinstance(work.actor, Anonymous):
                raise Unauthenticated
            return function(work.narrowed(permission), *args, **kwargs)

        narrowed.rule = Rule(permission)  # type: ignore[attr-defined]
        return narrowed

    return mark


def open_because(reason: str) -> Callable[[F], F]:
    """Declare that a core function needs no permission, and why."""

    def mark(function: F) -> F:
        function.rule = Rule(None, reason)  # type: ignore[attr-defined]
        return function

    return mark
