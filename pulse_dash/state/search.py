"""The search over everything a person can reach: pages, projects, keys, their organizations, and what can be done.

What is found of projects, keys and organizations is core's, within what this person may see.
"""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from pulse_dash.core import keys, organizations, projects
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.names import has_controls
from pulse_dash.core.projects import Order
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.navigation import ORGANIZATIONS, PLACES
from pulse_dash.state.new_project import NEW_PROJECT
from pulse_dash.state.shell import ShellState

MOST_CHARACTERS = 200
_MOST_OF_EACH = 5


@dataclass(frozen=True)
class Hit:
    """One line of what was found, and the one thing it does: `to` is a page, `href` another document."""

    id: str
    group: str
    kind: str
    name: str
    note: str = ""
    to: str = ""
    href: str = ""
    organization: str = ""
    opens: str = ""
    theme: str = ""


@dataclass(frozen=True)
class _Known:
    """What is found by its words alone."""

    hit: Hit
    also: str
    needs_organization: bool = False
    unasked: bool = True


_GO, _DO = "Go to", "Do"
_KNOWN: tuple[_Known, ...] = (
    *(
        _Known(Hit(place.path, _GO, "page", place.name, to=place.path), place.also, place is not ORGANIZATIONS)
        for place in (*PLACES, ORGANIZATIONS)
    ),
    _Known(Hit("docs", _GO, "docs", "Docs", "Quick start", href="/docs"), "help documentation quickstart curl example"),
    _Known(Hit("docs-api", _GO, "docs", "Docs: API", href="/docs/api"), "rest endpoints errors", unasked=False),
    _Known(Hit("new-project", _DO, "action", "New project…", opens=NEW_PROJECT), "create add make"),
    *(
        _Known(Hit(f"theme-{theme}", _DO, "theme", name, theme=theme), "theme mode appearance colours", unasked=False)
        for theme, name in (("light", "Light theme"), ("dark", "Dark theme"), ("system", "Theme of the system"))
    ),
)


class SearchState(PulseState):
    """What was asked last and what was found; `answers` counts up with each answer, also one that finds the same."""

    asked: str = ""
    answers: int = 0
    hits: list[Hit] = []
    problem: str = ""
    reference: str = ""

    @rx.event
    async def look(self, words: str) -> None:
        """Find what these words say; without any, where people go most."""
        work = await self._work()
        shell = await self.get_state(ShellState)
        asked = words.strip()[:MOST_CHARACTERS]
        # No name holds them, so what is left is what was meant.
        text = "".join(letter for letter in asked if not has_controls(letter))
        try:
            hits = await _found(work, shell, text)
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id
        else:
            self.problem = self.reference = ""
            self.hits = hits
        self.asked = asked
        self.answers += 1


async def _found(work: Work, shell: ShellState, text: str) -> list[Hit]:
    known = [each.hit for each in _KNOWN if _says(each, text) and _is_open(each, shell)]
    pages, actions = ([hit for hit in known if hit.group == group] for group in (_GO, _DO))
    theirs = {choice.id: choice.name for choice in shell.organizations}
    here = shell._organization_id
    found = [
        *await _projects(work, text, here, theirs),
        *(await _keys(work, text) if text else []),
        *await _organizations(work, text, here),
    ]
    # Somebody who types means what is theirs; somebody who does not is on the way to a page.
    return [*found, *pages, *actions] if text and not _begins(pages, text) else [*pages, *found, *actions]


def _says(known: _Known, text: str) -> bool:
    if not text:
        return known.unasked
    said = f"{known.hit.name} {known.also}".lower()
    return all(word in said for word in text.lower().split())


def _is_open(known: _Known, shell: ShellState) -> bool:
    if known.hit.opens == NEW_PROJECT:
        return shell.may.create_projects
    return not (known.needs_organization and shell.homeless)


def _begins(hits: list[Hit], text: str) -> bool:
    return any(hit.name.lower().startswith(text.lower()) for hit in hits)


async def _projects(work: Work, text: str, here: str, theirs: dict[str, str]) -> list[Hit]:
    found = await projects.listing(
        work,
        org_id=None if text else here or None,
        search=text,
        order=Order.NAME if text else Order.NEWEST,
        limit=_MOST_OF_EACH,
    )
    return [
        Hit(
            project.id,
            "Projects",
            "project",
            project.name,
            project.region if project.org_id == here else theirs.get(project.org_id, ""),
            to=f"/projects/{project.id}",
        )
        for project in found.items
    ]


async def _keys(work: Work, text: str) -> list[Hit]:
    found = await keys.search(work, text, limit=_MOST_OF_EACH)
    return [
        Hit(each.key.id, "Keys", "key", each.key.name, each.project.name, to=f"/projects/{each.project.id}")
        for each in found
    ]


async def _organizations(work: Work, text: str, here: str) -> list[Hit]:
    found = await organizations.listing(work, search=text, limit=_MOST_OF_EACH)
    return [
        Hit(each.id, "Switch organization", "organization", each.name, organization=each.id)
        for each in found.items
        if each.id != here
    ]
