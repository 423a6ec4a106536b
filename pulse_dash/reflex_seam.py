"""Where Pulse meets Reflex, and the only module that names Reflex's internals: who may send an event, whose State it
meets, and to which socket an update may go. What pages show is pages' and state's; who is signed in is core's.

Reflex finds a State by the client's token, which is no secret (it stands in the socket's query string). So each State
tree remembers the session it was filled for, and is emptied before anything is sent when the cookie says otherwise.
"""

# ruff: noqa: SLF001 - this is the one module that may touch Reflex's inside

from __future__ import annotations

import asyncio
import inspect
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, get_origin
from urllib.parse import parse_qs

import reflex as rx
import structlog
from reflex.app import EventNamespace
from reflex.istate.manager.memory import StateManagerMemory
from reflex.state import (
    BaseState,
    FrontendEventExceptionState,
    OnLoadInternalState,
    State,
    StateUpdate,
    UpdateVarsInternalState,
)
from reflex_base.config import get_config
from reflex_base.constants import RouteVar
from reflex_base.event import Event, EventSpec
from reflex_base.event.context import EventContext
from reflex_base.registry import RegistrationContext
from reflex_base.utils.format import format_event_handler
from socketio import AsyncServer
from socketio import exceptions as refused

from pulse_dash.core.bus import Ear
from pulse_dash.core.errors import Invalid, PulseError, SignedOut, Unavailable

if TYPE_CHECKING:
    from pulse_dash.core.work import Work

log = structlog.get_logger(__name__)

F = TypeVar("F", bound=Callable[..., Any])

MOST_BYTES_OF_AN_EVENT = 64 * 1024
MOST_BYTES_OF_A_FRAMEWORK_EVENT = 16 * 1024
MOST_CHARACTERS_OF_AN_ARGUMENT = 20_000
ANONYMOUS_STATE_SECONDS = 300
MOST_ANONYMOUS_STATES = 500  # 36 kB each; who opens pages without end makes one with each
# With the half second after which another node hears of a change, who is signed out is out within one.
LOOK_SECONDS = 0.4

_PUBLIC_MARK = "pulse_public"
_TOKEN = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_NOBODY = ""
# Whole page loads: a socket keeps the cookie it was opened with. Nothing that a visitor typed ever goes into a script.
_TO_LOG_IN = "window.location.assign('/login?next=' + encodeURIComponent(window.location.pathname))"
_LOAD_AGAIN = "window.location.reload()"
# pulse.js hears it; the reference is drawn here, so nothing of a visitor stands in the script either.
_AWAY = "window.dispatchEvent(new CustomEvent('pulse:away', {{detail: {}}}))"


def public(handler: F) -> F:
    """Let visitors without a session call this handler; every other handler is refused to them."""
    setattr(handler, _PUBLIC_MARK, True)
    return handler


@dataclass(frozen=True)
class Page:
    """One page of the dashboard. Without `public`, a visitor without a session never gets its HTML."""

    route: str
    content: Callable[[], rx.Component]
    title: str
    description: str = ""
    on_load: tuple[Any, ...] = ()
    public: bool = False


class Visitors(Protocol):
    """Knows who is behind a cookie; handed in when services are up."""

    async def work(self, headers: Mapping[str, str], ip: str, request_id: str = "") -> tuple[str, Work]:
        """The id of the cookie's session, and work bound to its person. Raises SignedOut, Unavailable."""
        ...


class PulseApp(rx.App):
    """The dashboard's app with its gate. `visitors` is there while the lifespan runs."""

    visitors: Visitors | None = None
    loops: dict[tuple[str, str], str]

    def guard(self) -> PulseApp:
        """Put the gate before every handler and the guard at every socket."""
        config = get_config()
        if config.state_manager_mode is rx.constants.StateManagerMode.DISK or "*" in config.cors_allowed_origins:
            raise RuntimeError("Reflex runs with its own defaults: rxconfig.py was not found in the working directory.")
        self.loops = {}
        self.add_middleware(_Gate())
        self._event_namespace = _GuardedSockets(config.get_event_namespace(), self)
        cast("AsyncServer", self.sio).register_namespace(self._event_namespace)
        return self

    def open_first(self, task: Callable[..., Any]) -> None:
        """Run this part of the lifespan before and after all others, so that no handler outlives its services."""
        self._lifespan_tasks = {task: None, **self._lifespan_tasks}
        self.register_lifespan_task(_forget_visitors)


