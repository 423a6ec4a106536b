"""A LiveKit that runs rooms and tells nothing of them: for which projects, and the lines that make it speak.

`livekit-server --dev` sends no webhooks, so this is what many meet first. Which rooms were told of is known by live.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from pulse_dash.core.access import Permission, requires
from pulse_dash.core.errors import NotFound
from pulse_dash.core.media_servers import installations, place_of
from pulse_dash.core.work import Parts, Work
from pulse_dash.store.projects import Project

WEBHOOK_PATH = "/v1/internal/livekit/webhook"
_MOST = 50


@dataclass(frozen=True, slots=True)
class Silence:
    """Of whose rooms nothing is heard, and what to put into livekit.yaml."""

    projects: tuple[str, ...]
    own: bool
    yaml: str


@requires(Permission.VIEW)
async def of(work: Work, *, org_id: str | None = None, project_id: str | None = None) -> Silence | None:
    """What the caller should know of silence in this organization or project; None while all is heard.

    Raises NotFound, Unavailable."""
    if org_id is not None:
        await work.store.organizations.get(org_id)
    if project_id is not None:
        await work.store.projects.get(project_id)
    snapshot = work.parts.live.now
    unheard = snapshot.unheard if snapshot else frozenset[str]()
    if unheard and project_id is not None:
        unheard &= {project_id}
    elif unheard and org_id is not None:
        unheard &= {project.id for project in await work.store.projects.of_organization(org_id)}
    found: list[Project] = []
    for each in sorted(unheard)[:_MOST]:
        try:
            project = await work.store.projects.get(each)
        except NotFound:
            continue
        if org_id in (None, project.org_id):
            found.append(project)
    if not found:
        return None
    # Where a LiveKit of the installation is silent, its lines help more people.
    first = min(found, key=lambda project: project.livekit is not None)
    yaml = webhook_yaml(work.parts, first)
    return Silence(tuple(project.id for project in found), first.livekit is not None, yaml)


def webhook_yaml(parts: Parts, project: Project) -> str:
    """What makes the LiveKit of this project speak. Raises Unavailable."""
    own = project.livekit
    if own is None:
        return installation_yaml(parts, place_of(parts, project) or "")
    return _yaml(parts, f"…{own.key_hint}  # the whole key", f"/{own.id}")


def installation_yaml(parts: Parts, region: str) -> str:
    """What makes a LiveKit of the installation speak: this region's own, or under "" the one that serves all others.

    Raises Unavailable."""
    return _yaml(parts, json.dumps(installations(parts)[region].api_key))


def _yaml(parts: Parts, api_key: str, tail: str = "") -> str:
    url = json.dumps(parts.policy.public_url.rstrip("/") + WEBHOOK_PATH + tail)
    return f"webhook:\n  api_key: {api_key}\n  urls:\n    - {url}"
