"""Which LiveKit a project's rooms run on, and what they are called there.

Most projects share the installation's: that of their region where it has one of its own, else the one that serves all
others. There the project's id stands before each room's name. A project with a LiveKit of its own has that server for
itself and no prefix. How a LiveKit is spoken to is told by media and its adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import orjson

from pulse_dash.core.errors import Unavailable
from pulse_dash.core.media import LiveKit
from pulse_dash.core.room_names import livekit_name, project_of, room_of
from pulse_dash.core.secret import Secret
from pulse_dash.core.vault import Unreadable, Vault
from pulse_dash.store.projects import OwnLiveKit, Project

if TYPE_CHECKING:
    from pulse_dash.core.work import Parts

_MOST_OPEN = 1_000

ConnectLiveKit = Callable[[str, str, Secret], LiveKit]


class MediaServer(NamedTuple):
    """The LiveKit of one project."""

    livekit: LiveKit
    project_id: str
    own: bool

    def name(self, room: str) -> str:
        """What this server calls the project's room."""
        return room if self.own else livekit_name(self.project_id, room)

    def room(self, livekit_room: str) -> str | None:
        """What the customer calls a room of this server; None for one that is not the project's."""
        if self.own:
            return livekit_room
        return room_of(livekit_room) if project_of(livekit_room) == self.project_id else None


class OwnLiveKits:
    """Projects' own LiveKits that this node has opened. What is set anew has a new id, so none is ever out of date."""

    def __init__(self, connect: ConnectLiveKit, vault: Vault) -> None:
        self._connect = connect
        self._vault = vault
        self._open: dict[str, LiveKit] = {}

    def of(self, own: OwnLiveKit) -> LiveKit:
        """The server. Raises Unavailable when its credentials can't be decrypted any more."""
        found = self._open.get(own.id)
        if found is None:
            if len(self._open) >= _MOST_OPEN:
                self._open.pop(next(iter(self._open)))
            found = self._open[own.id] = self._connect(own.url, *self._pair(own))
        return found

    def _pair(self, own: OwnLiveKit) -> tuple[str, Secret]:
        try:
            pair = orjson.loads(self._vault.opened(own.sealed))
        except Unreadable as error:
            raise Unavailable("livekit", "The key of this project's own LiveKit can't be read. Set it anew.") from error
        return pair["key"], Secret(pair["secret"])


def livekit_of(parts: Parts, project: Project) -> LiveKit:
    """The LiveKit of this project, from memory: its own, else its region's, else the one of all. Raises Unavailable."""
    if project.livekit is None:
        return parts.region_livekits.get(project.region, parts.livekit)
    return parts.own_livekits.of(project.livekit)


def installations(parts: Parts) -> Mapping[str, LiveKit]:
    """All LiveKits of the installation by the region that has it, "" for the one that serves all others."""
    return {"": parts.livekit, **parts.region_livekits}


def place_of(parts: Parts, project: Project) -> str | None:
    """Under which of these names the project's is found there; None for a project with a LiveKit of its own."""
    if project.livekit is not None:
        return None
    return project.region if project.region in parts.region_livekits else ""


def server_of(parts: Parts, project: Project) -> MediaServer:
    """The same with what its rooms are called there. Raises Unavailable."""
    return MediaServer(livekit_of(parts, project), project.id, own=project.livekit is not None)