class PulseState(rx.State):
    """Base of every State. Handlers need a session unless they are marked `@public`; helpers begin with `_`."""

    signed_in: bool = False
    _session: str | None = None

    async def _work(self) -> Work:
        """Work bound to the person behind the cookie. Raises SignedOut, which sends the page to the log-in."""
        _, work = await _who()
        if work is None:
            raise SignedOut
        return work

    def _arrive(self) -> None:
        """A whole page load begins, and nothing was sent yet: put away what must not outlive one."""

    def _told(self, error: PulseError) -> EventSpec:
        """The error as a toast; an error that a handler lets fly ends here by itself."""
        return rx.toast.error(error.detail)

    def _sentences(self, error: PulseError) -> dict[str, str]:
        """The error as messages beside the fields it names; `""` holds what belongs to no field."""
        if isinstance(error, Invalid) and error.errors:
            return {wrong.field: wrong.message for wrong in error.errors}
        return {"": error.detail}

    async def _listen(self, *subjects: str, every: float = 10.0) -> AsyncIterator[Work]:
        """Give `work` to a background handler whenever the bus speaks of one of the subjects (`"keys:"` is every key).

        The bus may lose a word, so it also comes every so many seconds; a flood of words is one a second. It ends when
        the tab closes or leaves the page, and when the page starts it anew (each State has one loop in a tab); when the
        session ends, the page goes to the log-in. The page's `load` comes before the first round."""
        context = EventContext.get()
        route, due, rested = context.router_data.get(RouteVar.PATH), time.monotonic() + every, 0.0
        loops = cast("PulseApp", RegistrationContext.get().app).loops
        mine = (context.token, self.get_full_name())
        loops[mine] = context.txid
        with Ear(subjects) as ear:
            while _still_connected() and self.rx_router_route_id == route and loops.get(mine) == context.txid:
                try:
                    work = await self._work()
                except SignedOut:
                    await context.emit_event(*Event.from_event_type([rx.call_script(_TO_LOG_IN)]))
                    return
                except Unavailable:
                    work = None
                # While the database is away the page keeps what it shows; the next round asks again.
                now = time.monotonic()
                if work is not None and now >= rested and (ear.heard(work.parts.bus) or now >= due):
                    due, rested = now + every, now + min(every, 1.0)
                    yield work
                await asyncio.sleep(min(every, LOOK_SECONDS))


def show_error(exception: Exception) -> EventSpec:
    """What a visitor sees of an error that a handler let fly; Reflex's backend exception handler."""
    if isinstance(exception, SignedOut):
        return rx.call_script(_TO_LOG_IN)
    if isinstance(exception, PulseError):
        return rx.toast.error(exception.detail)
    reference = f"evt_{EventContext.get().txid}"
    log.error("dashboard.handler_failed", reference=reference, exc_info=exception)
    return rx.toast.error("Something went wrong on our side.", description=f"Reference {reference}")


def page_away() -> EventSpec:
    """The page cannot be filled while its database is away: the shell says so instead, and asks until it is back."""
    return rx.call_script(_AWAY.format(json.dumps(f"evt_{EventContext.get().txid}")))


def note_browser_error(exception: Exception) -> None:
    """Log an error that a browser reported. The text is the visitor's: cut short, and control characters escaped."""
    log.warning("dashboard.browser_error", said=repr(str(exception)[:300]))


_admitted: ContextVar[str | None] = ContextVar("pulse_admitted", default=None)


async def _who() -> tuple[str, Work | None]:
    """Session and work of the socket whose event is being handled. Raises Unavailable."""
    visitors = cast("PulseApp", RegistrationContext.get().app).visitors
    if visitors is None:
        raise Unavailable("dashboard")
    # Headers and address are the server's own record of the socket; Reflex writes them over what the client sent.
    context, told = EventContext.get(), EventContext.get().router_data
    try:
        return await visitors.work(
            told.get(RouteVar.HEADERS, {}), told.get(RouteVar.CLIENT_IP, ""), f"evt_{context.txid}"
        )
    except SignedOut:
        return _NOBODY, None


