"""OpenAPI 3.1 that tells the truth: who may call, and every refusal with its one shape."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from pulse_dash.api.problems import MEDIA_TYPE, Problem

_WITHOUT_CREDENTIALS = ("signup", "login", "refresh", "verify", "password/forgot", "password/reset")
_PUBLIC = frozenset(
    (
        "/v1/status",
        "/v1/status/regions",
        "/v1/status/subscriptions",
        *(f"/v1/auth/{what}" for what in _WITHOUT_CREDENTIALS),
    )
)
# What else is done at these addresses is not for all.
_OPEN_TO_ALL = frozenset({("get", "/v1/status/incidents"), ("post", "/v1/auth/second-factor")})
_SCHEMES: dict[str, Any] = {
    "ProjectKey": {"type": "apiKey", "in": "header", "name": "X-Pulse-Key", "description": "A project's key."},
    "ProjectSecret": {"type": "apiKey", "in": "header", "name": "X-Pulse-Secret", "description": "Its secret."},
    "ProjectPair": {"type": "http", "scheme": "basic", "description": "Key as user, secret as password."},
    "Metrics": {"type": "http", "scheme": "bearer", "description": "METRICS_TOKEN."},
    "User": {"type": "http", "scheme": "bearer", "description": "An access token of POST /v1/auth/login."},
}
_SECURITY: list[dict[str, list[str]]] = [{"ProjectKey": [], "ProjectSecret": []}, {"ProjectPair": []}, {"User": []}]
_REFUSALS = {
    "400": "The body is not a JSON object, or the request is none.",
    "401": "Nobody we know; the same answer whatever was wrong.",
    "402": "A cap or a plan allows no more.",
    "403": "Visible, but a permission is missing.",
    "404": "Not there, or another tenant's.",
    "409": "It contradicts what is there now.",
    "410": "A link or an invitation that is spent.",
    "412": "It changed since the version that If-Match names.",
    "413": "The body is larger than 1 MiB.",
    "422": "Fields that can't be taken, each named.",
    "429": "Too many requests; Retry-After says when.",
    "503": "A part is away; Retry-After says when.",
}
_READS = ("400", "401", "403", "404", "422", "429", "503")


def describe_truthfully(api: FastAPI) -> None:
    """Make `api.openapi()` answer the whole description, made once."""

    def described() -> dict[str, Any]:
        if api.openapi_schema is None:
            api.openapi_schema = _described(api)
        return api.openapi_schema

    api.openapi = described  # type: ignore[method-assign]


def _described(api: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=api.title, version=api.version, openapi_version="3.1.0", description=_ABOUT, routes=api.routes
    )
    components = schema.setdefault("components", {})
    components["securitySchemes"] = _SCHEMES
    schemas = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    return schema


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    responses.pop("422", None)
    if not path.startswith("/v1/"):
        operation["security"] = []
        if path == "/metrics":
            # Open to this machine alone while METRICS_TOKEN is not set.
            operation["security"] = [{}, {"Metrics": []}]
            responses["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
            responses.update({status: _refusal(status) for status in ("401", "404")})
        return
    operation["security"] = [] if path in _PUBLIC or (method, path) in _OPEN_TO_ALL else _SECURITY
    if path == "/v1/invitations/accept":
        # Signed in as the address that was invited, or with a new account.
        operation["security"] = [{}, {"User": []}]
    if "requestBody" in operation:
        # A body may be left out where it is optional, but `null` is no JSON object.
        media: dict[str, Any] = operation["requestBody"]["content"]["application/json"]
        ways: list[dict[str, Any]] = media["schema"].get("anyOf", [media["schema"]])
        media["schema"] = next(way for way in ways if way.get("type") != "null")
    for status in _READS if method == "get" else _REFUSALS:
        responses[status] = _refusal(status)


def _refusal(status: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": _REFUSALS[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in {"429", "503"}:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return answer


_ABOUT = """Projects, keys and media tokens on your own LiveKit.

Requests and answers are JSON; errors are `application/problem+json` with a stable `code`. Control characters in the
request line or in headers are refused by the HTTP server itself, with 400 in plain text."""
