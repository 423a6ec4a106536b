"""Who may what, where: the table of roles as PRODUCT.md draws it, tried with every core function."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest

import pulse_dash.core
from pulse_dash.core import (
    audit,
    audit_anchors,
    audit_export,
    audit_stats,
    audit_verify,
    bans,
    connections,
    invitations,
    keys,
    members,
    organizations,
    project_health,
    project_webhooks,
    projects,
    rooms,
    silence,
    tokens,
    webhook_deliveries,
)
from pulse_dash.core.access import (
    KEY_PERMISSIONS,
    ROLES,
    WORDS,
    Anonymous,
    Permission,
    Role,
    SystemActor,
    UserActor,
    where,
)
from pulse_dash.core.audit import Filters
from pulse_dash.core.errors import Forbidden, Invalid, NotFound, PulseError, Unauthenticated
from pulse_dash.core.figures import overview
from pulse_dash.core.invitations import AlreadyThere
from pulse_dash.core.members import LastOwner
from pulse_dash.core.project_webhooks import GivenWebhook
from pulse_dash.core.tokens import TokenRequest
from pulse_dash.core.work import Work
from pulse_dash.store.scope import EVERYTHING, NOTHING
from tests.people import House, Person, Town

# PRODUCT.md's table: one letter a role that holds it.
TABLE: dict[Permission, str] = {
    Permission.VIEW: "oadv",
    Permission.PEOPLE_VIEW: "oad",
    Permission.PROJECTS_CREATE: "oad",
    Permission.PROJECTS_CHANGE: "oad",
    Permission.PROJECTS_DELETE: "oa",
    Permission.KEYS_VIEW: "oadv",
    Permission.KEYS_CREATE: "oad",
    Permission.KEYS_REGENERATE: "oad",
    Permission.KEYS_REVOKE: "oad",
    Permission.TOKENS_CREATE: "oad",
    Permission.TOKENS_VALIDATE: "oad",
    Permission.TOKENS_REVOKE: "oad",
    Permission.ROOMS_CHANGE: "oad",
    Permission.BANS_CHANGE: "oad",
    Permission.WEBHOOKS_CHANGE: "oa",
    Permission.MEMBERS_INVITE: "oa",
    Permission.MEMBERS_CHANGE: "oa",
    Permission.MEMBERS_REMOVE: "oa",
    Permission.ORGANIZATION_CHANGE: "o",
    Permission.ORGANIZATION_TRANSFER: "o",
    Permission.ORGANIZATION_DELETE: "o",
}


def test_the_table_of_roles_is_the_contracts() -> None:
    assert {
        permission: "".join(role.value[0] for role in Role if permission in ROLES[role]) for permission in Permission
    } == TABLE


def test_each_role_holds_all_that_the_next_one_holds() -> None:
    order = [ROLES[role] for role in Role]

    assert all(weaker < stronger for stronger, weaker in pairwise(order))


def test_a_key_changes_neither_projects_nor_keys_nor_organizations() -> None:
    changing = {each for each in Permission if each.value.startswith(("projects.", "keys.", "organization."))}

    assert not KEY_PERMISSIONS & changing


@pytest.mark.parametrize("permission", Permission)
def test_an_actor_holds_a_permission_only_where_its_role_does(permission: Permission) -> None:
    person = UserActor("usr", "Ada", "a@example.com", "ses", {f"org_{role.value}": role for role in Role})

    holding = where(person, permission)

    assert holding.organizations == {f"org_{role.value}" for role in Role if role.value[0] in TABLE[permission]}
    assert not holding.everything
    assert where(Anonymous(), permission) == NOTHING
    assert where(SystemActor("a test"), permission) == EVERYTHING


# --- the persona that counts: an owner at home, a viewer in the other organization -------------------------------

Call = Callable[[Work, Person, House], Any]
REQUEST = TokenRequest(room="lobby", identity="ada")
WEBHOOK = GivenWebhook("https://1.1.1.1/hooks")
# Every core function that an organization or a project is named to, and what a viewer there may expect of it.
CALLS: dict[Callable[..., Any], tuple[Call, bool]] = {
    organizations.read: (lambda work, owner, _: organizations.read(work, owner.organization.id), True),
    organizations.change: (lambda work, owner, _: organizations.change(work, owner.organization.id, name="x"), False),
    organizations.delete: (lambda work, owner, _: organizations.delete(work, owner.organization.id), False),
    members.listing: (lambda work, owner, _: members.listing(work, owner.organization.id), True),
    members.read: (lambda work, owner, _: members.read(work, owner.organization.id, owner.actor.id), True),
    members.read_to_change: (lambda work, owner, _: members.read_to_change(work, *_owner(owner)), False),
    members.change_role: (lambda work, owner, _: members.change_role(work, *_owner(owner), Role.OWNER), False),
    members.remove: (lambda work, owner, _: removed(work, owner), False),
    members.leave: (lambda work, owner, _: left(work, owner), True),
    members.transfer: (lambda work, owner, _: transferred(work, owner), False),
    invitations.invite: (lambda work, owner, _: invited(work, owner), False),
    invitations.resend: (lambda work, owner, _: uninvited(work, owner, invitations.resend), False),
    invitations.revoke: (lambda work, owner, _: uninvited(work, owner, invitations.revoke), False),
    invitations.listing: (lambda work, owner, _: invitations.listing(work, owner.organization.id), True),
    projects.create: (lambda work, owner, _: projects.create(work, org_id=owner.organization.id, name="x"), False),
    projects.listing: (lambda work, owner, _: projects.listing(work, org_id=owner.organization.id), True),
    projects.read: (lambda work, _, house: projects.read(work, house.id), True),
    projects.change: (lambda work, _, house: projects.change(work, house.id, name="x"), False),
    connections.try_livekit: (lambda work, _, house: connections.try_livekit(work, house.id), False),
    connections.try_storage: (lambda work, _, house: connections.try_storage(work, house.id), False),
    keys.create: (lambda work, _, house: keys.create(work, house.id, name="x"), False),
    keys.listing: (lambda work, _, house: keys.listing(work, house.id), True),
    keys.regenerate: (lambda work, _, house: keys.regenerate(work, house.id), False),
    keys.revoke: (lambda work, _, house: keys.revoke(work, house.id, house.key.id), False),
    tokens.create: (lambda work, _, house: tokens.create(work, REQUEST, project_id=house.id), False),
    tokens.validate: (lambda work, _, house: tokens.validate(work, "x", project_id=house.id), False),
    bans.listing: (lambda work, _, house: bans.listing(work, house.id), False),
    bans.ban: (lambda work, _, house: bans.ban(work, house.id, identity="x", reason="y"), False),
    bans.lift: (lambda work, _, house: lifted(work, house), False),
    project_webhooks.create: (lambda work, _, house: project_webhooks.create(work, house.id, WEBHOOK), False),
    project_webhooks.listing: (lambda work, _, house: project_webhooks.listing(work, house.id), False),
    project_webhooks.read: (lambda work, _, house: of_no_webhook(work, house, project_webhooks.read), False),
    project_webhooks.change: (lambda work, _, house: of_no_webhook(work, house, project_webhooks.change), False),
    project_webhooks.rotate_secret: (
        lambda work, _, house: of_no_webhook(work, house, project_webhooks.rotate_secret),
        False,
    ),
    project_webhooks.remove: (lambda work, _, house: of_no_webhook(work, house, project_webhooks.remove), False),
    webhook_deliveries.test: (
        lambda work, _, house: of_no_webhook(work, house, partial(webhook_deliveries.test, event="room_ended")),
        False,
    ),
    webhook_deliveries.recover: (lambda work, _, house: of_no_webhook(work, house, webhook_deliveries.recover), False),
    webhook_deliveries.listing: (lambda work, _, house: webhook_deliveries.listing(work, house.id), False),
    webhook_deliveries.read: (lambda work, _, house: of_no_webhook(work, house, webhook_deliveries.read), False),
    webhook_deliveries.replay: (lambda work, _, house: of_no_webhook(work, house, webhook_deliveries.replay), False),
    audit.listing: (lambda work, owner, _: audit.listing(work, Filters(org_id=owner.organization.id)), True),
    audit_export.begin: (lambda work, owner, _: audit_export.begin(work, Filters(owner.organization.id), "csv"), True),
    audit.first_at: (lambda work, owner, _: audit.first_at(work, owner.organization.id), True),
    audit_stats.of: (lambda work, owner, _: audit_stats.of(work, owner.organization.id), True),
    audit_anchors.read: (lambda work, owner, _: audit_anchors.read(work, owner.organization.id), True),
    audit_anchors.change: (lambda work, owner, _: audit_anchors.change(work, owner.organization.id), False),
    audit_verify.verify: (lambda work, owner, _: audit_verify.verify(work, owner.organization.id), True),
    project_health.of_project: (lambda work, _, house: project_health.of_project(work, house.id), True),
    silence.of: (lambda work, _, house: silence.of(work, project_id=house.id), True),
    overview: (lambda work, owner, _: overview(work, owner.organization.id), True),
    projects.delete: (lambda work, _, house: projects.delete(work, house.id), False),
}


def _owner(owner: Person) -> tuple[str, str]:
    return owner.organization.id, owner.actor.id


async def left(work: Work, owner: Person) -> None:
    """Whoever is a member may leave; the last owner is told why not, and here nobody goes."""
    await members.read(work, *_owner(owner))


async def removed(work: Work, owner: Person) -> None:
    """The last owner stays, and is told so when the permission is there."""
    with suppress(LastOwner):
        await members.remove(work, *_owner(owner))


async def transferred(work: Work, owner: Person) -> None:
    """To oneself it is refused as such when the permission is there."""
    with suppress(Invalid):
        await members.transfer(work, *_owner(owner))


async def invited(work: Work, owner: Person) -> None:
    """Somebody who is a member already."""
    with suppress(AlreadyThere):
        await invitations.invite(work, owner.organization.id, email=owner.actor.email, role=Role.VIEWER)


async def uninvited(work: Work, owner: Person, act: Callable[[Work, str, str], Any]) -> None:
    """An invitation that nobody made: who holds the permission is told so."""
    try:
        await act(work, owner.organization.id, "inv_x")
    except NotFound:
        await work.narrowed(Permission.MEMBERS_INVITE).store.organizations.get(owner.organization.id)


async def lifted(work: Work, house: House) -> None:
    """A ban that nobody made: who holds the permission is told so."""
    try:
        await bans.lift(work, house.id, "ban_x")
    except NotFound:
        await work.narrowed(Permission.BANS_CHANGE).store.projects.get(house.id)


async def of_no_webhook(work: Work, house: House, act: Callable[[Work, str, str], Any]) -> None:
    """A webhook or delivery that is not there: who holds the permission is told so."""
    try:
        await act(work, house.id, "whk_x")
    except NotFound:
        await work.narrowed(Permission.WEBHOOKS_CHANGE).store.projects.get(house.id)


# These ask LiveKit, which does not run here, once they have found the project: a refusal comes before.
CALLS_OF_LIVEKIT: dict[Callable[..., Any], tuple[Call, bool]] = {
    tokens.revoke: (lambda work, _, house: tokens.revoke(work, identity="x", project_id=house.id), False),
    rooms.listing: (lambda work, _, house: rooms.listing(work, house.id), True),
    rooms.read: (lambda work, _, house: rooms.read(work, "lobby", house.id), True),
    rooms.end: (lambda work, _, house: rooms.end(work, "lobby", house.id), False),
    rooms.participants: (lambda work, _, house: rooms.participants(work, "lobby", house.id), False),
    rooms.remove_participant: (lambda work, _, house: rooms.remove_participant(work, "lobby", "x", house.id), False),
}
NAMED_TO = {"org_id", "project_id"}
# The organization stands among their filters.
BY_FILTERS = {audit.listing, audit_export.begin}
NOT_BY_A_CALLER = {
    *("add", "add_invited", "drafted", "is_banned", "refuse_banned", "use_organization"),
    *("one_of", "tell"),
}
# What is deleted is in nobody's scope: test_restoring tries who may bring it back. Operators need none: test_plans.
BESIDE_SCOPES = {"restore", "of_operator", "change_plan"}


def test_every_core_function_that_names_an_organization_or_project_is_tried_here() -> None:
    named = set()
    for found in pkgutil.iter_modules(pulse_dash.core.__path__, "pulse_dash.core."):
        module = import_module(found.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            parameters = inspect.signature(function).parameters
            public = function.__module__ == module.__name__ and not name.startswith("_") and "work" in parameters
            if public and NAMED_TO & parameters.keys() and name not in NOT_BY_A_CALLER | BESIDE_SCOPES:
                named.add(function)

    assert named | BY_FILTERS == CALLS.keys() | CALLS_OF_LIVEKIT.keys()


async def outcome(call: Call, work: Work, owner: Person, house: House) -> str:
    """What became of a call, in one word."""
    try:
        await call(work, owner, house)
    except PulseError as error:
        return type(error).__name__
    return "done"


async def test_nobody_and_strangers_reach_nothing(town: Town) -> None:
    owner, stranger, neighbour = await town.person(), await town.person(), await town.house()
    house = await town.project(owner)
    by_key = await town.by_key(neighbour)
    for function, (call, _) in {**CALLS, **CALLS_OF_LIVEKIT}.items():
        assert await outcome(call, town.stranger, owner, house) == Unauthenticated.__name__, function
        assert await outcome(call, town.work(stranger), owner, house) == NotFound.__name__, function
        assert await outcome(call, by_key, owner, house) == NotFound.__name__, function


async def test_an_owner_elsewhere_is_a_viewer_here(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    persona = await town.member(owner.organization, Role.VIEWER)
    home = await town.project(persona)
    for function, (call, may_view) in CALLS.items():
        assert await outcome(call, town.work(persona), owner, house) == ("done" if may_view else "Forbidden"), function
    for function, (call, may_view) in CALLS_OF_LIVEKIT.items():
        expected = "Unavailable" if may_view else "Forbidden"
        assert await outcome(call, town.work(persona), owner, house) == expected, function
    for function, (call, _) in CALLS.items():
        if function is not organizations.delete and function not in (projects.delete, keys.regenerate):
            assert await outcome(call, town.work(persona), persona, home) == "done", function


@pytest.mark.parametrize("role", Role)
async def test_each_role_may_what_the_table_says_and_no_more(town: Town, role: Role) -> None:
    for function, (call, _) in {**CALLS, **CALLS_OF_LIVEKIT}.items():
        owner = await town.person()
        house = await town.project(owner)
        persona = await town.member(owner.organization, role)
        became = await outcome(call, town.work(persona), owner, house)
        may = function.rule.permission in ROLES[role]  # type: ignore[attr-defined]
        assert (became != "Forbidden") is may, (function, became)
        assert became not in {"NotFound", "Unauthenticated"}, function


async def test_a_project_key_reads_its_own_project_and_changes_nothing_but_media(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    work = await town.by_key(house)
    done = {function for function, (call, _) in CALLS.items() if await outcome(call, work, owner, house) == "done"}

    assert done == {
        projects.read,
        tokens.create,
        tokens.validate,
        bans.listing,
        bans.ban,
        bans.lift,
        project_webhooks.create,
        project_webhooks.listing,
        project_webhooks.read,
        project_webhooks.change,
        project_webhooks.rotate_secret,
        project_webhooks.remove,
        webhook_deliveries.test,
        webhook_deliveries.recover,
        webhook_deliveries.listing,
        webhook_deliveries.read,
        webhook_deliveries.replay,
        silence.of,
        project_health.of_project,
    }


async def test_visible_but_not_held_is_forbidden_and_the_rest_is_not_found(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    viewer = await town.member(owner.organization, Role.VIEWER)
    narrowed = town.work(viewer).narrowed(Permission.PROJECTS_DELETE)

    with pytest.raises(Forbidden) as refused:
        await narrowed.store.projects.get(house.id)
    assert refused.value.permission == "projects.delete"
    with pytest.raises(NotFound):
        await narrowed.store.projects.get("prj_01aaaaaaaaaaaaaaaaaaaaaaaa")


def test_every_permission_is_said_in_words_of_its_own() -> None:
    assert WORDS.keys() == set(Permission)
    assert len(set(WORDS.values())) == len(Permission)
