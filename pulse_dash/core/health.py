"""Whether this node can serve: what must work, and what is only told by name and colour."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from pulse_dash.core import silence
from pulse_dash.core.access import open_because
from pulse_dash.core.errors import PulseError
from pulse_dash.core.media_servers import installations
from pulse_dash.core.work import Work

Colour = Literal["green", "red"]


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One part; `needed` ones turn the whole node red."""

    name: str
    colour: Colour
    needed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """All parts at one moment."""

    parts: tuple[PartHealth, ...]

    @property
    def ready(self) -> bool:
        return all(part.colour == "green" for part in self.parts if part.needed)


@open_because("load balancers ask, and learn names and colours only")
async def look(work: Work) -> Health:
    """Ask every part whether it works."""
    fresh = work.parts.freshness
    database, livekit = await asyncio.gather(_database(work), _livekit(work))
    feed = PartHealth("changes_feed", "green" if fresh.good else "red", True, f"read {fresh.age:.1f} s ago")
    return Health((database, feed, livekit, *_events(work)))


def _events(work: Work) -> tuple[PartHealth, ...]:
    """Whether LiveKit tells by itself what happens; nothing is said of it while the installation's is away."""
    snapshot = work.parts.live.now
    if snapshot is None or snapshot.away >= installations(work.parts).keys():
        return ()
    if not snapshot.silent:
        return (PartHealth("livekit_events", "green", False),)
    lines = silence.installation_yaml(work.parts, min(snapshot.silent))
    detail = f"Rooms have run for 30 seconds and LiveKit told nothing of them. Put into its livekit.yaml:\n{lines}"
    return (PartHealth("livekit_events", "red", False, detail),)


async def _database(work: Work) -> PartHealth:
    try:
        await work.parts.store.engine.ping()
    except PulseError as error:
        return PartHealth("database", "red", True, error.detail)
    return PartHealth("database", "green", True, work.parts.store.engine.name)


async def _livekit(work: Work) -> PartHealth:
    try:
        await work.parts.livekit.ping()
    except PulseError as error:
        return PartHealth("livekit", "red", False, error.detail)
    return PartHealth("livekit", "green", False, work.parts.livekit.url)
