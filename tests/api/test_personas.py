"""Everybody at every door: each route of the OpenAPI for each kind of caller, by the one table of roles.

A new route fails here until it says what it needs. Whoever is a member here owns an organization elsewhere too, so each
role is tried on an owner elsewhere who is less here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx
import pytest

from pulse_dash.core import bans, invitations, members, personal_tokens, project_webhooks, webhook_deliveries
from pulse_dash.core.access import KEY_PERMISSIONS, Permission, Role
from pulse_dash.core.project_webhooks import GivenWebhook
from tests.api.routes import Route, every_route
from tests.core.test_access import TABLE
from tests.people import House, Person, Town

OF_THE_API = {str(route): route for route in every_route() if route.path.startswith("/v1/")}


class Open(StrEnum):
    """What asks for no permission of an organization."""

    ANYBODY = "anybody"
    PERSON = "a person, about themselves"
    EACH_THEIR_OWN = "whoever has credentials, and each sees their own"
    OPERATOR = "whoever runs the installation"


P = Permission
NEEDS: dict[str, Permission | Open] = {
    "GET /v1/audit-logs": P.VIEW,
    "GET /v1/audit-logs/export": P.VIEW,
    "GET /v1/audit-logs/recent": P.VIEW,
    "GET /v1/audit-logs/stats": P.VIEW,
    "GET /v1/audit-logs/verify": P.VIEW,
    "DELETE /v1/auth/me": Open.PERSON,
    "POST /v1/auth/email": Open.PERSON,
    "POST /v1/auth/login": Open.ANYBODY,
    "POST /v1/auth/logout": Open.PERSON,
    "GET /v1/auth/me": Open.PERSON,
    "PUT /v1/auth/me": Open.PERSON,
    "POST /v1/auth/password": Open.PERSON,
    "POST /v1/auth/password/forgot": Open.ANYBODY,
    "POST /v1/auth/password/reset": Open.ANYBODY,
    "POST /v1/auth/refresh": Open.ANYBODY,
    "GET /v1/auth/second-factor": Open.PERSON,
    "POST /v1/auth/second-factor": Open.ANYBODY,
    "POST /v1/auth/second-factor/confirm": Open.PERSON,
    "POST /v1/auth/second-factor/off": Open.PERSON,
    "POST /v1/auth/second-factor/recovery-codes": Open.PERSON,
    "POST /v1/auth/second-factor/reset": Open.OPERATOR,
    "POST /v1/auth/second-factor/setup": Open.PERSON,
    "DELETE /v1/auth/sessions": Open.PERSON,
    "GET /v1/auth/sessions": Open.PERSON,
    "DELETE /v1/auth/sessions/{session_id}": Open.PERSON,
    "POST /v1/auth/signup": Open.ANYBODY,
    "GET /v1/auth/tokens": Open.PERSON,
    "POST /v1/auth/tokens": Open.PERSON,
    "DELETE /v1/auth/tokens/{token_id}": Open.PERSON,
    "POST /v1/auth/verify": Open.ANYBODY,
    "POST /v1/auth/verify/send": Open.PERSON,
    "POST /v1/invitations/accept": Open.ANYBODY,
    "GET /v1/media/rooms": P.VIEW,
    "DELETE /v1/media/rooms/{room}": P.ROOMS_CHANGE,
    "GET /v1/media/rooms/{room}": P.VIEW,
    "GET /v1/media/rooms/{room}/participants": P.PEOPLE_VIEW,
    "POST /v1/media/rooms/{room}/participants/{identity}/remove": P.ROOMS_CHANGE,
    "GET /v1/organizations": Open.EACH_THEIR_OWN,
    "POST /v1/organizations": Open.PERSON,
    "DELETE /v1/organizations/{org_id}": P.ORGANIZATION_DELETE,
    "GET /v1/organizations/{org_id}": P.VIEW,
    "PUT /v1/organizations/{org_id}": P.ORGANIZATION_CHANGE,
    "GET /v1/organizations/{org_id}/checkpoints": P.VIEW,
    "PUT /v1/organizations/{org_id}/checkpoints": P.ORGANIZATION_CHANGE,
    "GET /v1/organizations/{org_id}/invitations": P.VIEW,
    "DELETE /v1/organizations/{org_id}/invitations/{invitation_id}": P.MEMBERS_INVITE,
    "POST /v1/organizations/{org_id}/invitations/{invitation_id}/resend": P.MEMBERS_INVITE,
    "GET /v1/organizations/{org_id}/members": P.VIEW,
    "POST /v1/organizations/{org_id}/members": P.MEMBERS_INVITE,
    "GET /v1/organizations/{org_id}/members.csv": P.VIEW,
    "DELETE /v1/organizations/{org_id}/members/{user_id}": P.MEMBERS_REMOVE,
    "GET /v1/organizations/{org_id}/members/{user_id}": P.VIEW,
    "PUT /v1/organizations/{org_id}/members/{user_id}/role": P.MEMBERS_CHANGE,
    "POST /v1/organizations/{org_id}/restore": P.ORGANIZATION_DELETE,
    "POST /v1/organizations/{org_id}/transfer": P.ORGANIZATION_TRANSFER,
    "GET /v1/projects": Open.EACH_THEIR_OWN,
    "POST /v1/projects": P.PROJECTS_CREATE,
    "DELETE /v1/projects/{project_id}": P.PROJECTS_DELETE,
    "GET /v1/projects/{project_id}": P.VIEW,
    "PUT /v1/projects/{project_id}": P.PROJECTS_CHANGE,
    "GET /v1/projects/{project_id}/bans": P.PEOPLE_VIEW,
    "POST /v1/projects/{project_id}/bans": P.BANS_CHANGE,
    "DELETE /v1/projects/{project_id}/bans/{ban_id}": P.BANS_CHANGE,
    "GET /v1/projects/{project_id}/webhooks": P.WEBHOOKS_CHANGE,
    "POST /v1/projects/{project_id}/webhooks": P.WEBHOOKS_CHANGE,
    "GET /v1/projects/{project_id}/webhooks/{webhook_id}": P.WEBHOOKS_CHANGE,
    "PUT /v1/projects/{project_id}/webhooks/{webhook_id}": P.WEBHOOKS_CHANGE,
    "DELETE /v1/projects/{project_id}/webhooks/{webhook_id}": P.WEBHOOKS_CHANGE,
    "POST /v1/projects/{project_id}/webhooks/{webhook_id}/rotate-secret": P.WEBHOOKS_CHANGE,
    "POST /v1/projects/{project_id}/webhooks/{webhook_id}/test": P.WEBHOOKS_CHANGE,
    "POST /v1/projects/{project_id}/webhooks/{webhook_id}/recover": P.WEBHOOKS_CHANGE,
    "GET /v1/projects/{project_id}/webhook-deliveries": P.WEBHOOKS_CHANGE,
    "GET /v1/projects/{project_id}/webhook-deliveries/{delivery_id}": P.WEBHOOKS_CHANGE,
    "POST /v1/projects/{project_id}/webhook-deliveries/{delivery_id}/replay": P.WEBHOOKS_CHANGE,
    "GET /v1/projects/{project_id}/keys": P.KEYS_VIEW,
    "POST /v1/projects/{project_id}/keys": P.KEYS_CREATE,
    "DELETE /v1/projects/{project_id}/keys/{key_id}": P.KEYS_REVOKE,
    "POST /v1/projects/{project_id}/livekit/test": P.PROJECTS_CHANGE,
    "POST /v1/projects/{project_id}/regenerate-keys": P.KEYS_REGENERATE,
    "POST /v1/projects/{project_id}/storage/test": P.PROJECTS_CHANGE,
    "GET /v1/status": Open.ANYBODY,
    "GET /v1/status/incidents": Open.ANYBODY,
    "POST /v1/status/incidents": Open.OPERATOR,
    "PUT /v1/status/incidents/{incident_id}": Open.OPERATOR,
    "GET /v1/status/projects/{project_id}": P.VIEW,
    "GET /v1/status/regions": Open.ANYBODY,
    "POST /v1/status/subscriptions": Open.ANYBODY,
    "POST /v1/tokens/create": P.TOKENS_CREATE,
    "POST /v1/tokens/revoke": P.TOKENS_REVOKE,
    "POST /v1/tokens/validate": P.TOKENS_VALIDATE,
}
# What is deleted is found by the one route that brings it back: it has a page of its own, test_restoring.
OF_WHAT_IS_DELETED = {"POST /v1/organizations/{org_id}/restore"}
# A name and nothing else is needed here, so a body that says it is no mistake that would hide the refusal.
BODIES: dict[str, dict[str, Any]] = {"POST /v1/organizations": {"name": "Mine"}}

ROLES = {role.value: role for role in Role}
OUTSIDE = ("a stranger", "somebody removed", "a key of another project")
KEY = "a key of the project"
NOBODY = "nobody"
PERSONAS = (*ROLES, *OUTSIDE, KEY, NOBODY)
# It got past every question of who may: done, or refused for what was sent or for a LiveKit that does not run here.
LET_IN = {200, 201, 202, 204, 409, 422, 503}


@dataclass(frozen=True, slots=True)
class Scene:
    """An organization with one of each, a project with one of each, and the credentials of every persona."""

    owner: Person
    house: House
    headers: dict[str, dict[str, str]]
    people: dict[str, Person]
    ids: dict[str, str]

    def path(self, route: Route, persona: str) -> str:
        """Where this persona knocks: at the scene's own things, and in their own account at their own."""
        ids = dict(self.ids)
        if persona in self.people:
            ids["session_id"] = self.people[persona].actor.session_id
            ids["token_id"] = self.ids[f"token of {persona}"]
        path = route.at(**ids)
        named = {parameter["name"] for parameter in route.operation.get("parameters", ()) if parameter["in"] == "query"}
        if route.takes_project:
            return f"{path}?project_id={self.house.id}"
        return f"{path}?org_id={self.owner.organization.id}" if "org_id" in named and "audit" in path else path


