"""What a page offers somebody: no more than core would do for them. It hides; refusing stays with core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pulse_dash.core.access import Actor, Permission, holds


@dataclass(frozen=True)
class Offered:
    """What a role may change of an organization's projects, a flag for each thing a page offers."""

    create_projects: bool = False
    change_projects: bool = False
    delete_projects: bool = False
    create_keys: bool = False
    regenerate_keys: bool = False
    revoke_keys: bool = False
    create_tokens: bool = False
    validate_tokens: bool = False
    change_bans: bool = False


NEEDS: Mapping[str, Permission] = {
    "create_projects": Permission.PROJECTS_CREATE,
    "change_projects": Permission.PROJECTS_CHANGE,
    "delete_projects": Permission.PROJECTS_DELETE,
    "create_keys": Permission.KEYS_CREATE,
    "regenerate_keys": Permission.KEYS_REGENERATE,
    "revoke_keys": Permission.KEYS_REVOKE,
    "create_tokens": Permission.TOKENS_CREATE,
    "validate_tokens": Permission.TOKENS_VALIDATE,
    "change_bans": Permission.BANS_CHANGE,
}
# Before it is known who looks: what most may is not seen to come and go.
ALL_OF_IT = Offered(**dict.fromkeys(NEEDS, True))


def offered(actor: Actor, org_id: str) -> Offered:
    """What this actor may do there."""
    return Offered(**{name: holds(actor, permission, org_id) for name, permission in NEEDS.items()})
