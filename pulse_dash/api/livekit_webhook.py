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
    """Keep one event of the installation's LiveKit, and answer once it is kept; a second copy is answered the same."""
    return await _kept(request)


@router.post("/webhook/{livekit_id}")
async def receive_own(request: Request, livekit_id: str) -> Response:
    """Keep one event of a project's own LiveKit: it speaks for that project alone, whatever room it names."""
    return await _kept(request, livekit_id)


async def _kept(request: Request, livekit_id: str | None = None) -> Response:
    services: Services = request.app.state.services
    headers = headers_of(request.scope)
    work = services.as_(Anonymous(), call_of(request.scope, services.settings, headers))
    try:
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        await media_events.take(work, await request.body(), authorization, livekit_id=livekit_id)
    except Unauthenticated:
        count_address(work, request.scope)
        raise
    return Response(status_code=200)
