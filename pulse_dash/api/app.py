"""The API as one ASGI app: the fast lane in front, FastAPI behind, and what stands before both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Scope

from pulse_dash.api import (
    audit,
    audit_anchors,
    audit_verify,
    auth,
    bans,
    connections,
    docs,
    health,
    hot,
    incidents,
    invitation_page,
    keys,
    livekit_webhook,
    organizations,
    outbox,
    personal_tokens,
    problems,
    projects,
    rooms,
    second_factor,
    session_forms,
    sessions,
    status,
    status_feeds,
    status_page,
    status_subscription_page,
    status_subscriptions,
    team,
    tokens,
    webhook_deliveries,
    webhooks,
)
from pulse_dash.api.headers import Answer
from pulse_dash.api.hot import HotLane, OpenRoute
from pulse_dash.api.middleware import Accounted, JsonBodies, OpenHeads, Routed
from pulse_dash.api.openapi import describe_truthfully
from pulse_dash.api.path_names import PathNames
from pulse_dash.services import Services

HOT = (*tokens.HOT, *status.HOT)
# Those that memory can answer, as the server knows them.
FAST = frozenset(
    (route.method.encode(), route.path.encode())
    for route in HOT
    if isinstance(route, OpenRoute) or route.at_once is not None
)

_ASKED_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "X-Pulse-Key",
    "X-Pulse-Secret",
    "X-Request-Id",
)
_SHOWN_HEADERS = ("ETag", "Idempotent-Replayed", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id")


def make_fastapi(services: Services) -> FastAPI:
    """FastAPI with every route."""
    api = FastAPI(
        title="Pulse Control Plane",
        version="1",
        description="Rooms, tokens and projects on your own LiveKit.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.state.services = services
    problems.install(api)
    hot.describe(api, HOT)
    for noun in (
        health,
        docs,
        auth,
        sessions,
        second_factor,
        personal_tokens,
        organizations,
        projects,
        connections,
        keys,
        bans,
        webhooks,
        webhook_deliveries,
        rooms,
        audit,
        audit_anchors,
        audit_verify,
        livekit_webhook,
        outbox,
        team,
        invitation_page,
        status,
        status_feeds,
        incidents,
        status_page,
        status_subscriptions,
        status_subscription_page,
        session_forms,
    ):
        api.include_router(noun.router)
    describe_truthfully(api)
    return api


class OtherOrigins(CORSMiddleware):
    """The fast lane for pages of other origins too, whose answers carry more."""

    def __init__(self, lane: HotLane, origins: Sequence[str]) -> None:
        super().__init__(
            lane,
            allow_origins=origins,
            allow_methods=("GET", "POST", "PUT", "DELETE"),
            allow_headers=_ASKED_HEADERS,
            expose_headers=_SHOWN_HEADERS,
            max_age=600,
        )
        self._lane = lane

    def at_once(self, scope: Scope, body: bytes) -> Answer | None:
        """As the lane's, for whoever comes from no page."""
        if any(name == b"origin" for name, _ in scope["headers"]):
            return None
        answer = self._lane.at_once(scope, body)
        if answer is None:
            return None
        status, lines, content = answer
        return status, lines + b"vary: Origin\r\n", content


def make_api(services: Services) -> HotLane | OtherOrigins:
    """The whole API. It needs an outer app that gives each request its id and each answer its headers."""
    app: Any = PathNames(Routed(make_fastapi(services)), rooms.router.prefix)
    lane = HotLane(Accounted(JsonBodies(OpenHeads(app))), HOT, services)
    origins = services.settings.cors_origins
    return OtherOrigins(lane, origins) if origins else lane
