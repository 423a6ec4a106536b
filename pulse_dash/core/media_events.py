"""What LiveKit tells us by itself: each event is kept once under LiveKit's own id, and pages are told to look again.

Who may speak for the server was proved at the edge by its signature. What is live is asked of LiveKit itself, because
events come late, twice and in disorder; that somebody was there at all is true whenever it comes.
"""

from __future__ import annotations

from datetime import datetime

from pulse_dash.core.access import open_because
from pulse_dash.core.media import MediaEvent
from pulse_dash.core.rooms import project_of
from pulse_dash.core.work import Work
from pulse_dash.store.media_events import MediaEventRecord


@open_because("the server's signature was checked before")
async def take(work: Work, event: MediaEvent) -> bool:
    """Keep an event; False for one that was there already, which changes nothing. Raises Unavailable."""
    system = work.as_system("keep a LiveKit event")
    # First, because LiveKit repeats an event that was not kept; and it may be repeated.
    if event.type == "participant_joined" and (project_id := project_of(event.room or "")):
        await _note_first(system, project_id, event.at)
    fresh = await system.store.media_events.keep(
        MediaEventRecord(
            id=f"{work.parts.livekit.api_key}:{event.id}",
            livekit=work.parts.livekit.api_key,
            type=event.type,
            room=event.room,
            at=event.at,
            received_at=work.clock.now(),
            body=event.body,
        )
    )
    if fresh:
        if event.type == "participant_joined" and project_of(event.room or ""):
            work.parts.bus.say(f"joined:{event.room}")
        work.parts.bus.say("livekit:")
    return fresh


async def _note_first(system: Work, project_id: str, at: datetime) -> None:
    """LiveKit counts who is in a room seconds later, and whoever has left by then would never have been there."""
    if await system.store.projects.mark_first(project_id, "first_participant_at", at):
        system.parts.bus.say(f"projects:{project_id}")
