"""Where LiveKit's own signed webhook arrives (docs.livekit.io/home/server/webhooks)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from pulse_dash.api.principals import call_of, count_address, headers_of
from pulse_dash.core import media_events
from pulse_dash.core.access import Anonymous
from pulse_dash.core.errors import Unauthenticated
from pulse_dash.services import Services

router = APIRouter(prefix="/v1/internal/livekit", include_in_schema=False)


@router.post("/webhook")
async def receive(request: Request) -> Response:
    """Keep one event, and answer once it is kept; a second copy is answered the same."""
    services: Services = request.app.state.services
    headers = headers_of(request.scope)
    work = services.as_(Anonymous(), call_of(request.scope, services.settings, headers))
    try:
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        event = work.parts.livekit.signed_event(await request.body(), authorization, now=work.clock.time())
    except Unauthenticated:
        count_address(work, request.scope)
        raise
    await media_events.take(work, event)
    return Response(status_code=200)
