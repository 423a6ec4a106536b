"""Where the side and the search lead: one line a page, in the group where people look for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """The groups of the side, in its order; the word stands above the group once it has more than one link."""

    HOME = ""
    PRODUCT = "Product"
    ORGANIZATION = "Organization"


@dataclass(frozen=True, slots=True)
class Place:
    """A page that can be jumped to; `also` are other words that people type when they look for it."""

    path: str
    icon: str
    name: str
    group: Group
    also: str = ""


# One line per page, in the order of the drawing: Video & Audio, Chat, Activity feeds, Moderation, Webhooks;
# Team, Billing, Audit log, Status.
PLACES: tuple[Place, ...] = (
    Place("/", "layout-dashboard", "Dashboard", Group.HOME, also="home overview figures"),
    Place("/projects", "folder-kanban", "Projects", Group.HOME, also="apps keys"),
    Place("/team", "users", "Team", Group.ORGANIZATION, also="members people roles invite"),
    Place("/audit", "scroll-text", "Audit log", Group.ORGANIZATION, also="history who did what verify export"),
    Place("/service-status", "activity", "Status", Group.ORGANIZATION, also="health uptime incidents latency down"),
)

# Not in the side: the menu beside its name leads there.
ORGANIZATIONS = Place(
    "/organizations", "building-2", "Organizations", Group.HOME, also="tenants restore deleted switch create"
)
