"""What a server runs: `application` is dashboard and API in one process, `api_only` the API on further nodes.

It decides which of the two a request belongs to, and hands both the services of the one lifespan. What each answers is
theirs; which files the dashboard was built into is frontend's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from pulse_dash import frontend, logs
from pulse_dash.api.app import FAST as FAST  # noqa: PLC0414 - whoever serves an application tells it the server
from pulse_dash.api.app import OtherOrigins, make_api
from pulse_dash.api.browser import Dashboard
from pulse_dash.api.headers import Answer, CarefulAnswers
from pulse_dash.api.hot import HotLane
from pulse_dash.api.principals import client_ip
from pulse_dash.api.session_forms import cookie_of
from pulse_dash.api.sockets import BoundedSockets
from pulse_dash.core import projects, sessions
from pulse_dash.core.errors import Forbidden, NotFound, SignedOut, Unavailable
from pulse_dash.core.networks import network_of
from pulse_dash.core.work import Call, Work
from pulse_dash.lifespan import running
from pulse_dash.services import Services
from pulse_dash.settings import Settings, load_settings, regions_of

# The first part of each path that the API answers, in front of everything that Reflex does.
API = frozenset(
    (
        *("v1", "health", "ready", "metrics", "session", "docs", "openapi.json", "outbox", "invitations"),
        *("status", "status.atom", "api"),
    )
)
# What a project's page is asked for with when it should join rooms on the project's own LiveKit.
OWN_LIVEKIT = b"livekit=own"

OnStart = Callable[[Services], Awaitable[None]]


class People:
    """Who is behind a cookie, asked of the services while they are up."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.services: Services | None = None

    async def work(self, headers: Mapping[str, str], ip: str, request_id: str = "") -> tuple[str, Work]:
        """The id of the cookie's session, and work bound to its person. Raises SignedOut, Unavailable."""
        if self.services is None:
            raise Unavailable("dashboard")
        cookie = cookie_of(headers.get("cookie", "").encode("latin-1", "replace"), self._settings.cookie_name)
        if cookie is None:
            raise SignedOut
        known = await sessions.resume(self.services.system("recognize a visitor"), cookie)
        call = Call(request_id=request_id, ip=ip, user_agent=headers.get("user-agent", ""))
        return known.session.id, self.services.as_(known.actor, call)

    async def session_of(self, scope: Scope) -> str | None:
        """The session behind a request; None for a visitor without one, and while nobody can be recognized."""
        try:
            return (await self.work(_headers(scope), ""))[0]
        except (SignedOut, Unavailable):
            return None

    def address_of(self, scope: Scope) -> str:
        """What a visitor without a session counts as."""
        return network_of(client_ip(scope, self._settings))

    def placed(self, app: ASGIApp) -> ASGIApp:
        """The app, told the visitor's own address where a proxy of ours stands between."""

        async def told(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "client": (client_ip(scope, self._settings), 0)}, receive, send)

        return told

    async def own_livekit(self, scope: Scope) -> str:
        """The own LiveKit of the project whose page asks for it, where the visitor may see the project; else ""."""
        pieces = scope["path"].split("/")
        if scope["query_string"].find(OWN_LIVEKIT) < 0 or len(pieces) < 3 or pieces[1] != "projects":
            return ""
        try:
            work = (await self.work(_headers(scope), ""))[1]
            own = (await projects.read(work, pieces[2])).livekit
        except (SignedOut, NotFound, Forbidden, Unavailable):
            return ""
        return own.url if own else ""

    async def signed_in(self, scope: Scope) -> bool:
        """Whether a visitor goes past the log-in. One with a cookie that nobody can recognize now does, too:
        the HTML of a page says nothing of anybody, and its person must not look signed out."""
        try:
            await self.work(_headers(scope), "")
        except SignedOut:
            return False
        except Unavailable:
            pass
        return True


def _headers(scope: Scope) -> dict[str, str]:
    """The request's cookies, as `People.work` takes them."""
    return {"cookie": "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")}


class _Doors:
    """Sends each request to the house it belongs to. The API is there once services are up."""

    def __init__(self, *, lifespan: ASGIApp, pages: ASGIApp | None = None, sockets: ASGIApp | None = None) -> None:
        self._lifespan = lifespan
        self._pages = pages
        self._sockets = sockets
        self.api: HotLane | OtherOrigins | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        match scope["type"]:
            case "http":
                path = scope["path"]
                first = path[1:].partition("/")[0] if path.startswith("/") else ""
                door = self.api if first in API or self._pages is None else self._pages
            case "websocket":
                door = self._sockets
            case _:
                door = self._lifespan
        return _closed(scope, receive, send) if door is None else door(scope, receive, send)

    def at_once(self, scope: Scope, body: bytes) -> Answer | None:
        """What the API answers from memory."""
        return None if self.api is None else self.api.at_once(scope, body)


async def _closed(scope: Scope, receive: Receive, send: Send) -> None:
    """Before services are up, or a socket where there is no dashboard."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"retry-after", b"2"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def dashboard(settings: Settings, on_start: OnStart | None = None) -> CarefulAnswers:
    """Dashboard and API; `on_start` is told once the parts are up.

    Raises frontend.NotBuilt when the dashboard was not built from these sources."""
    place = frontend.built()
    public = urlsplit(settings.public_url)
    origin = f"{public.scheme}://{public.netloc}"
    # Reflex reads its environment while it is imported, so these two come after it.
    frontend.stand_on(place, origin=origin)
    from pulse_dash.pages import PAGES  # noqa: PLC0415
    from pulse_dash.pulse_dash import app  # noqa: PLC0415

    people = People(settings)

    @asynccontextmanager
    async def services_first() -> AsyncIterator[None]:
        async with running(settings) as services:
            doors.api, people.services, app.visitors = make_api(services), services, people
            try:
                if on_start is not None:
                    await on_start(services)
                yield
            finally:
                doors.api, people.services, app.visitors = None, None, None

    app.open_first(services_first)
    reflex = app()
    doors = _Doors(
        lifespan=reflex,
        sockets=BoundedSockets(
            people.placed(reflex),
            origin=origin,
            session_of=people.session_of,
            address_of=people.address_of,
        ),
        pages=Dashboard(
            frontend.files_of(place),
            public_url=settings.public_url,
            livekit_hosts=(settings.livekit_host, *(region.url for region in regions_of(settings))),
            production=settings.production,
            route_of=app.router,
            public_routes=frozenset(page.route for page in PAGES if page.public),
            signed_in=people.signed_in,
            own_livekit=people.own_livekit,
        ),
    )
    return CarefulAnswers(doors, https=settings.https, at_once=doors.at_once)


def api(settings: Settings, on_start: OnStart | None = None) -> CarefulAnswers:
    """The API alone, with the same lifespan."""

    @asynccontextmanager
    async def services_first(_: Starlette) -> AsyncIterator[None]:
        async with running(settings) as services:
            doors.api = make_api(services)
            try:
                if on_start is not None:
                    await on_start(services)
                yield
            finally:
                doors.api = None

    doors = _Doors(lifespan=Starlette(lifespan=services_first))
    return CarefulAnswers(doors, https=settings.https, at_once=doors.at_once)


def __getattr__(name: str) -> Any:
    """Make `application` and `api_only` when a server asks for them: importing this module starts nothing."""
    if name not in {"application", "api_only"}:
        raise AttributeError(name)
    settings = load_settings()
    logs.set_up(production=settings.production)
    return (dashboard if name == "application" else api)(settings)
