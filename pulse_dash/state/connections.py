"""A project's own LiveKit and bucket: what is told of them, giving them, trying them, and the installation's again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import reflex as rx

from pulse_dash.core import connections, projects
from pulse_dash.core.connections import GivenLiveKit, GivenStorage
from pulse_dash.core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from pulse_dash.core.projects import Project
from pulse_dash.core.secret import Secret
from pulse_dash.core.silence import webhook_yaml
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.dialogs import DialogState
from pulse_dash.state.forms import text
from pulse_dash.state.project import ProjectState


@dataclass(frozen=True)
class LiveKitShown:
    """A project's own LiveKit as the page shows it, and the lines of its configuration that send events here."""

    url: str
    key: str
    secret: str
    yaml: str


@dataclass(frozen=True)
class StorageShown:
    """A project's own bucket as the page shows it."""

    provider: str
    bucket: str
    endpoint: str
    region: str
    public_url: str
    key: str
    secret: str


@dataclass(frozen=True)
class TriedShown:
    """What came of a test, and in which colour it is said."""

    sentence: str
    tone: str


class ConnectionsState(DialogState, PulseState):
    """The connections of the project that is looked at; `changes` closes the dialog of what was done."""

    loaded: bool = False
    problem: str = ""
    reference: str = ""
    livekit: LiveKitShown | None = None
    storage: StorageShown | None = None
    tried_livekit: TriedShown | None = None
    tried_storage: TriedShown | None = None
    trying: str = ""

    @rx.event
    async def load(self) -> None:
        """Read them with the project."""
        self.errors, self.trying = {}, ""
        self.tried_livekit = self.tried_storage = None
        project = await self.get_state(ProjectState)
        if project.missing or not project.id:
            return
        work = await self._work()
        try:
            await self._fill(await projects.read(work, project.id))
        except NotFound:
            return
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id

    @rx.event
    async def give_livekit(self, form_data: dict[str, Any]) -> None:
        """Put the project on a LiveKit of its own."""
        given = GivenLiveKit(
            text(form_data, "url").strip(),
            text(form_data, "api_key").strip(),
            Secret(text(form_data, "api_secret").strip()),
        )
        await self._change(livekit=given)

    @rx.event
    async def give_storage(self, form_data: dict[str, Any]) -> None:
        """Let the project store in a bucket of its own."""
        given = GivenStorage(
            provider=text(form_data, "provider"),
            bucket=text(form_data, "bucket").strip(),
            access_key_id=text(form_data, "access_key_id").strip(),
            secret_access_key=Secret(text(form_data, "secret_access_key").strip()),
            endpoint=text(form_data, "endpoint").strip() or None,
            region=text(form_data, "region").strip() or None,
            public_url=text(form_data, "public_url").strip() or None,
        )
        await self._change(storage=given)

    @rx.event
    async def give_up_livekit(self) -> None:
        """The installation's LiveKit again."""
        await self._change(livekit=None)

    @rx.event
    async def give_up_storage(self) -> None:
        """The installation's bucket again."""
        await self._change(storage=None)

    @rx.event
    async def try_livekit(self) -> AsyncIterator[None]:
        """Call it, and say what came of it."""
        self.trying, self.tried_livekit = "livekit", None
        yield
        try:
            self.tried_livekit = await self._tried(connections.try_livekit)
        finally:
            self.trying = ""

    @rx.event
    async def try_storage(self) -> AsyncIterator[None]:
        """Write, read and delete there, and say what came of it."""
        self.trying, self.tried_storage = "storage", None
        yield
        try:
            self.tried_storage = await self._tried(connections.try_storage)
        finally:
            self.trying = ""

    async def _change(self, **what: Any) -> None:
        project = await self.get_state(ProjectState)
        try:
            changed = await projects.change(await self._work(), project.id, **what)
        except (Invalid, Conflict, Forbidden) as refused:
            self.errors = self._sentences(refused)
            return
        self.errors, self.tried_livekit, self.tried_storage = {}, None, None
        self.changes += 1
        await self._fill(changed)

    async def _tried(self, try_it: Any) -> TriedShown:
        project = await self.get_state(ProjectState)
        try:
            tried = await try_it(await self._work(), project.id)
        except (Forbidden, NotFound) as refused:
            return TriedShown(refused.detail, "bad")
        return TriedShown(tried.sentence, "good" if tried.works else "bad")

    async def _fill(self, project: Project) -> None:
        work = await self._work()
        self.livekit = _livekit(project, webhook_yaml(work.parts, project) if project.livekit else "")
        self.storage = _storage(project)
        self.problem = self.reference = ""
        self.loaded = True


def _livekit(project: Project, yaml: str) -> LiveKitShown | None:
    own = project.livekit
    if own is None:
        return None
    return LiveKitShown(own.url, _dotted(own.key_hint), _dotted(own.secret_hint), yaml)


def _storage(project: Project) -> StorageShown | None:
    own = project.storage
    if own is None:
        return None
    return StorageShown(
        provider={"s3": "Amazon S3, or what speaks like it", "r2": "Cloudflare R2"}.get(own.provider, own.provider),
        bucket=own.bucket,
        endpoint=own.endpoint,
        region=own.region,
        public_url=own.public_url or "",
        key=_dotted(own.key_hint),
        secret=_dotted(own.secret_hint),
    )


def _dotted(hint: str) -> str:
    return f"••••••••{hint}"
