"""Walks over everything there is, with rows that are generated: no route, core function or error escapes its rule."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

import pulse_dash
import pulse_dash.core
from pulse_dash.api.app import HOT, make_fastapi
from pulse_dash.api.hot import OpenRoute
from pulse_dash.api.problems import MEDIA_TYPE, Problem, status_of
from pulse_dash.core import organizations
from pulse_dash.core.access import Permission, Rule
from pulse_dash.core.errors import PulseError, Unauthenticated
from pulse_dash.services import Services
from tests.api.asserting import assert_problem, assert_refused
from tests.api.routes import VERBS, described, every_route
from tests.people import Town

ROUTES = every_route()
OF_THE_API = [route for route in ROUTES if route.path.startswith("/v1/")]


# --- routes -----------------------------------------------------------------------------------------------------


async def test_a_stranger_is_turned_away_unless_the_route_is_declared_public(client: httpx.AsyncClient) -> None:
    answers = {route: await client.request(route.verb, route.at(), json={}) for route in OF_THE_API}

    open_to_strangers = {str(route) for route, answer in answers.items() if answer.status_code != 401}
    assert open_to_strangers == {str(route) for route in OF_THE_API if route.public}
    for route, answer in answers.items():
        if not route.public:
            assert_refused(answer, Unauthenticated)


def test_few_routes_are_public_and_each_is_known() -> None:
    assert {str(route) for route in ROUTES if route.public} == {
        "GET /health",
        "GET /ready",
        "GET /v1/status",
        "GET /v1/status/incidents",
        "GET /v1/status/regions",
        "POST /v1/status/subscriptions",
        "POST /v1/auth/login",
        "POST /v1/auth/password/forgot",
        "POST /v1/auth/password/reset",
        "POST /v1/auth/refresh",
        "POST /v1/auth/second-factor",
        "POST /v1/auth/signup",
        "POST /v1/auth/verify",
        "POST /v1/invitations/accept",
    }


def test_every_route_declares_its_security_and_only_schemes_that_exist() -> None:
    schemes = described()["components"]["securitySchemes"].keys()
    for route in ROUTES:
        assert "security" in route.operation, route
        assert {name for way in route.operation["security"] for name in way} <= schemes, route


async def test_each_documented_way_of_signing_in_works_where_it_is_documented(
    client: httpx.AsyncClient, town: Town
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    basic = httpx.BasicAuth(house.key.public, house.key.secret.reveal())
    ways: dict[frozenset[str], dict[str, Any]] = {
        frozenset({"ProjectKey", "ProjectSecret"}): {"headers": house.headers},
        frozenset({"ProjectPair"}): {"auth": basic},
        frozenset({"User"}): {"headers": owner.headers},
    }
    (documented,) = {
        frozenset(frozenset(way) for way in route.operation["security"]) for route in OF_THE_API if not route.public
    }

    assert documented == ways.keys()
    for credentials in ways.values():
        assert (await client.get(f"/v1/projects/{house.id}", **credentials)).status_code == 200


def test_every_refusal_is_described_as_a_problem_and_every_route_has_its_401() -> None:
    for route in OF_THE_API:
        responses = route.operation["responses"]
        refusals = {status: answer for status, answer in responses.items() if int(status) >= 400}
        assert {"401", "404", "429", "503"} <= refusals.keys(), route
        for status, answer in refusals.items():
            schema = answer["content"][MEDIA_TYPE]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}, (route, status)
        assert "Retry-After" in responses["429"]["headers"]
        assert "Retry-After" in responses["503"]["headers"]


def test_every_reference_in_the_openapi_leads_somewhere() -> None:
    document = described()

    for reference in _references(document):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    assert document["openapi"].startswith("3.1")


def test_every_operation_has_a_summary_and_an_id_of_its_own() -> None:
    ids = [route.operation["operationId"] for route in ROUTES]

    assert len(set(ids)) == len(ids)
    assert all(route.operation.get("summary") for route in ROUTES)


def test_the_fast_lane_is_described_from_the_models_that_it_uses() -> None:
    paths = described()["paths"]
    for hot in HOT:
        if isinstance(hot, OpenRoute):
            answer = paths[hot.path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            assert answer["$ref"].endswith(f"/{hot.response.__name__}")
            continue
        operation = paths[hot.path]["post"]
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert body["$ref"].endswith(f"/{hot.request.__name__}")
        assert answer["$ref"].endswith(f"/{hot.response.__name__}")
        assert isinstance(hot.function.rule.permission, Permission)  # type: ignore[attr-defined]


UNDESCRIBED = {
    "/docs",
    "/docs/{name}",
    "/openapi.json",
    "/outbox",
    "/invitations/accept",
    "/status",
    "/status.atom",
    "/status/badge.svg",
    "/status/subscriptions",
    "/status/subscriptions/confirm",
    "/status/subscriptions/unsubscribe",
    *(f"/api/v2/{what}.json" for what in ("summary", "status", "components", "incidents")),
    *(
        f"/session/{form}"
        for form in ("accept", "login", "second-factor", "signup", "forgot", "reset", "verify", "end")
    ),
}
SIGNED = {"/v1/internal/livekit/webhook", "/v1/internal/livekit/webhook/{livekit_id}"}


async def test_what_the_openapi_leaves_out_is_known_here(client: httpx.AsyncClient, services: Services) -> None:
    served = set(_paths(make_fastapi(services).routes))

    assert served - {route.path for route in ROUTES} <= UNDESCRIBED | SIGNED
    for path in SIGNED:
        assert_refused(await client.post(path, json={}), Unauthenticated)


# --- what is no route -------------------------------------------------------------------------------------------

NOWHERE = ["/v1", "/v1/", "/v1/nothing", "/v1/projects/", "/v1/tokens", "/v1//projects", "/v1/../v1/x"]


async def test_an_unknown_address_under_v1_is_a_problem(client: httpx.AsyncClient) -> None:
    for path in NOWHERE:
        for verb in ("GET", "POST", "DELETE"):
            assert_problem(await client.request(verb, path), 404, "not_found")


async def test_a_wrong_method_is_a_problem_that_names_the_right_ones(client: httpx.AsyncClient) -> None:
    by_path: dict[str, set[str]] = {}
    for route in OF_THE_API:
        by_path.setdefault(route.path, set()).add(route.verb)
    for path, verbs in by_path.items():
        for verb in (VERBS | {"options", "trace", "propfind"}) - verbs:
            answer = await client.request(verb.upper(), path.replace("{", "").replace("}", ""))
            assert_problem(answer, 405, "method_not_allowed")
            assert set(answer.headers["allow"].lower().split(", ")) == verbs


# --- what goes wrong by our own fault ----------------------------------------------------------------------------


async def test_a_fault_of_ours_tells_its_request_id_and_nothing_else(
    client: httpx.AsyncClient, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, house = await town.person(), await town.house()

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the house")

    monkeypatch.setattr(organizations, "listing", broken)
    monkeypatch.setattr("pulse_dash.core.tokens._check", lambda *_: 1 / 0)
    answers = [
        await client.get("/v1/organizations", headers=person.headers),
        await client.post("/v1/tokens/create", headers=house.headers, json={"room": "r", "identity": "i"}),
    ]

    for answer in answers:
        body = assert_problem(answer, 500, "internal_error")
        assert body.keys() == {"type", "title", "status", "detail", "code", "request_id"}
        assert "secret of the house" not in answer.text
        assert "division" not in answer.text


async def test_a_request_id_is_the_callers_when_a_log_can_hold_it(client: httpx.AsyncClient) -> None:
    kept = await client.get("/v1/nothing", headers={"X-Request-Id": "trail-1.2:3_x"})
    assert kept.json()["request_id"] == kept.headers["x-request-id"] == "trail-1.2:3_x"

    for unfit in ("", " ", "a b", "x" * 129, "a\tb", "<script>", "é"):
        answer = await client.get("/v1/nothing", headers=[(b"X-Request-Id", unfit.encode("latin-1"))])
        assert answer.headers["x-request-id"].startswith("req_")


# --- errors -----------------------------------------------------------------------------------------------------


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        # Importing the dashboard wants a built Reflex; no error of the API is made there.
        if not found.name.startswith(("pulse_dash.pages", "pulse_dash.state", "pulse_dash.components")) and (
            found.name not in {"pulse_dash.pulse_dash", "pulse_dash.reflex_seam", "pulse_dash.__main__"}
        ):
            yield import_module(found.name)


def _errors(kind: type[PulseError] = PulseError) -> list[type[PulseError]]:
    return [kind] + [error for child in kind.__subclasses__() for error in _errors(child)]


def test_every_error_of_ours_has_a_status_and_a_code_of_its_own() -> None:
    assert list(_modules(pulse_dash))
    ours = [error for error in dict.fromkeys(_errors()) if error.__module__.startswith("pulse_dash.")]

    codes = [error.code for error in ours]

    assert sorted(codes) == sorted(set(codes))
    assert {error.__name__ for error in ours if status_of(error.__new__(error)) == 500} == {"PulseError"}
    for error in ours:
        assert error.code.replace("_", "").isalpha()
        assert "code" in vars(error), f"{error.__name__} speaks with its parent's code"


def test_the_problem_model_is_what_the_openapi_shows() -> None:
    shown = described()["components"]["schemas"]["Problem"]

    assert shown["properties"].keys() == Problem.model_fields.keys()


# --- core -------------------------------------------------------------------------------------------------------


def _public_functions() -> list[Callable[..., Any]]:
    """Every function of core that others call with a `work`."""
    found: list[Callable[..., Any]] = []
    for module in _modules(pulse_dash.core):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            first = next(iter(inspect.signature(function).parameters), "")
            if function.__module__ == module.__name__ and not name.startswith("_") and first == "work":
                found.append(function)
    return found


@pytest.mark.parametrize("function", _public_functions(), ids=lambda each: f"{each.__module__}.{each.__name__}")
def test_every_public_core_function_has_a_rule(function: Callable[..., Any]) -> None:
    rule = getattr(function, "rule", None)

    assert isinstance(rule, Rule), "mark it with requires(…) or open_because(…)"
    assert rule.permission is not None or len(rule.open_because.split()) >= 4
    assert function.__doc__, "say what it does and what it raises"


def test_every_permission_guards_something() -> None:
    guarding = {function.rule.permission for function in _public_functions()}  # type: ignore[attr-defined]

    assert guarding - {None} == set(Permission)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _paths(routes: Any, prefix: str = "") -> Iterator[str]:
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if inner is not None and hasattr(inner, "routes"):
            yield from _paths(inner.routes, prefix)
        elif isinstance(route, APIRoute) or hasattr(route, "path"):
            yield prefix + route.path
