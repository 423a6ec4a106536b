"""The catalog of actions: what each entry of the audit log is called, and the sentence that people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pulse_dash.core.access import Permission

THING = "{thing}"


@dataclass(frozen=True, slots=True)
class Action:
    """`noun.past`, and what follows the actor's name; `{thing}` stands for the name of what was acted on.

    `asked` is what somebody wanted to do who was not allowed to. Its `{thing}` is what they asked in: the project whose
    key it was, the organization that somebody was to be invited to."""

    name: str
    sentence: str
    asked: str
    # Told of as a failure alone, which the sentence says itself.
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence around the name of a thing; `thing` is empty where the sentence names none."""

    before: str
    thing: str
    after: str


_ALL = (
    Action("user.created", "created an account", "create an account"),
    Action("user.verified", "confirmed their address", "confirm an address"),
    Action("user.replaced", "put {thing} out: the address was confirmed by somebody else", "put {thing} out"),
    Action("user.password_reset", "chose a new password by mail", "choose a new password by mail"),
    Action("user.password_changed", "changed their password", "change their password"),
    Action("user.address_changed", "moved to another address", "move to another address"),
    Action("user.erased", "erased the account of {thing}", "erase the account of {thing}"),
    Action("user.renamed", "changed their name", "change their name"),
    Action("second_factor.enabled", "turned their second factor on", "turn their second factor on"),
    Action("second_factor.disabled", "turned their second factor off", "turn their second factor off"),
    Action("second_factor.codes_renewed", "made new recovery codes", "make new recovery codes"),
    Action("second_factor.recovery_code_used", "used a recovery code", "use a recovery code"),
    Action("second_factor.code_wrong", "gave a wrong code of their second factor", "", fails=True),
    Action("second_factor.reset", "took the second factor of {thing} away", "take somebody's second factor away"),
    Action("operator.added", "made {thing} an operator", "make {thing} an operator"),
    Action("operator.removed", "made {thing} an operator no longer", "make {thing} an operator no longer"),
    Action("session.started", "signed in", "sign in"),
    Action("session.refused", "gave a wrong password for the account of {thing}", "", fails=True),
    Action("session.ended", "signed out", "sign out"),
    Action("session.others_ended", "signed out everywhere else", "sign out everywhere else"),
    Action("personal_token.created", "created the personal token {thing}", "create a personal token"),
    Action("personal_token.revoked", "revoked the personal token {thing}", "revoke a personal token"),
    Action("organization.created", "created the organization {thing}", "create an organization"),
    Action("organization.updated", "changed the organization {thing}", "change the organization {thing}"),
    Action("plan.changed", "changed the plan of {thing}", "change the plan of {thing}"),
    Action("organization.deleted", "deleted the organization {thing}", "delete the organization {thing}"),
    Action("organization.restored", "restored the organization {thing}", "restore the organization {thing}"),
    Action("member.invited", "invited {thing}", "invite somebody to {thing}"),
    Action("invitation.revoked", "took the invitation of {thing} back", "take the invitation of {thing} back"),
    Action("invitation.accepted", "accepted the invitation of {thing}", "accept the invitation of {thing}"),
    Action("member.joined", "joined", "join"),
    Action("member.role_changed", "changed the role of {thing}", "change a role in {thing}"),
    Action("member.removed", "removed {thing}", "remove somebody from {thing}"),
    Action("member.left", "left", "leave"),
    Action("ownership.transferred", "handed the organization over to {thing}", "hand {thing} over to somebody"),
    Action("project.created", "created the project {thing}", "create a project in {thing}"),
    Action("project.updated", "changed the project {thing}", "change the project {thing}"),
    Action("project.deleted", "deleted the project {thing}", "delete the project {thing}"),
    Action("key.created", "created the key {thing}", "create a key of {thing}"),
    Action("key.regenerated", "regenerated the key {thing}", "regenerate the keys of {thing}"),
    Action("key.revoked", "revoked the key {thing}", "revoke a key of {thing}"),
    Action("identity.banned", "banned an identity from the project {thing}", "change whom {thing} bans"),
    Action(
        "identity.unbanned",
        "let a banned identity into the project {thing} again",
        "let a banned identity into {thing} again",
    ),
    Action("webhook.created", "created a webhook of the project {thing}", "create a webhook of {thing}"),
    Action("webhook.updated", "changed a webhook of the project {thing}", "see or change webhooks of {thing}"),
    Action("webhook.deleted", "removed a webhook of the project {thing}", "remove a webhook of {thing}"),
    Action("audit.exported", "exported the audit log", "export the audit log"),
    Action(
        "audit.checkpoints_changed",
        "changed where checkpoints of the audit log go",
        "change where checkpoints of the audit log go",
    ),
    Action("audit.trimmed", "removed what is kept no longer from the audit log", "remove anything from the audit log"),
    Action("incident.opened", "told of the incident {thing}", "tell of an incident"),
    Action("incident.updated", "told how the incident {thing} goes", "tell how the incident {thing} goes"),
    Action("organization.viewed", "looked at the organization {thing}", "look at the organization {thing}"),
    Action("people.viewed", "looked at the people of {thing}", "look at the people of {thing}"),
    Action("key.viewed", "looked at the keys of {thing}", "look at the keys of {thing}"),
    Action("token.created", "minted a token of the project {thing}", "mint a token of {thing}"),
    Action("token.validated", "looked at a token of the project {thing}", "look at a token of {thing}"),
    Action("room.changed", "changed a room of the project {thing}", "change a room of {thing}"),
    Action("token.revoked", "revoked tokens of the project {thing}", "revoke tokens of {thing}"),
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
    Permission.WEBHOOKS_CHANGE: "webhook.updated",
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
        return _around(f"was not allowed to {known.asked}", thing) if known else Said("was refused ", action, "")
    return _around(known.sentence, thing) if known else Said(f"{action} ", thing, "")


def _around(sentence: str, thing: str) -> Said:
    before, named, after = sentence.partition(THING)
    return Said(before, thing if named else "", after)