async def staged(town: Town) -> Scene:
    owner = await town.person()
    org_id, work = owner.organization.id, town.work(owner)
    house, another = await town.project(owner), await town.project(owner)
    people = {"owner": owner, "a stranger": await town.person()}
    people |= {role.value: await town.member(owner.organization, role) for role in list(Role)[1:]}
    people["somebody removed"] = await town.member(owner.organization, Role.ADMIN)
    await members.remove(work, org_id, people["somebody removed"].actor.id)
    bystander = await town.member(owner.organization, Role.VIEWER)
    invited = await invitations.invite(work, org_id, email=f"x{bystander.actor.email}", role=Role.VIEWER)
    banned = await bans.ban(work, house.id, identity="eve", reason="a test")
    webhook = (await project_webhooks.create(work, house.id, GivenWebhook("https://1.1.1.1/hooks"))).webhook
    ids = {
        "org_id": org_id,
        "project_id": house.id,
        "key_id": house.key.id,
        "ban_id": banned.id,
        "webhook_id": webhook.id,
        "delivery_id": await webhook_deliveries.test(work, house.id, webhook.id, event="room_ended"),
        "user_id": bystander.actor.id,
        "invitation_id": invited.invitation.id,
        "session_id": "ses_none",
        "token_id": "ptk_none",
    }
    for name, person in people.items():
        made = await personal_tokens.create(town.work(person), name="script", expires_in_days=1)
        ids[f"token of {name}"] = made.token.id
    headers = {name: person.headers for name, person in people.items()}
    headers |= {KEY: dict(house.headers), "a key of another project": dict(another.headers), NOBODY: {}}
    return Scene(owner, house, headers, people, ids)


