"""A project's webhooks: which addresses are told, making and changing them, and what they were told lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import reflex as rx

from pulse_dash.core import project_webhooks, webhook_deliveries
from pulse_dash.core.access import Permission, holds
from pulse_dash.core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from pulse_dash.core.keys import ShownKey
from pulse_dash.core.project_webhooks import MOST, GivenWebhook, ShownWebhook, Webhook
from pulse_dash.core.webhook_deliveries import Told, WebhookDelivery
from pulse_dash.core.webhook_events import SAMPLES
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.dialogs import DialogState
from pulse_dash.state.forms import iso, text
from pulse_dash.state.lists import asked_choice, list_at
from pulse_dash.state.project import ProjectState
from pulse_dash.state.secret import SecretState

_PAGE = 25
_LONGEST_URL = 2048
_EVENT = "event-"
_HEARD = ("webhooks:", "webhook_deliveries:", "webhook_delivered:", "organizations:", "users:")
# Those that a form has a box for, and when it is told of them.
WHEN = {
    "room_started": "a room starts",
    "room_ended": "a room ends",
    "participant_joined": "somebody joins",
    "participant_left": "somebody leaves",
}
_STATES = {"waiting": ("Waiting", "warn"), "delivered": ("Delivered", "good"), "dead": ("Given up", "bad")}


@dataclass(frozen=True)
class WebhookRow:
    """One webhook as the page shows it; its secret is nowhere in here."""

    id: str
    url: str
    host: str
    events: list[str]
    # Those that the form has no box for: chosen over the API, they stay.
    besides: list[str]
    told: str
    enabled: bool
    created_at: str


@dataclass(frozen=True)
class DeliveryRow:
    """One thing that a webhook was told, or is to be told."""

    id: str
    type: str
    host: str
    word: str
    tone: str
    outcome: str
    attempts: int
    created_at: str
    next_at: str
    over: bool


class WebhooksState(DialogState, PulseState):
    """The webhooks of the project that is looked at; `changes` closes the dialog of what was done."""

    loaded: bool = False
    hidden: bool = False
    problem: str = ""
    reference: str = ""
    rows: list[WebhookRow] = []
    items: list[DeliveryRow] = []
    chosen: str = ""
    cursor: str = ""
    next_cursor: str = ""

    @rx.var
    def full(self) -> bool:
        """Whether the project has as many as it may."""
        return len(self.rows) >= MOST

    @rx.event
    async def load(self) -> None:
        """Read them as the address asks."""
        query = self.router.url.query_parameters
        self.errors, self.cursor, self.chosen = {}, query.get("cursor", "")[:64], asked_choice(query, "state", _STATES)
        project = await self.get_state(ProjectState)
        if project.missing or not project.id or project.tab != "webhooks":
            return
        await self._read(await self._work(), project)

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Keep both lists true while they are looked at."""
        async for work in self._listen(*_HEARD):
            async with self:
                project = await self.get_state(ProjectState)
                if project.id and project.tab == "webhooks" and self.loaded:
                    await self._read(work, project)

    @rx.event
    async def choose(self, chosen: str) -> object:
        """Only deliveries in this state."""
        return await self._at(chosen, "")

    @rx.event
    async def older(self) -> object:
        """Those before the last one that is shown."""
        return await self._at(self.chosen, self.next_cursor)

    @rx.event
    async def newest(self) -> object:
        """From the beginning again."""
        return await self._at(self.chosen, "")

    @rx.event
    async def create(self, form_data: dict[str, Any]) -> object:
        """Tell one more address, and show its secret once."""
        project = await self.get_state(ProjectState)
        given = GivenWebhook(_url(form_data), _events(form_data))
        try:
            made = await project_webhooks.create(await self._work(), project.id, given)
        except (Invalid, Conflict, Forbidden) as refused:
            self.errors = self._sentences(refused)
            return None
        return await self._shown(project, made)

    @rx.event
    async def change(self, form_data: dict[str, Any]) -> None:
        """Another address, or other events."""
        project, webhook_id = await self.get_state(ProjectState), text(form_data, "webhook_id")
        besides = [event for row in self.rows if row.id == webhook_id for event in row.besides]
        events = [*(_events(form_data) or ()), *besides] or None
        try:
            await project_webhooks.change(
                await self._work(), project.id, webhook_id, url=_url(form_data), events=events
            )
        except (Invalid, Conflict, Forbidden, NotFound) as refused:
            self.errors = self._sentences(refused)
            return
        await self._done(project)

    @rx.event
    async def switch(self, webhook_id: str, enabled: bool) -> object:
        """Tell it nothing for a while, or again."""
        project = await self.get_state(ProjectState)
        try:
            await project_webhooks.change(await self._work(), project.id, webhook_id, enabled=enabled)
        except (Conflict, Forbidden, NotFound) as refused:
            return self._told(refused)
        await self._done(project)
        return None

    @rx.event
    async def rotate(self, form_data: dict[str, Any]) -> object:
        """Give it a new secret, and show that once."""
        project = await self.get_state(ProjectState)
        try:
            made = await project_webhooks.rotate_secret(await self._work(), project.id, text(form_data, "webhook_id"))
        except (Conflict, Forbidden, NotFound) as refused:
            self.errors = self._sentences(refused)
            return None
        return await self._shown(project, made)

    @rx.event
    async def remove(self, form_data: dict[str, Any]) -> None:
        """Tell it nothing any more."""
        project = await self.get_state(ProjectState)
        try:
            await project_webhooks.remove(await self._work(), project.id, text(form_data, "webhook_id"))
        except NotFound:
            # Somebody else was faster; the list shows it.
            pass
        except (Conflict, Forbidden) as refused:
            self.errors = self._sentences(refused)
            return
        await self._done(project)

    @rx.event
    async def test(self, webhook_id: str) -> object:
        """Send it a sample."""
        project = await self.get_state(ProjectState)
        try:
            await webhook_deliveries.test(await self._work(), project.id, webhook_id, event=SAMPLES[2])
        except (Forbidden, NotFound) as refused:
            return self._told(refused)
        await self._done(project)
        return None

    @rx.event
    async def replay(self, delivery_id: str) -> object:
        """Send one that is over once more."""
        project = await self.get_state(ProjectState)
        try:
            await webhook_deliveries.replay(await self._work(), project.id, delivery_id)
        except (Conflict, Forbidden, NotFound) as refused:
            return self._told(refused)
        await self._done(project)
        return None

    async def _at(self, chosen: str, cursor: str) -> object:
        project = await self.get_state(ProjectState)
        return list_at(f"/projects/{project.id}", tab="webhooks", state=chosen, cursor=cursor)

    async def _shown(self, project: ProjectState, made: ShownWebhook) -> object:
        webhook = made.webhook
        (await self.get_state(SecretState))._show(ShownKey(webhook.id, "", webhook.url, made.secret))
        await self._done(project)
        return SecretState.fade

    async def _done(self, project: ProjectState) -> None:
        self.errors = {}
        self.changes += 1
        await self._read(await self._work(), project)

    async def _read(self, work: Work, project: ProjectState) -> None:
        if not holds(work.actor, Permission.WEBHOOKS_CHANGE, project._org_id):
            # To open the tab is not to ask for what is refused, and stands in no log.
            self.hidden, self.loaded, self.rows, self.items = True, True, [], []
            return
        try:
            webhooks = await project_webhooks.listing(work, project.id, limit=MOST)
            told = await self._deliveries(work, project.id)
        except (Forbidden, NotFound):
            return
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id
            return
        self._fill(webhooks.items, told)

    async def _deliveries(self, work: Work, project_id: str) -> Told:
        asked: dict[str, Any] = {"state": self.chosen or None, "limit": _PAGE}
        try:
            return await webhook_deliveries.listing(work, project_id, cursor=self.cursor, **asked)
        except Invalid:
            # Whoever changed the address by hand sees the newest.
            self.cursor = ""
            return await webhook_deliveries.listing(work, project_id, **asked)

    def _fill(self, webhooks: list[Webhook], told: Told) -> None:
        self.rows = [_row(webhook) for webhook in webhooks]
        hosts = {webhook.id: _host(webhook.url) for webhook in webhooks}
        self.items = [_delivery(each, hosts.get(each.webhook_id, "removed")) for each in told.items]
        self.next_cursor = told.next_cursor or ""
        self.problem = self.reference = ""
        self.hidden, self.loaded = False, True


