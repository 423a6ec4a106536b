"""What LiveKit tells us by itself: each event is kept once under LiveKit's own id, and pages are told to look again.

Who may speak for a server is proved by its signature. What is live is asked of LiveKit itself, because
events come late, twice and in disorder; that somebody was there at all is true whenever it comes.
"""

from __future__ import annotations

from datetime import datetime

from pulse_dash.core import webhook_deliveries
from pulse_dash.core.access import open_because
from pulse_dash.core.errors import RateLimited, Unauthenticated, Unavailable
from pulse_dash.core.media import MediaEvent
from pulse_dash.core.media_servers import installations, server_of
from pulse_dash.core.room_names import project_of
from pulse_dash.core.work import Work
from pulse_dash.store.media_events import MediaEventRecord
from pulse_dash.store.projects import Project

OWN_EVENTS_PER_MINUTE = 3_000


@open_because("the server's own signature is the proof")
async def take(work: Work, body: bytes, authorization: str, *, livekit_id: str | None = None) -> bool:
    """Keep an event that one of the installation's LiveKits signed, or the one under this id; False for one that was
    there.

    Raises Unauthenticated, Invalid, RateLimited, Unavailable."""
    if livekit_id is None:
        region, event = _signed(work, body, authorization)
        return await keep(work, event, region=region)
    project = await work.as_system("whose LiveKit speaks").store.projects.by_livekit(livekit_id)
    if project is None:
        raise Unauthenticated
    livekit = server_of(work.parts, project).livekit
    event = livekit.signed_event(body, authorization, now=work.clock.time())
    # Each is kept for 90 days, and a tenant holds the key that signs them.
    allowance = work.parts.rates.hit("livekit events", project.id, OWN_EVENTS_PER_MINUTE)
    if not allowance.allowed:
        raise RateLimited(allowance.reset)
    return await keep(work, event, own=project)


@open_because("take has checked the server's signature")
async def keep(work: Work, event: MediaEvent, *, own: Project | None = None, region: str = "") -> bool:
    """Keep an event; False for one that was there already, which changes nothing. Raises Unavailable.

    What a project's own LiveKit says speaks for that project, whatever its rooms are called; `region` is the one
    whose LiveKit said it."""
    system = work.as_system("keep a LiveKit event")
    project_id = own.id if own else project_of(event.room or "")
    source = own.livekit.id if own and own.livekit else installations(work.parts)[region].api_key
    # First, because LiveKit repeats an event that was not kept; and both may be repeated.
    if event.type == "participant_joined" and project_id:
        await _note_first(system, project_id, event.at)
    if project_id:
        kept_as = f"{source}:{event.id}"
        await webhook_deliveries.tell(system, event, kept_as=kept_as, project_id=project_id, own=own is not None)
    fresh = await system.store.media_events.keep(
        MediaEventRecord(
            id=f"{source}:{event.id}",
            livekit=source,
            type=event.type,
            room=event.room,
            at=event.at,
            received_at=work.clock.now(),
            body=event.body,
        )
    )
    if fresh:
        # Who is in is held accountable on the installation's LiveKits alone.
        if event.type == "participant_joined" and project_id and own is None:
            work.parts.bus.say(f"joined:{region}:{event.room}")
        work.parts.bus.say("livekit:")
    return fresh


def _signed(work: Work, body: bytes, authorization: str) -> tuple[str, MediaEvent]:
    """The event, and the region whose LiveKit signed it; each has a key of its own.

    Raises Unauthenticated, Invalid, Unavailable."""
    refusal: Unauthenticated | Unavailable = Unauthenticated()
    for region, livekit in installations(work.parts).items():
        try:
            return region, livekit.signed_event(body, authorization, now=work.clock.time())
        except (Unauthenticated, Unavailable) as refused:
            refusal = refused
    raise refusal


async def _note_first(system: Work, project_id: str, at: datetime) -> None:
    """LiveKit counts who is in a room seconds later, and whoever has left by then would never have been there."""
    if await system.store.projects.mark_first(project_id, "first_participant_at", at):
        system.parts.bus.say(f"projects:{project_id}")
