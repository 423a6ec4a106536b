"""Every handler of every State for each role: what it may change is what the one table of roles says, and no more.

The handlers are walked, never listed: one that changes something of an organization fails here until it says what that
needs. The gate before them, which turns visitors without a session away, has its own walk (test_seam_walk).
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from reflex.state import State
from reflex_base.registry import RegistrationContext

import pulse_dash.state
from pulse_dash.core import bans, invitations, members, project_webhooks, sessions, webhook_deliveries
from pulse_dash.core.access import Permission, Role
from pulse_dash.core.errors import PulseError
from pulse_dash.core.project_webhooks import GivenWebhook
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.keys import KeysState
from pulse_dash.state.project import ProjectState
from pulse_dash.state.shell import ShellState
from pulse_dash.state.team import TeamState
from tests.core.test_access import TABLE
from tests.doubles import kept
from tests.people import House, Person, Town

for _module in pkgutil.walk_packages(pulse_dash.state.__path__, "pulse_dash.state."):
    importlib.import_module(_module.name)

P = Permission
# What changes something of an organization, with the permission that it needs; None is a member's own to do.
CHANGES: dict[str, Permission | None] = {
    "bans_state.ban": P.BANS_CHANGE,
    "bans_state.lift": P.BANS_CHANGE,
    "keys_state.create": P.KEYS_CREATE,
    "keys_state.regenerate": P.KEYS_REGENERATE,
    "keys_state.revoke": P.KEYS_REVOKE,
    "new_project_state.create": P.PROJECTS_CREATE,
    "organizations_state.delete": P.ORGANIZATION_DELETE,
    "organizations_state.rename": P.ORGANIZATION_CHANGE,
    "project_state.delete": P.PROJECTS_DELETE,
    "project_state.save": P.PROJECTS_CHANGE,
    "project_state.switch_on": P.PROJECTS_CHANGE,
    "team_state.change_role": P.MEMBERS_CHANGE,
    "team_state.invite": P.MEMBERS_INVITE,
    "team_state.leave": None,
    "team_state.remove": P.MEMBERS_REMOVE,
    "team_state.send_again": P.MEMBERS_INVITE,
    "team_state.take_back": P.MEMBERS_INVITE,
    "team_state.transfer": P.ORGANIZATION_TRANSFER,
    "webhooks_state.change": P.WEBHOOKS_CHANGE,
    "webhooks_state.create": P.WEBHOOKS_CHANGE,
    "webhooks_state.remove": P.WEBHOOKS_CHANGE,
    "webhooks_state.replay": P.WEBHOOKS_CHANGE,
    "webhooks_state.rotate": P.WEBHOOKS_CHANGE,
    "webhooks_state.switch": P.WEBHOOKS_CHANGE,
    "webhooks_state.test": P.WEBHOOKS_CHANGE,
}
NOUNS = ("organizations", "projects", "keys", "invitations", "bans", "webhooks", "webhook_deliveries")


def every_handler() -> list[str]:
    """By the name of its State and its own; loops in the background read and are cut off with their session."""
    found = RegistrationContext.ensure_context().event_handlers.items()
    return sorted(
        _short(name)
        for name, entry in found
        if entry.handler.fn.__module__.startswith("pulse_dash.state.") and not entry.handler.is_background
    )


def _short(name: str) -> str:
    state, _, handler = name.rpartition(".")
    return f"{state.rpartition('____')[2]}.{handler}"


@dataclass(frozen=True, slots=True)
class Scene:
    """An organization with one of each, and what somebody who knows all its ids would send."""

    owner: Person
    house: House
    form: dict[str, Any]
    confirmations: dict[str, str]


async def staged(town: Town) -> Scene:
    owner = await town.person()
    await town.member(owner.organization, Role.OWNER)
    house = await town.project(owner)
    member = await town.member(owner.organization, Role.DEVELOPER)
    org_id, work = owner.organization.id, town.work(owner)
    invited = await invitations.invite(work, org_id, email=f"x{owner.actor.email}", role=Role.VIEWER)
    banned = await bans.ban(work, house.id, identity="eve", reason="a test")
    webhook = (await project_webhooks.create(work, house.id, GivenWebhook("https://1.1.1.1/hooks"))).webhook
    delivery_id = await webhook_deliveries.test(work, house.id, webhook.id, event="room_ended")
    deliveries = town.services.system("a test's receiver").store.webhook_deliveries
    await deliveries.finish(delivery_id, "delivered", work.clock.now(), status=204, failure=None)
    form = {
        "org_id": org_id,
        "user_id": member.actor.id,
        "invitation_id": invited.invitation.id,
        "ban_id": banned.id,
        "webhook_id": webhook.id,
        "delivery_id": delivery_id,
        "url": "https://1.1.1.1/others",
        "key_id": house.key.id,
        "token_id": "ptk_x",
        "session_id": "ses_x",
        "incident_id": "inc_x",
        "organization_id": org_id,
        "role": "viewer",
        "emails": f"new-{owner.actor.email}",
        "name": "Another name",
        "region": "eu-west",
        "identity": "mallory",
        "reason": "a test",
        "grace": "0",
        "room_prefix": "dev-",
    }
    # Many at once come by one door: a link is sent again once a minute.
    town.services.parts.clock.move(60)  # type: ignore[attr-defined]
    await town.services.feed.read()
    confirmations = {"keys_state": house.key.name, "project_state": house.project.name}
    return Scene(owner, house, form, confirmations)


async def called(town: Town, name: str, work: Work, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Call a handler as this person, on pages that the owner had filled."""
    registered = RegistrationContext.ensure_context().event_handlers
    full = next(each for each in registered if _short(each) == name)
    root = State(_reflex_internal_init=True)  # type: ignore[call-arg]
    shell, project, keys = [await root.get_state(kind) for kind in (ShellState, ProjectState, KeysState)]
    team = await root.get_state(TeamState)
    shell._organization_id = shell._home_id = team._org_id = scene.owner.organization.id
    team.organization = scene.owner.organization.name
    project.id, project.name = scene.house.id, scene.house.project.name
    await keys._read(town.work(scene.owner), scene.house.id)
    monkeypatch.setattr(PulseState, "_work", _as(work))
    handler = registered[full].handler
    hints = handler._get_type_hints()
    typed = scene.confirmations.get(name.partition(".")[0], scene.owner.organization.name)
    arguments = {
        each: {**scene.form, "confirmation": typed} if each == "form_data" else scene.form.get(each) or hints[each]()
        for each in list(inspect.signature(handler.fn).parameters)[1:]
    }
    # What is refused with an error the page says in a toast.
    with suppress(PulseError):
        began = handler.fn(root.get_substate(full.split(".")[:-1]), **arguments)
        if inspect.isasyncgen(began):
            async for _ in began:
                pass
        elif inspect.isawaitable(began):
            await began


