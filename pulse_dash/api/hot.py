"""The fast lane: routes that answer in front of every framework, declared once with the models that OpenAPI shows.

It knows how such a route is read and answered; what it does is told by the module that declares it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from urllib.parse import parse_qs

import orjson
import structlog
from fastapi import FastAPI, Query
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from pulse_dash.api.headers import Answer, lines_of
from pulse_dash.api.middleware import LARGEST_BODY, account, object_of, read_body, too_large
from pulse_dash.api.principals import Anybody, Caller, allowance_headers, anybody, authenticate, count, remembered
from pulse_dash.api.problems import Refused, Whole, crash, invalid, problem, request_id
from pulse_dash.core.access import Anonymous, KeyActor, PublicKeyActor
from pulse_dash.core.errors import FieldError, Invalid, NotFound, PulseError, Unauthenticated
from pulse_dash.core.work import Work
from pulse_dash.services import Services

log = structlog.get_logger("pulse.request")

Handler = Callable[[Work, Any, str | None], Awaitable[dict[str, Any]]]
# Gives what answers a project's key without waiting for anybody; None where somebody must be asked first.
FromMemory = Callable[[Work], Callable[[Any], dict[str, Any]] | None]


@dataclass(frozen=True, slots=True)
class HotRoute:
    """One POST route: its models, what answers it, and the core function whose permission it needs."""

    method: ClassVar[str] = "POST"

    path: str
    request: type[BaseModel]
    response: type[BaseModel]
    handler: Handler
    function: Callable[..., Any]
    # What a project's key without its secret sends here, and what answers it; None where such a key opens nothing.
    alone: tuple[type[BaseModel], Handler] | None = None
    # What answers from memory; None where somebody is always waited for.
    at_once: FromMemory | None = None

    @property
    def summary(self) -> str:
        return (self.handler.__doc__ or "").partition("\n")[0].rstrip(".")


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """One GET route that anybody may ask and memory answers; an answer stands for all until its stamp is another."""

    method: ClassVar[str] = "GET"

    path: str
    response: type[BaseModel]
    answer: Callable[[Work], BaseModel]
    stamp: Callable[[Work], Hashable]
    summary: str


Routes = tuple[HotRoute | OpenRoute, ...]


def hot(
    path: str,
    request: type[BaseModel],
    response: type[BaseModel],
    handler: Handler,
    function: Callable[..., Any],
    alone: tuple[type[BaseModel], Handler] | None = None,
    at_once: FromMemory | None = None,
) -> HotRoute:
    """Declare a route of the fast lane. The handler gives the answer as a dict that fits the response model."""
    return HotRoute(path, request, response, handler, function, alone, at_once)


class HotLane:
    """Answers the fast routes in one step, body to log line, and hands everything else on."""

    def __init__(self, app: ASGIApp, routes: Routes, services: Services) -> None:
        self._app = app
        self._routes = {route.path: route for route in routes}
        self._services = services
        # What an open route answered the last time, by its path, and under which stamp.
        self._answered: dict[str, tuple[Hashable, bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get(scope["path"]) if scope["type"] == "http" else None
        if route is None or route.method != scope["method"]:
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        state = scope.setdefault("state", {})
        state["route"] = route.path
        try:
            status, headers, body = await self._reply(route, scope, receive)
            if "allowance" in state:
                headers += allowance_headers(state["allowance"])
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        except ClientDisconnect:
            # Half a body is no body, and nobody waits for an answer.
            return
        finally:
            account(scope, status, time.perf_counter() - began)

    def at_once(self, scope: Scope, body: bytes) -> Answer | None:
        """The answer to a request without a query for one of these routes, from memory.

        None where somebody must be waited for; nothing was counted then, and the application can be asked."""
        route, state, began = self._routes[scope["path"]], scope["state"], time.perf_counter()
        state["route"] = route.path
        try:
            said = self._told(route, scope) if isinstance(route, OpenRoute) else self._made(route, scope, body)
            if said is None:
                return None
            status, lines = 200, b"content-type: application/json\r\ncontent-length: %d\r\n" % len(said)
        except Exception as error:  # noqa: BLE001 - an outermost boundary of the API
            status, headers, said = _wrong(error, scope)
            lines = lines_of(headers)
        if "allowance" in state:
            lines += lines_of(allowance_headers(state["allowance"]))
        account(scope, status, time.perf_counter() - began)
        return status, lines, said

    async def _reply(self, route: HotRoute | OpenRoute, scope: Scope, receive: Receive) -> Whole:
        try:
            if isinstance(route, OpenRoute):
                return _good(self._told(route, scope))
            work = await authenticate(self._services, scope, key_alone=route.alone is not None)
            if isinstance(work.actor, Anonymous):
                raise Unauthenticated
            sent = await read_body(scope, receive)
            return _good(_json(await _handled(route, work, scope["query_string"], object_of(sent) if sent else {})))
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 - an outermost boundary of the API
            return _wrong(error, scope)

    def _made(self, route: HotRoute, scope: Scope, body: bytes) -> bytes | None:
        work = remembered(self._services, scope)
        handler = route.at_once(work) if work and route.at_once else None
        if work is None or handler is None:
            return None
        count(work, scope)
        if len(body) > LARGEST_BODY:
            raise too_large()
        return _json(handler(_asked(route.request, object_of(body) if body else {})))

    def _told(self, route: OpenRoute, scope: Scope) -> bytes:
        work = anybody(self._services, scope)
        stamp, known = route.stamp(work), self._answered.get(route.path)
        if known is not None and known[0] == stamp:
            return known[1]
        body = route.answer(work).model_dump_json().encode()
        self._answered[route.path] = stamp, body
        return body


def _json(answer: dict[str, Any]) -> bytes:
    return orjson.dumps(answer, option=orjson.OPT_UTC_Z)


def _good(body: bytes) -> Whole:
    return Whole(200, [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))], body)


def _wrong(error: Exception, scope: Scope) -> Whole:
    match error:
        case PulseError():
            return problem(error, request_id(scope))
        case Refused():
            return error.answer(request_id(scope))
        case _:
            # Whatever is left is a fault of ours, told by its id.
            log.error("request.crashed", request_id=request_id(scope), path=scope["path"], exc_info=error)
            return crash(request_id(scope))


def _handled(route: HotRoute, work: Work, query: bytes, sent: dict[str, Any]) -> Awaitable[dict[str, Any]]:
    if isinstance(work.actor, KeyActor) and not query:
        return route.handler(work, _asked(route.request, sent), None)
    if isinstance(work.actor, PublicKeyActor) and route.alone is not None:
        model, handler = route.alone
        return handler(work, _asked(model, sent), None)
    return _handled_for_a_project(route, work, query, sent)


async def _handled_for_a_project(route: HotRoute, work: Work, query: bytes, sent: dict[str, Any]) -> dict[str, Any]:
    project_id = await _named_project(work, route, query)
    return await route.handler(work, _asked(route.request, sent), project_id)


def _asked(model: type[BaseModel], sent: dict[str, Any]) -> BaseModel:
    try:
        # What `model_validate` does, which asks about its own options first and takes half as long again.
        return model.__pydantic_validator__.validate_python(sent)
    except ValidationError as error:
        raise invalid(error) from error


async def _named_project(work: Work, route: HotRoute, query: bytes) -> str | None:
    """The project that a user names; found and permitted before the body is looked at."""
    named = parse_qs(query.decode("latin-1")).get("project_id", [None])[0]
    if isinstance(work.actor, KeyActor):
        if named not in (None, work.actor.project_id):
            raise NotFound
        return None
    if not named:
        raise Invalid(FieldError("project_id", "Name the project: ?project_id=prj_…"))
    permission = route.function.rule.permission  # type: ignore[attr-defined]
    await work.narrowed(permission).store.projects.get(named)
    return named


def describe(api: FastAPI, routes: Routes) -> None:
    """Give OpenAPI the routes of the fast lane, from the same models."""
    for route in routes:
        endpoint = _open_endpoint(route) if isinstance(route, OpenRoute) else _endpoint(route)
        api.add_api_route(
            route.path,
            endpoint,
            methods=[route.method],
            response_model=route.response,
            summary=route.summary,
            name=route.path.rpartition("/v1/")[2].replace("/", "_"),
            tags=[route.path.split("/")[2]],
        )


def _endpoint(route: HotRoute) -> Callable[..., Any]:
    async def endpoint(work: Caller, body: Any, project_id: ProjectId = None) -> Any:
        return await route.handler(work, body, project_id)

    endpoint.__annotations__["body"] = route.request
    endpoint.__annotations__["work"] = Caller
    endpoint.__annotations__["project_id"] = ProjectId
    endpoint.__doc__ = route.handler.__doc__
    return endpoint


def _open_endpoint(route: OpenRoute) -> Callable[..., Any]:
    async def endpoint(work: Any) -> Any:
        return route.answer(work)

    endpoint.__annotations__["work"] = Anybody
    endpoint.__doc__ = route.answer.__doc__
    return endpoint


ProjectId = Annotated[str | None, Query(description="The project; demanded of users, a key knows its own.")]
