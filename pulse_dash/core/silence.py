"""A LiveKit that runs rooms and tells nothing of them: for which projects, and the lines that make it speak.

`livekit-server --dev` sends no webhooks, so this is what many meet first. Which rooms were told of is known by live.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from pulse_dash.core.access import Permission, requires
from pulse_dash.core.errors import NotFound
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
    found: list[Project] = []
    for each in sorted(unheard & {project_id} if project_id else unheard)[:_MOST]:
        try:
            project = await work.store.projects.get(each)
        except NotFound:
            continue
        if org_id in (None, project.org_id):
            found.append(project)
    if not found:
        return None
    own = next((project for project in found if project.livekit is not None), None)
    # Where the installation's LiveKit is silent, its lines help more people.
    shared = any(project.livekit is None for project in found)
    yaml = webhook_yaml(work.parts, None if shared else own)
    return Silence(tuple(project.id for project in found), not shared, yaml)


def webhook_yaml(parts: Parts, project: Project | None = None) -> str:
    """What makes a LiveKit speak: the installation's, or the project's own. Raises Unavailable."""
    own = project.livekit if project else None
    api_key = json.dumps(parts.livekit.api_key) if own is None else f"…{own.key_hint}  # the whole key"
    url = json.dumps(parts.policy.public_url.rstrip("/") + WEBHOOK_PATH + (f"/{own.id}" if own else ""))
    return f"webhook:\n  api_key: {api_key}\n  urls:\n    - {url}"