def _url(form: dict[str, Any]) -> str:
    return text(form, "url", most=_LONGEST_URL).strip()


def _events(form: dict[str, Any]) -> list[str] | None:
    """The events that were ticked; none ticked is all."""
    return [event for event in WHEN if f"{_EVENT}{event}" in form] or None


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _row(webhook: Webhook) -> WebhookRow:
    return WebhookRow(
        id=webhook.id,
        url=webhook.url,
        host=_host(webhook.url),
        events=list(webhook.events or ()),
        besides=[event for event in webhook.events or () if event not in WHEN],
        told=_told(webhook.events),
        enabled=webhook.enabled,
        created_at=iso(webhook.created_at),
    )


def _told(events: Sequence[str] | None) -> str:
    """What a webhook is told, in a sentence."""
    if events is None:
        return "Told of everything."
    words = [WHEN[event] for event in WHEN if event in events]
    parts = [f"when {_either(words)}"] if words else []
    if besides := [event for event in events if event not in WHEN]:
        parts.append(f"of {', '.join(besides)}")
    return f"Told {' and '.join(parts)}."


def _either(words: Sequence[str]) -> str:
    *before, last = words
    return f"{', '.join(before)} or {last}" if before else last


def _delivery(delivery: WebhookDelivery, host: str) -> DeliveryRow:
    word, tone = _STATES[delivery.state]
    return DeliveryRow(
        id=delivery.id,
        type=delivery.type,
        host=host,
        word=word,
        tone=tone,
        outcome=delivery.failure or (f"answered {delivery.status}" if delivery.status else ""),
        attempts=delivery.attempts,
        created_at=iso(delivery.created_at),
        next_at=iso(delivery.due_at) if delivery.attempts and delivery.state == "waiting" else "",
        over=delivery.state != "waiting",
    )
