"""Where checkpoints of the audit log go by themselves: told to everybody, and said by owners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from pulse_dash.core import accounts, audit_anchors, projects
from pulse_dash.core.access import Permission, holds
from pulse_dash.core.audit_anchors import Setting
from pulse_dash.core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from pulse_dash.core.keys import ShownKey
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.dialogs import FollowedState
from pulse_dash.state.forms import iso, text
from pulse_dash.state.secret import SecretState

_MOST_PROJECTS = 100


@dataclass(frozen=True)
class WayShown:
    """One way that checkpoints leave: whose it is, how the last one went, and what is the matter."""

    what: str
    where: str
    arrived_at: str
    entry: str
    failed: str
    failed_at: str


@dataclass(frozen=True)
class BucketChoice:
    """A project with a bucket of its own."""

    project_id: str
    name: str


class AnchorsState(FollowedState, PulseState):
    """The ways out; `changes` closes the dialog."""

    _subjects = ("audit_anchors:",)
    ways: list[WayShown] = []
    may_change: bool = False
    webhook_url: str = ""
    project_id: str = ""
    choices: list[BucketChoice] = []

    @rx.event
    async def change(self, form_data: dict[str, Any]) -> object:
        """Let them go where the form says; an empty field takes a way away."""
        work = await self._work()
        webhook, project_id = text(form_data, "webhook_url").strip(), text(form_data, "project_id")
        here = (await accounts.me(work)).organization
        if here is None:
            return None
        try:
            found = await audit_anchors.change(
                work, here.id, webhook_url=webhook or None, project_id=project_id or None
            )
        except (Invalid, Conflict, Forbidden, NotFound, Unavailable) as refused:
            self.errors = self._sentences(refused)
            return None
        self.errors, self.changes = {}, self.changes + 1
        await self._read(work)
        if found.secret is not None:
            (await self.get_state(SecretState))._show(ShownKey(here.id, "", found.host, found.secret))
            return SecretState.fade
        return rx.toast.success("The next checkpoint leaves within a minute." if self.ways else "None leaves any more.")

    async def _read(self, work: Work) -> None:
        try:
            here = (await accounts.me(work)).organization
            if here is None:
                return
            self._fill(await audit_anchors.read(work, here.id))
            self.may_change = holds(work.actor, Permission.ORGANIZATION_CHANGE, here.id)
            found = await projects.listing(work, org_id=here.id, limit=_MOST_PROJECTS)
            self.choices = [BucketChoice(each.id, each.name) for each in found.items if each.storage is not None]
        except NotFound:
            return
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id
            return
        self.loaded, self.problem = True, ""

    def _fill(self, setting: Setting) -> None:
        anchors, own = setting.anchors, setting.project and setting.project.storage
        named = {
            "webhook": ("Webhook", setting.host),
            "bucket": ("Bucket", own.bucket if own is not None else "a bucket that is gone"),
        }
        self.ways = [_way(setting, way, *named[way]) for way in anchors.targets]
        self.webhook_url, self.project_id = anchors.webhook_url or "", anchors.project_id or ""


def _way(setting: Setting, way: str, what: str, where: str) -> WayShown:
    arrived, failed = setting.anchors.arrived.get(way), setting.anchors.failed.get(way)
    return WayShown(
        what=what,
        where=where,
        arrived_at=iso(arrived.at) if arrived is not None else "",
        entry=f"{arrived.sequence:,}" if arrived is not None else "",
        failed=failed.sentence if failed is not None else "",
        failed_at=iso(failed.at) if failed is not None else "",
    )
