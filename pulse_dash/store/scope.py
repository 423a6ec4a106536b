"""Over which organizations and projects a reader sees. It is data; who may see what is decided in core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Scope:
    """Organizations seen whole, and single projects seen by themselves."""

    organizations: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()
    everything: bool = False

    def filter(self, organization_field: str | None, project_field: str | None) -> dict[str, Any]:
        """The query that holds for what lies inside, given the fields that name its organization and project."""
        if self.everything:
            return {}
        ways: list[dict[str, Any]] = []
        if self.organizations and organization_field:
            ways.append({organization_field: {"$in": sorted(self.organizations)}})
        if self.projects and project_field:
            ways.append({project_field: {"$in": sorted(self.projects)}})
        if not ways:
            return {"_id": {"$in": []}}
        return ways[0] if len(ways) == 1 else {"$or": ways}

    def of_organization(self, org_id: str | None) -> dict[str, Any]:
        """The query for what belongs to this organization, as far as it lies inside; to all inside without one."""
        if org_id is None:
            return self.filter("org_id", None)
        inside = self.everything or org_id in self.organizations
        return {"org_id": org_id} if inside else {"_id": {"$in": []}}


EVERYTHING = Scope(everything=True)
NOTHING = Scope()