def _as(work: Work) -> Callable[[PulseState], Awaitable[Work]]:
    async def theirs(_: PulseState) -> Work:
        return work

    return theirs


async def looked_at(town: Town, scene: Scene) -> str:
    """All documents of the organization, as text."""
    org_id = scene.owner.organization.id
    return repr(
        [
            each
            for noun in NOUNS
            for each in sorted(await kept(town.services.engine, noun), key=lambda one: one["_id"])
            if org_id in (each["_id"], each.get("org_id"))
        ]
    )


async def changed(town: Town, scene: Scene, name: str, work: Work, monkeypatch: pytest.MonkeyPatch) -> bool:
    before = await looked_at(town, scene)
    await called(town, name, work, scene, monkeypatch)
    return await looked_at(town, scene) != before


@pytest.mark.parametrize("name", every_handler())
async def test_an_owner_changes_with_it_what_is_declared(
    town: Town, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    scene = await staged(town)
    work = town.work(scene.owner)

    assert await changed(town, scene, name, work, monkeypatch) is (name in CHANGES)


@pytest.mark.parametrize("role", list(Role)[1:])
async def test_each_role_changes_what_the_table_says(town: Town, monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
    scene = await staged(town)
    for name in every_handler():
        permission = CHANGES.get(name)
        may = name in CHANGES and (permission is None or role.value[0] in TABLE[permission])
        persona = await town.member(scene.owner.organization, role)
        assert await changed(town, scene, name, town.work(persona), monkeypatch) is may, name
        # What was done must not be in the way of the next.
        scene = await staged(town) if may else scene


async def test_strangers_and_whoever_was_removed_change_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await staged(town)
    gone = await town.member(scene.owner.organization, Role.ADMIN)
    await members.remove(town.work(scene.owner), scene.owner.organization.id, gone.actor.id)
    after = await sessions.recognize(town.stranger, gone.access_token)
    stranger = await town.person()
    for name in every_handler():
        for work in (town.services.as_(after), town.work(stranger)):
            assert not await changed(town, scene, name, work, monkeypatch), name
