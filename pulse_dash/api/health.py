"""Whether this node lives and can serve, and its metrics. Outside of /v1, and counted against no limit."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pulse_dash.api.bodies import Answer
from pulse_dash.api.principals import client_ip, headers_of
from pulse_dash.core import health
from pulse_dash.core.errors import NotFound, Unauthenticated
from pulse_dash.core.vault import same
from pulse_dash.services import Services

router = APIRouter(tags=["health"])


class Alive(Answer):
    status: Literal["ok"] = "ok"


class PartAnswer(Answer):
    name: str
    colour: Literal["green", "red"]
    needed: bool
    detail: str | None = None


class Ready(Answer):
    ready: bool
    parts: list[PartAnswer]


@router.get("/health", summary="This process lives")
async def alive() -> Alive:
    return Alive()


@router.get("/ready", summary="This node can serve", responses={503: {"model": Ready}})
async def ready(request: Request, response: Response) -> Ready:
    services: Services = request.app.state.services
    seen = await health.look(services.system("readiness"))
    if not seen.ready:
        response.status_code = 503
        response.headers["Retry-After"] = "2"
    near = from_this_machine(request, services)
    return Ready(
        ready=seen.ready,
        parts=[
            PartAnswer(name=part.name, colour=part.colour, needed=part.needed, detail=part.detail if near else None)
            for part in seen.parts
        ],
    )


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    services: Services = request.app.state.services
    wanted = services.settings.metrics_token
    if wanted is not None:
        sent = headers_of(request.scope).get(b"authorization", b"").decode("latin-1").removeprefix("Bearer ")
        if not same(sent, wanted.get_secret_value()):
            raise Unauthenticated
    elif not from_this_machine(request, services):
        raise NotFound
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def from_this_machine(request: Request, services: Services) -> bool:
    """Whether it comes from this machine itself, and not through a proxy on it that forwards somebody else."""
    if b"x-forwarded-for" in headers_of(request.scope) and not services.settings.trusted_proxies:
        return False
    try:
        return ip_address(client_ip(request.scope, services.settings)).is_loopback
    except ValueError:
        return False
