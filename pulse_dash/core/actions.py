"""The catalog of actions: what each entry of the audit log is called, and the sentence that people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pulse_dash.core.access import Permission

THING = "{thing}"


@dataclass(frozen=True, slots=True)
class Action:
    """`noun.past`, and what follows the actor's name; `{thing}` stands for the name of what was acted on."""

    name: str
    sentence: str
    # Told of as a failure alone, which the sentence says itself.
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence around the name of a thing; `thing` is empty where the sentence names none."""

    before: str
    thing: str
    after: str


_ALL = (
    Action("user.created", "made an account"),
    Action("user.verified", "confirmed their address"),
    Action("user.replaced", "put {thing} out: the address was confirmed by somebody else"),
    Action("user.password_reset", "chose a new password by mail"),
    Action("user.password_changed", "changed their password"),
    Action("user.address_changed", "moved to another address"),
    Action("user.erased", "erased the account of {thing}"),
    Action("user.renamed", "changed their name"),
    Action("second_factor.enabled", "turned their second factor on"),
    Action("second_factor.disabled", "turned their second factor off"),
    Action("second_factor.codes_renewed", "made new recovery codes"),
    Action("second_factor.recovery_code_used", "used a recovery code"),
    Action("second_factor.code_wrong", "gave a wrong code of their second factor", fails=True),
    Action("second_factor.reset", "took the second factor of {thing} away"),
    Action("operator.added", "made {thing} an operator"),
    Action("operator.removed", "made {thing} an operator no longer"),
    Action("session.started", "signed in"),
    Action("session.ended", "signed out"),
    Action("session.others_ended", "signed out everywhere else"),
    Action("personal_token.created", "made the personal token {thing}"),
    Action("personal_token.revoked", "revoked the personal token {thing}"),
    Action("organization.created", "made the organization {thing}"),
    Action("organization.updated", "changed the organization {thing}"),
    Action("organization.deleted", "deleted the organization {thing}"),
    Action("organization.restored", "restored the organization {thing}"),
    Action("member.invited", "invited {thing}"),
    Action("invitation.revoked", "took the invitation of {thing} back"),
    Action("invitation.accepted", "accepted the invitation of {thing}"),
    Action("member.joined", "joined"),
    Action("member.role_changed", "changed the role of {thing}"),
    Action("member.removed", "removed {thing}"),
    Action("member.left", "left"),
    Action("ownership.transferred", "handed the organization over to {thing}"),
    Action("project.created", "made the project {thing}"),
    Action("project.updated", "changed the project {thing}"),
    Action("project.deleted", "deleted the project {thing}"),
    Action("key.created", "made the key {thing}"),
    Action("key.regenerated", "regenerated the key {thing}"),
    Action("key.revoked", "revoked the key {thing}"),
    Action("identity.banned", "banned an identity from the project {thing}"),
    Action("identity.unbanned", "let a banned identity into the project {thing} again"),
    Action("audit.exported", "exported the audit log"),
    Action("audit.checkpoints_changed", "changed where checkpoints of the audit log go"),
    Action("audit.trimmed", "removed what is kept no longer from the audit log"),
    Action("incident.opened", "told of the incident {thing}"),
    Action("incident.updated", "told how the incident {thing} goes"),
    Action("organization.viewed", "looked at the organization {thing}"),
    Action("people.viewed", "looked at the people of {thing}"),
    Action("key.viewed", "looked at the keys of {thing}"),
    Action("token.created", "minted a token of the project {thing}"),
    Action("token.validated", "looked at a token of the project {thing}"),
    Action("room.changed", "changed a room of the project {thing}"),
    Action("token.revoked", "revoked tokens of the project {thing}"),
)

ACTIONS: Mapping[str, Action] = {action.name: action for action in _ALL}


# What an actor without the permission was about to do. Reading and minting are told of only when they are refused.
REFUSED: Mapping[Permission, str] = {
    Permission.VIEW: "organization.viewed",
    Permission.PEOPLE_VIEW: "people.viewed",
    Permission.PROJECTS_CREATE: "project.created",
    Permission.PROJECTS_CHANGE: "project.updated",
    Permission.PROJECTS_DELETE: "project.deleted",
    Permission.KEYS_VIEW: "key.viewed",
    Permission.KEYS_CREATE: "key.created",
    Permission.KEYS_REGENERATE: "key.regenerated",
    Permission.KEYS_REVOKE: "key.revoked",
    Permission.TOKENS_CREATE: "token.created",
    Permission.TOKENS_VALIDATE: "token.validated",
    Permission.TOKENS_REVOKE: "token.revoked",
    Permission.ROOMS_CHANGE: "room.changed",
    Permission.BANS_CHANGE: "identity.banned",
    Permission.MEMBERS_INVITE: "member.invited",
    Permission.MEMBERS_CHANGE: "member.role_changed",
    Permission.MEMBERS_REMOVE: "member.removed",
    Permission.ORGANIZATION_CHANGE: "organization.updated",
    Permission.ORGANIZATION_TRANSFER: "ownership.transferred",
    Permission.ORGANIZATION_DELETE: "organization.deleted",
}


def said(action: str, status: str, thing: str) -> Said:
    """What an entry says after its actor's name; an action that is not in the catalog stays readable."""
    known = ACTIONS.get(action)
    if status != "success" and not (known and known.fails):
        return Said("was refused ", action, "")
    if known is None:
        return Said(f"{action} ", thing, "")
    before, named, after = known.sentence.partition(THING)
    return Said(before, thing if named else "", after)
