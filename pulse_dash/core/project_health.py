"""A project's own health: facts about its keys, its LiveKit, its storage and its events, each with what to do.

It asks the project's LiveKit once, within a bound; whether the installation works is status's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pulse_dash.core import silence
from pulse_dash.core.access import Permission, requires
from pulse_dash.core.checks import Status
from pulse_dash.core.errors import PulseError
from pulse_dash.core.keys import is_unused
from pulse_dash.core.media_servers import place_of, server_of
from pulse_dash.core.work import Work
from pulse_dash.store.projects import Project

_SECONDS = 3.0
_WORST_FIRST: tuple[Status, ...] = ("down", "degraded", "unknown")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing about a project; `advice` is empty where there is nothing to do, `paste` where nothing is to be put
    into a file."""

    name: str
    status: Status
    sentence: str
    advice: str = ""
    paste: str = ""


@dataclass(frozen=True, slots=True)
class ProjectHealth:
    """All facts; the worst is the whole's."""

    project: Project
    facts: Sequence[Fact]

    @property
    def status(self) -> Status:
        of = {fact.status for fact in self.facts}
        worst: list[Status] = [each for each in _WORST_FIRST if each in of]
        return worst[0] if worst else "operational"


@requires(Permission.VIEW)
async def of_project(work: Work, project_id: str) -> ProjectHealth:
    """What its people should know of a project now. Raises NotFound, Unavailable."""
    project = await work.store.projects.get(project_id)
    livekit = await _livekit(work, project)
    facts = [await _keys(work, project), livekit, *_storage(work, project)]
    if livekit.status == "operational":
        facts.append(await _events(work, project))
    return ProjectHealth(project, facts)


async def _keys(work: Work, project: Project) -> Fact:
    all_keys = await work.as_system("how a project's keys are used").store.keys.of_project(project.id)
    keys = [key for key in all_keys if key.revoked_at is None]
    if not keys:
        return Fact("keys", "degraded", "The project has no key.", "Make one: without it nothing can mint tokens.")
    used = [key.last_used_at for key in keys if key.last_used_at is not None]
    if not used:
        return Fact("keys", "unknown", "No key was used yet.", "Mint the first token with POST /v1/tokens/create.")
    newest, idle = max(used), sum(is_unused(key, work.clock.now()) for key in keys)
    said = f"A key was used last at {newest:%Y-%m-%d %H:%M} UTC."
    advice = f"{idle} of {len(keys)} were not used for 30 days: revoke what nobody needs." if idle else ""
    return Fact("keys", "operational", said, advice)


async def _livekit(work: Work, project: Project) -> Fact:
    region = place_of(work.parts, project)
    own = "the project's own LiveKit" if region is None else f"the LiveKit of {region or 'the installation'}"
    try:
        async with asyncio.timeout(_SECONDS):
            await server_of(work.parts, project).livekit.ping()
    except TimeoutError:
        said = f"No answer of {own} within {_SECONDS:g} seconds."
    except PulseError as error:
        # The installation's address is its operator's; the sentence about the project's own is its people's.
        said = error.detail if project.livekit else f"{own[0].upper()}{own[1:]} does not answer."
    else:
        return Fact("livekit", "operational", f"A signed call to {own} was answered.")
    todo = "Look at its address, key and secret under Connections." if project.livekit else "See /status."
    return Fact("livekit", "down", said, todo)


def _storage(work: Work, project: Project) -> list[Fact]:
    """The project's own bucket is tried by who may change it; the installation's is checked anyway. Where there is
    none, nothing is said of it."""
    if project.storage is not None:
        said, advice = "The project has a bucket of its own.", "Test it: POST …/storage/test writes, reads."
        return [Fact("storage", "unknown", said, advice)]
    found = next((each for each in work.parts.board.standings() if each.component.name == "storage"), None)
    if found is None:
        return []
    state = found.result.status if found.result else "unknown"
    advice = "" if state == "operational" else "See /status."
    return [Fact("storage", state, f"The installation's bucket is {state}.", advice)]


async def _events(work: Work, project: Project) -> Fact:
    found = await silence.of(work, project_id=project.id)
    if found is None:
        return Fact("events", "operational", "Nothing is missing of what LiveKit tells.")
    whose = "" if found.own else ", or give them to whoever runs this installation"
    advice = f"Put these lines into livekit.yaml{whose}."
    return Fact("events", "degraded", "LiveKit runs rooms and tells nothing of them.", advice, found.yaml)