def _still_connected() -> bool:
    """Whether the socket whose event is being handled is open and still the one that its token leads to."""
    namespace = RegistrationContext.get().app.event_namespace
    context = EventContext.get()
    record = namespace._token_manager.token_to_socket.get(context.token) if namespace else None
    return record is not None and record.sid == context.router_data.get(RouteVar.SESSION_ID)


# What pages send by themselves, signed in or not.
FRAMEWORK_EVENTS = frozenset(
    format_event_handler(state.event_handlers[name])
    for state, name in (
        *((State, name) for name in ("hydrate", "hydrate_and_load", "set_is_hydrated")),
        *((OnLoadInternalState, name) for name in ("on_load_internal", "set_is_hydrated")),
        (UpdateVarsInternalState, "update_vars_internal"),
        (FrontendEventExceptionState, "handle_frontend_exception"),
    )
)


class _Gate(rx.Middleware):
    """Sees each event before its handler: empties a State of somebody else's session, then refuses by default."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        root = state._get_root_state()
        pulse = await root.get_state(PulseState)
        try:
            session, work = await _who()
        except Unavailable as away:
            # Fails closed: nobody's State is shown while we cannot tell whose it is.
            told = page_away() if event.name in FRAMEWORK_EVENTS else rx.toast.error(away.detail)
            return StateUpdate(events=Event.from_event_type([told]))
        _admitted.set(session)
        strange = pulse._session is not None and pulse._session != session
        if strange:
            _empty(root)
        if pulse._session != session:
            pulse._session = session
        if pulse.signed_in != (work is not None):
            pulse.signed_in = work is not None
        handler = RegistrationContext.get().event_handlers[event.name].handler
        if event.name in FRAMEWORK_EVENTS:
            return await _of_the_framework(handler, root, pulse, event)
        if not getattr(handler.fn, _PUBLIC_MARK, False):
            if work is None:
                return await _refusal(root, rx.call_script(_TO_LOG_IN))
            if strange:
                return await _refusal(root, rx.call_script(_LOAD_AGAIN))
        if not _takes(handler, event.payload):
            log.info("dashboard.event_refused", handler=event.name, reason="arguments")
            return await _refusal(root)
        return None


async def _of_the_framework(handler: Any, root: BaseState, pulse: PulseState, event: Event) -> StateUpdate | None:
    """What a page sends by itself: it passes where it looks as a page of ours would send it."""
    # Nothing of ours lies in the browser's storage, so no page brings any of it back.
    if not _is_called_by(handler, event.payload) or event.payload.get("vars"):
        return await _refusal(root)
    if event.name.endswith((".hydrate", ".hydrate_and_load")):
        for filled in _tree(pulse):
            cast("PulseState", filled)._arrive()
    return None


async def _refusal(root: BaseState, *events: EventSpec) -> StateUpdate:
    """No handler runs; the browser gets what the gate itself changed, such as an emptied State."""
    delta = await root._get_resolved_delta()
    root._clean()
    return StateUpdate(delta=delta, events=Event.from_event_type(list(events)))


def _takes(handler: Any, payload: Mapping[str, Any]) -> bool:
    """Whether a handler of ours takes these arguments; Reflex's own (`setvar`, `set_…`) take none from outside."""
    if handler.fn is None or handler.fn.__module__.partition(".")[0] in {"reflex", "reflex_base"}:
        return False
    return _is_called_by(handler, payload)


def _is_called_by(handler: Any, payload: Mapping[str, Any]) -> bool:
    """Whether these are the handler's arguments, by name and kind."""
    try:
        inspect.signature(handler.fn).bind(None, **payload)
    except TypeError:
        return False
    hints = handler._get_type_hints()
    return all(_fits(value, hints.get(name, Any)) for name, value in payload.items())


