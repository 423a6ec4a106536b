"""The dashboard: figures of the organization now, thirty days of tokens, the way to a first participant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from pulse_dash.core import figures
from pulse_dash.core.errors import NotFound, SecondFactorNeeded, Unavailable
from pulse_dash.core.figures import DayFigure, Overview
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.plots import layout
from pulse_dash.state.shell import ShellState


@dataclass(frozen=True)
class DayRow:
    """One day of the table beside the chart."""

    day: str
    tokens: str
    requests: str


@dataclass(frozen=True)
class Step:
    """One step of the way to the first participant; `href` is where it is done."""

    number: int
    name: str
    note: str
    done: bool
    href: str
    action: str


class DashboardState(PulseState):
    """What the dashboard shows of one organization."""

    loaded: bool = False
    problem: str = ""
    reference: str = ""
    livekit_answers: bool = True
    livekit_command: str = ""
    sentence: str = ""
    people_live: str = ""
    rooms_live: str = ""
    tokens_today: str = ""
    tokens_change: str = ""
    tokens_tone: str = ""
    tokens_yesterday: str = ""
    requests_month: str = ""
    requests_today: str = ""
    projects: int = 0
    figure: dict[str, Any] = {}
    chart_says: str = ""
    compares: bool = False
    any_tokens: bool = False
    days: list[DayRow] = []
    steps: list[Step] = []
    steps_done: int = 0
    try_at: str = ""

    @rx.event
    async def load(self) -> None:
        """Read the figures of the organization that is worked in."""
        shell = await self.get_state(ShellState)
        work = await self._work()
        if not shell._organization_id:
            return
        self.livekit_command = work.parts.policy.livekit_command
        try:
            self._fill(await figures.overview(work, shell._organization_id))
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Keep them true while the page is looked at."""
        async for work in self._listen("live:", "projects:", "tallies:"):
            async with self:
                shell = await self.get_state(ShellState)
                organization = shell._organization_id if self.loaded else ""
            if not organization:
                # The page's own load comes first.
                continue
            try:
                fresh = await figures.overview(work, organization)
            except (NotFound, SecondFactorNeeded, Unavailable):
                # The figures stay as they were; the next round asks again.
                continue
            async with self:
                self._fill(fresh)

    def _fill(self, now: Overview) -> None:
        self.problem = self.reference = ""
        self.livekit_answers = now.people_live is not None
        self.projects = now.projects
        self.people_live = _count(now.people_live)
        self.rooms_live = _count(now.rooms_live)
        self.tokens_today = _count(now.tokens_today)
        self.tokens_yesterday = _count(now.tokens_yesterday)
        self.tokens_change, self.tokens_tone = _change(now.tokens_today, now.tokens_yesterday)
        self.requests_month = _count(now.requests_month)
        self.requests_today = _count(now.requests_today)
        self.sentence = _sentence(now)
        self.days = [
            DayRow(f"{each.day:%-d %B %Y}", _count(each.tokens), _count(each.requests)) for each in reversed(now.days)
        ]
        self.figure = _figure(now.days)
        before = sum(each.tokens_before for each in now.days)
        self.compares = before > 0
        self.any_tokens = before > 0 or any(each.tokens for each in now.days)
        self.chart_says = (
            f"Tokens per day over {len(now.days)} days: {sum(each.tokens for each in now.days):,} in all, "
            f"{now.tokens_today:,} today" + (f"; {before:,} in the thirty days before." if before else ".")
        )
        self._fill_steps(now)
        self.loaded = True

    def _fill_steps(self, now: Overview) -> None:
        way = now.checklist
        project = f"/projects/{way.project.id}" if way.project else "/projects"
        self.try_at = f"{project}?tab=try" if way.project else ""
        name = way.project.name if way.project else "It holds keys, rooms and figures"
        self.steps = [
            Step(1, "Create a project", name, way.created_project, "", ""),
            Step(2, "Copy its key and secret", "Done once your server uses them", way.used_key, project, "Copy"),
            Step(3, "Mint a token", "curl, Python, JavaScript", way.minted_token, self.try_at or project, "Mint"),
            Step(4, "Join a room", "From your app or right here", way.joined_room, self.try_at or project, "Try it"),
        ]
        self.steps_done = way.done


def _count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


def _change(today: int, yesterday: int) -> tuple[str, str]:
    if today == yesterday:
        return "", ""
    difference = today - yesterday
    return f"{difference:+,}".replace("-", "−"), "good" if difference > 0 else ""


def _plural(number: int, one: str, many: str) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
    return f"{words[number] if number < len(words) else f'{number:,}'} {one if number == 1 else many}"


def _sentence(now: Overview) -> str:
    if now.projects == 0:
        return "No projects yet. The first one takes a name and a click."
    projects = _plural(now.projects, "project", "projects")
    if now.rooms_live is None:
        return f"{projects}. LiveKit does not answer, so nobody can join a room."
    rooms = f"{now.rooms_live:,} {'room' if now.rooms_live == 1 else 'rooms'}" if now.rooms_live else "no room"
    return f"{projects}, {rooms} live.{' Everything is operational.' if now.operational else ''}"


def _figure(days: list[DayFigure]) -> dict[str, Any]:
    """Plotly's own shape; colours and fonts are the stylesheet's. Whole dates and numbers only, no text of anybody."""
    highest = max((max(each.tokens, each.tokens_before) for each in days), default=0)
    return {
        "data": [
            # First, so that it lies behind; while there is nothing to compare with it is not drawn.
            {
                "type": "scatter",
                "mode": "lines",
                "x": [each.day.isoformat() for each in days],
                "y": [each.tokens_before for each in days],
                "visible": any(each.tokens_before for each in days),
                "line": {"width": 1.5, "dash": "4px,4px"},
                "hovertemplate": "%{y:,} thirty days before<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "lines",
                "x": [each.day.isoformat() for each in days],
                "y": [each.tokens for each in days],
                "fill": "tozeroy",
                "line": {"width": 2},
                "hovertemplate": "%{y:,} tokens<extra></extra>",
            },
            # Today, which still grows.
            {
                "type": "scatter",
                "mode": "markers",
                "x": [each.day.isoformat() for each in days[-1:]],
                "y": [each.tokens for each in days[-1:]],
                "marker": {"size": 8, "line": {"width": 2}},
                "cliponaxis": False,
                "hoverinfo": "skip",
            },
        ],
        "layout": layout(
            xaxis={
                # A dot at the end would make room for itself beyond today.
                "range": [days[0].day.isoformat(), days[-1].day.isoformat()] if days else None,
                "tickformat": "%-d %b",
            },
            yaxis={
                "tickformat": ",d",
                # An empty month is drawn as a flat line on a scale of people's numbers, not of fractions.
                **({"range": [0, 4], "dtick": 1} if highest < 4 else {}),
            },
        ),
    }