def expected(route: Route, need: Permission | Open, persona: str) -> set[int]:
    """Which statuses this persona may be answered."""
    key = persona in (KEY, "a key of another project")
    match need:
        case Open.ANYBODY:
            # Credentials are not asked for; what was sent may still be wrong, and a made-up link is spent.
            return {200, 201, 202, 204, 401, 409, 410, 422}
        case _ if persona == NOBODY:
            return {401}
        case Open.PERSON:
            # A key is nobody: it has no account, and finds none of anybody's things.
            return {401, 404} if key else LET_IN
        case Open.EACH_THEIR_OWN:
            return {200}
        case Open.OPERATOR:
            # Where an operator has to be there in person, a key is nobody.
            return {401, 403} if key else {403}
        case _ if persona in OUTSIDE:
            return {404}
        case _ if persona == KEY and ("{org_id}" in route.path or "audit" in route.path or need is P.PROJECTS_CREATE):
            # The organization is nothing that a key sees.
            return {404}
        case _ if persona == KEY:
            return LET_IN if need in KEY_PERMISSIONS else {403}
        case _:
            return LET_IN if ROLES[persona].value[0] in TABLE[need] else {403}


async def knock(client: httpx.AsyncClient, scene: Scene, route: Route, persona: str) -> httpx.Response:
    """Ask as this persona, with a body that names its organization and nothing else."""
    body: dict[str, Any] | None = None
    if "requestBody" in route.operation:
        body = BODIES.get(str(route), {})
    if str(route) == "POST /v1/projects":
        body = {"org_id": scene.owner.organization.id}
    return await client.request(route.verb, scene.path(route, persona), headers=scene.headers[persona], json=body)


def test_every_route_says_what_it_needs() -> None:
    assert OF_THE_API.keys() == NEEDS.keys()


@pytest.mark.parametrize("name", sorted(OF_THE_API.keys() - OF_WHAT_IS_DELETED))
async def test_each_door_opens_to_those_it_is_for(client: httpx.AsyncClient, town: Town, name: str) -> None:
    # The first account runs the installation.
    operator = await town.person()
    made = await client.post("/v1/status/incidents", headers=operator.headers, json={"title": "x", "body": "y"})
    route, need = OF_THE_API[name], NEEDS.get(name, Open.OPERATOR)
    let_in = [persona for persona in PERSONAS if expected(route, need, persona) == LET_IN]
    scene = await staged(town)
    scene.ids["incident_id"] = made.json()["id"]
    for persona in (persona for persona in PERSONAS if persona not in let_in):
        answer = await knock(client, scene, route, persona)
        assert answer.status_code in expected(route, need, persona), (persona, answer.text)
    for persona in let_in:
        # What one of them did must not be in the way of the next.
        scene = scene if route.verb == "get" else await staged(town)
        answer = await knock(client, scene, route, persona)
        assert answer.status_code in LET_IN, (persona, answer.text)


@pytest.mark.parametrize("name", sorted(name for name, need in NEEDS.items() if need is Open.EACH_THEIR_OWN))
async def test_what_each_sees_of_their_own_names_nothing_of_others(
    client: httpx.AsyncClient, town: Town, name: str
) -> None:
    scene = await staged(town)
    for persona in PERSONAS:
        answer = await knock(client, scene, OF_THE_API[name], persona)
        theirs = scene.house.id if "projects" in name else scene.owner.organization.id
        sees = persona in ROLES or (persona == KEY and "projects" in name)
        assert (f'"id":"{theirs}"' in answer.text) is sees, (persona, answer.text)