def _fits(value: object, hint: object) -> bool:
    """Plain types are taken as they are, texts up to a length; what is finer is core's to judge."""
    if isinstance(value, str) and len(value) > MOST_CHARACTERS_OF_AN_ARGUMENT:
        return False
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    plain = get_origin(hint) or hint
    if plain in (str, bool, dict, list):
        return isinstance(value, cast("type", plain))
    return True


def _tree(state: BaseState) -> Iterator[BaseState]:
    yield state
    for substate in state.substates.values():
        yield from _tree(substate)


def _empty(root: BaseState) -> None:
    """Forget all that was filled in for another session: declared vars, undeclared ones and what was computed."""
    root.reset()
    for state in _tree(root):
        for name in set(vars(state)) - set(state.get_fields()):
            vars(state).pop(name)


class _GuardedSockets(EventNamespace):
    """Reflex's sockets with bounds on what comes in, and one check on everything that goes out."""

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        token = parse_qs(environ.get("QUERY_STRING", "")).get("token", [""])[0]
        if not _TOKEN.fullmatch(token):
            raise refused.ConnectionRefusedError
        # Reflex's page puts its first event into the greeting.
        if auth and not (isinstance(auth, dict) and (auth.get("event") is None or _well_formed(auth["event"]))):
            raise refused.ConnectionRefusedError
        await super().on_connect(sid, environ, auth)

    def on_disconnect(self, sid: str) -> asyncio.Task[None] | None:
        loops, token = cast("PulseApp", self.app).loops, self.sid_to_token.get(sid)
        for loop in [loop for loop in loops if loop[0] == token]:
            del loops[loop]
        return super().on_disconnect(sid)

    async def on_event(self, sid: str, data: Any = None, *_: Any) -> None:
        # What else comes is neither logged nor answered: the text is a stranger's, and no page of ours sends it.
        if _well_formed(data):
            await super().on_event(sid, data)

    async def emit_update(self, update: StateUpdate, token: str) -> None:
        """Send an update only to the socket whose event made it (another hydrates first), while its session lives."""
        if not _still_connected() or EventContext.get().token != token:
            return
        try:
            if update.delta and (await _who())[0] != _admitted.get():
                return
        except Unavailable:
            return
        await super().emit_update(update, token)


def _well_formed(data: object) -> bool:
    """Whether this is an event for a handler that exists, of a size that pages send."""
    if not isinstance(data, dict):
        return False
    name, payload, router_data = data.get("name"), data.get("payload", {}), data.get("router_data", {})
    if not isinstance(name, str) or not isinstance(payload, dict) or not isinstance(router_data, dict):
        return False
    most = MOST_BYTES_OF_A_FRAMEWORK_EVENT if name in FRAMEWORK_EVENTS else MOST_BYTES_OF_AN_EVENT
    return name in RegistrationContext.get().event_handlers and len(json.dumps(data)) <= most


async def _forget_visitors(app: rx.App) -> None:
    """Drop the State of visitors without a session soon; Reflex itself keeps every State for an hour."""
    while True:
        await asyncio.sleep(5)
        if isinstance(app.state_manager, StateManagerMemory):
            forget_anonymous(app.state_manager, older_than=ANONYMOUS_STATE_SECONDS, most=MOST_ANONYMOUS_STATES)


def forget_anonymous(manager: StateManagerMemory, *, older_than: float, most: int) -> int:
    """Forget trees without a session, unused for so many seconds or the oldest beyond `most`; says how many."""
    before = time.time() + manager.token_expiration - older_than
    idle = [(until, token) for until, token in manager._token_expires_at.values() if _is_idle(manager, token)]
    idle.sort(key=lambda each: each[0])
    gone = [token for place, (until, token) in enumerate(idle) if until <= before or place < len(idle) - most]
    for token in gone:
        manager._purge_token(token)
    return len(gone)


def _is_idle(manager: StateManagerMemory, token: Any) -> bool:
    """Whether this is a visitor's without a session, for whom nothing is being done."""
    lock, root = manager._states_locks.get(token.lock_key), manager.states.get(token.cache_key)
    pulse = root.substates.get(PulseState.get_name()) if isinstance(root, State) else None
    return isinstance(pulse, PulseState) and not pulse._session and not (lock and lock.locked())
