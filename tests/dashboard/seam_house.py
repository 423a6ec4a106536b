"""A small house behind the real gate: one State with a secret, people made of cookies, and a browser's socket."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from types import SimpleNamespace
from typing import Any

import reflex as rx
from reflex_base.registry import RegistrationContext
from starlette.testclient import TestClient

from pulse_dash.api.sockets import BoundedSockets
from pulse_dash.core.bus import MemoryBus
from pulse_dash.core.errors import Conflict, SignedOut, Unavailable
from pulse_dash.reflex_seam import Page, PulseApp, PulseState, note_browser_error, public, show_error

ORIGIN = "http://localhost:8000"
SECRET = "pulse_secret_shown_once"


class HouseState(PulseState):
    """What a page would have: a secret, a slow handler, a loop, and one handler that anybody may call."""

    secret: str = ""
    heard: str = ""
    ticks: int = 0
    ran: int = 0

    @rx.event
    async def reveal(self) -> None:
        await self._work()
        self.secret = SECRET

    @rx.event
    async def reveal_late(self) -> None:
        await asyncio.sleep(0.3)
        self.secret = SECRET

    @rx.event
    def count(self, by: int) -> None:
        self.ran += by

    @rx.event
    def refuse(self) -> None:
        raise Conflict("Somebody was quicker.")

    @rx.event
    def crash(self) -> None:
        raise ZeroDivisionError(SECRET)

    @rx.event(background=True)
    async def follow(self) -> None:
        async for _ in self._listen(every=0.05):
            async with self:
                self.ticks += 1

    @rx.event(background=True)
    async def hear(self) -> None:
        async for _ in self._listen("keys:", every=3600):
            async with self:
                self.ticks += 1

    @public
    @rx.event
    def say(self, text: str) -> None:
        self.heard = text

    @rx.event
    def load(self) -> None:
        self.ran += 1


class People:
    """Knows who a cookie is by its text alone; a session in `ended` is over, and `away` is a database that is gone."""

    def __init__(self) -> None:
        self.ended: set[str] = set()
        self.away = False
        self.bus = MemoryBus()

    async def work(self, headers: Mapping[str, str], ip: str, request_id: str = "") -> tuple[str, Any]:
        if self.away:
            raise Unavailable("database")
        found = re.search(r"pulse_session=(ses_\w+)", headers.get("cookie", ""))
        if found is None or found[1] in self.ended:
            raise SignedOut
        actor, parts = SimpleNamespace(session_id=found[1]), SimpleNamespace(bus=self.bus)
        return found[1], SimpleNamespace(actor=actor, parts=parts)

    async def session_of(self, scope: Any) -> str | None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        try:
            return (await self.work(headers, ""))[0]
        except (SignedOut, Unavailable):
            return None


def eventually(look: Callable[[], bool]) -> bool:
    """Whether it comes true while somebody waits."""
    until = time.monotonic() + 10
    while not (seen := look()) and time.monotonic() < until:
        time.sleep(0.02)
    return seen


class House:
    """The app with its people, open for sockets."""

    def __init__(self, client: TestClient, app: PulseApp, people: People) -> None:
        self.client, self.app, self.people = client, app, people

    @contextmanager
    def tab(self, *, cookie: str | None = None, token: str | None = None, origin: str = ORIGIN) -> Iterator[Tab]:
        """A browser's tab whose socket is open; `cookie` is a session's id."""
        token = token or str(uuid.uuid4())
        headers = {"origin": origin, "upgrade": "websocket"} | ({"cookie": f"pulse_session={cookie}"} if cookie else {})
        with self.client.websocket_connect(f"/_event/?EIO=4&transport=websocket&token={token}", headers=headers) as ws:
            assert ws.receive_text().startswith("0")
            ws.send_text("40/_event,{}")
            answer = ws.receive_text()
            assert answer.startswith("40/_event"), answer
            yield Tab(ws, token)
            ws.send_text("41/_event,")
            self._wait_until_free(token)

    def _wait_until_free(self, token: str) -> None:
        """Reflex gives a second socket of an open token another one; a thief comes after the tab is closed."""
        namespace = self.app.event_namespace
        assert namespace is not None
        for _ in range(200):
            if token not in namespace.token_to_sid:
                return
            time.sleep(0.01)
        raise AssertionError("the tab's socket stayed open")


class Tab:
    """One open socket, spoken to as Reflex's own client does."""

    def __init__(self, ws: Any, token: str) -> None:
        self._ws, self.token, self._said = ws, token, 0

    def send(self, name: str, path: str = "/", **payload: Any) -> None:
        """Send one event by its full name."""
        event = {"name": name, "payload": payload, "router_data": {"pathname": path, "asPath": path, "query": {}}}
        self.send_raw(event)

    def send_raw(self, event: Any) -> None:
        self._ws.send_text(f"42/_event,{json.dumps(['event', event])}")

    def hydrate(self, path: str = "/") -> str:
        """What the page gets when it loads, as text."""
        self.send("reflex___state____state.hydrate_and_load", path)
        return self.until_quiet()

    def do(self, handler: str, **payload: Any) -> str:
        """Call one of the house's handlers; everything that came of it, as text."""
        self.send(named(handler), **payload)
        return self.until_quiet()

    def until_quiet(self) -> str:
        """Everything that was sent until a word of ours came back: events of one tab are handled in order."""
        self._said += 1
        word = f"word-{self._said}-{uuid.uuid4().hex}"
        self.send(named("say"), text=word)
        return self.read_until(word)

    def read_until(self, word: str) -> str:
        received = ""
        while word not in received:
            message = self._ws.receive_text()
            if message == "2":
                self._ws.send_text("3")
                continue
            received += message
        return received


def named(handler: str) -> str:
    """The full name of one of the house's handlers."""
    return f"{HouseState.get_full_name()}.{handler}"


def a_page() -> rx.Component:
    return rx.el.main(rx.el.h1("House"), rx.el.p(HouseState.heard))


PAGES = (
    Page("/", a_page, title="House", on_load=(HouseState.load,)),
    Page("/login", a_page, title="Door", public=True),
)


def an_app() -> PulseApp:
    """A guarded app with the house's pages."""
    app = PulseApp(backend_exception_handler=show_error, frontend_exception_handler=note_browser_error)
    for page in PAGES:
        app.add_page(page.content, route=page.route, title=page.title, on_load=list(page.on_load) or None)
    return app.guard()


@contextmanager
def an_open_house() -> Iterator[House]:
    """The house with its lifespan running, as asgi opens it."""
    # One app to a registry of States; a copy of it keeps the house apart from the real app and from the next house.
    outer = RegistrationContext.set(RegistrationContext.ensure_context().fork())
    try:
        with _opened() as house:
            yield house
    finally:
        RegistrationContext.reset(outer)


@contextmanager
def _opened() -> Iterator[House]:
    app, people = an_app(), People()

    @asynccontextmanager
    async def services_first() -> AsyncIterator[None]:
        app.visitors = people
        yield
        app.visitors = None

    app.open_first(services_first)
    reflex = app()
    sockets = BoundedSockets(reflex, origin=ORIGIN, session_of=people.session_of, address_of=lambda _: "here")

    async def doors(scope: Any, receive: Any, send: Any) -> None:
        await (sockets if scope["type"] == "websocket" else reflex)(scope, receive, send)

    with TestClient(doors) as client:
        yield House(client, app, people)
