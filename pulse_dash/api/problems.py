"""Errors over HTTP: every one of ours as RFC 9457 problem+json with a stable code and the request's id.

It knows statuses and shapes; what went wrong was decided where it was raised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from http import HTTPStatus
from itertools import islice
from typing import Any, NamedTuple

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pulse_dash.core.challenges import SecondFactorRequired
from pulse_dash.core.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Gone,
    Invalid,
    LimitExceeded,
    Moved,
    NotFound,
    PreconditionFailed,
    PulseError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from pulse_dash.core.idempotency import InProgress

MEDIA_TYPE = "application/problem+json"
_PROBLEM = (b"content-type", MEDIA_TYPE.encode())
_TITLES = {status.value: status.phrase for status in HTTPStatus}
# Who sends ten thousand unknown fields gets the first hundred named, not an answer larger than the request.
_MOST_FIELDS = 100

# The first that fits counts, so a subclass stands before its parent.
_STATUS: tuple[tuple[type[PulseError], int], ...] = (
    (Unauthenticated, 401),
    (RateLimited, 429),
    (LimitExceeded, 402),
    (Forbidden, 403),
    (NotFound, 404),
    (PreconditionFailed, 412),
    (Conflict, 409),
    (Gone, 410),
    (Invalid, 422),
    (Unavailable, 503),
)
_TRIED_AGAIN = (RateLimited, Unavailable, InProgress)
_OF_THE_SERVER = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


class WrongField(BaseModel):
    """One field that can't be taken."""

    field: str
    message: str


class Problem(BaseModel):
    """What every refusal looks like."""

    type: str = Field(description="A URI that names the kind of problem.")
    title: str
    status: int
    detail: str = Field(description="A sentence for people.")
    code: str = Field(description="Stable, for programs.")
    request_id: str
    errors: list[WrongField] | None = Field(None, description="The fields that can't be taken, where there are any.")
    challenge: str | None = Field(None, description="With `second_factor_required`: what the code is sent with.")


class Whole(NamedTuple):
    """A whole answer, before the headers that every answer has."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def response(self) -> Response:
        """The same for Starlette."""
        response = Response(self.body, self.status)
        response.raw_headers = self.headers
        return response


def status_of(error: PulseError) -> int:
    """The status that this error answers with."""
    return _status_of_kind(type(error))


@cache
def _status_of_kind(error: type[PulseError]) -> int:
    return next((status for kind, status in _STATUS if issubclass(error, kind)), 500)


def problem(error: PulseError, request_id: str) -> Whole:
    """The answer for one of ours."""
    status = status_of(error)
    headers: list[tuple[bytes, bytes]] = []
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="pulse"'))
    if isinstance(error, _TRIED_AGAIN):
        headers.append((b"retry-after", b"%d" % error.retry_after))
    errors = error.errors if isinstance(error, Invalid) else ()
    challenge = error.challenge.reveal() if isinstance(error, SecondFactorRequired) else None
    return _whole(status, error.code, error.detail, request_id, errors, headers, challenge)


def problem_response(error: PulseError, request_id: str) -> Response:
    """The same for Starlette."""
    return problem(error, request_id).response()


class Refused(Exception):
    """A request that HTTP itself refuses, before any of our rules is asked."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail

    def answer(self, request_id: str) -> Whole:
        return _whole(self.status, self.code, self.detail, request_id)


def refusal(status: int, code: str, detail: str, request_id: str) -> Response:
    """The answer for what HTTP itself refuses, before any of our rules is asked."""
    return Refused(status, code, detail).answer(request_id).response()


def crash(request_id: str) -> Whole:
    """The answer after a fault of ours: the id to ask about, and nothing else."""
    detail = "Something went wrong on our side. The request id finds it in our log."
    return _whole(500, "internal_error", detail, request_id)


def fields_of(errors: Iterable[Any]) -> list[FieldError]:
    """Pydantic's complaints as fields with sentences."""
    return [FieldError(_path(error["loc"]), _sentence(error)) for error in islice(errors, _MOST_FIELDS)]


def invalid(error: ValidationError) -> Invalid:
    """A body or query that does not fit its model."""
    return Invalid(*fields_of(error.errors(include_url=False, include_context=False, include_input=False)))


def install(api: FastAPI) -> None:
    """Let every error that leaves a route become a problem."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, PulseError)  # noqa: S101 - registered for this class alone
        if isinstance(error, Moved) and "if-match" in request.headers:
            # It was the version that was demanded when it was read, and is another one now.
            error = PreconditionFailed()
        return problem_response(error, request_id(request.scope))

    async def unfit(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
        if any(each["loc"] == ("body",) for each in error.errors()):
            return refusal(400, "not_an_object", "The body must be a JSON object.", request_id(request.scope))
        return problem_response(Invalid(*fields_of(error.errors())), request_id(request.scope))

    async def of_the_server(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
        status = error.status_code
        detail = {404: "There is nothing at this address.", 405: "This address does not take this method."}
        answer = refusal(
            status,
            _OF_THE_SERVER.get(status, "bad_request"),
            detail.get(status, HTTPStatus(status).description or HTTPStatus(status).phrase),
            request_id(request.scope),
        )
        answer.headers.update(error.headers or {})
        if status == 405:
            answer.headers["Allow"] = _methods_of(request)
        return answer

    async def fault(request: Request, _: Exception) -> Response:
        # Starlette answers in plain text otherwise; it raises the error again for the log either way.
        return crash(request_id(request.scope)).response()

    api.add_exception_handler(Exception, fault)
    api.add_exception_handler(PulseError, ours)
    api.add_exception_handler(RequestValidationError, unfit)
    api.add_exception_handler(HTTPException, of_the_server)


def _methods_of(request: Request) -> str:
    """Every method of the address; Starlette names those of the first route there alone."""
    there = (route for route in iter_route_contexts(request.app.routes) if route.path_regex.fullmatch(request.url.path))
    return ", ".join(sorted({method for route in there for method in route.methods or ()}))


def request_id(scope: Any) -> str:
    """The id that the front gave this request."""
    return str(scope.get("state", {}).get("request_id", ""))


def _whole(
    status: int,
    code: str,
    detail: str,
    request: str,
    errors: Sequence[FieldError] = (),
    headers: Sequence[tuple[bytes, bytes]] = (),
    challenge: str | None = None,
) -> Whole:
    body: dict[str, Any] = {
        "type": f"urn:pulse:problem:{code}",
        "title": _TITLES[status],
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request,
    }
    if errors:
        body["errors"] = [{"field": wrong.field, "message": wrong.message} for wrong in errors[:_MOST_FIELDS]]
    if challenge is not None:
        body["challenge"] = challenge
    text = orjson.dumps(body)
    return Whole(status, [*headers, (b"content-length", b"%d" % len(text)), _PROBLEM], text)


def _path(location: Sequence[int | str]) -> str:
    parts = [str(part) for part in location]
    return ".".join(parts[1:] if parts and parts[0] in {"body", "query", "path", "header"} else parts)


# What pydantic says of a text whose length it counts behind another rule, and of a list.
_COUNT = re.compile(r"^(Value|List|Dictionary|Tuple) should have at (least|most) (\d+) items? after validation, .*$")
_SENTENCES = {
    "missing": "Is required.",
    "extra_forbidden": "Is not known here.",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type", "mapping_type"), "Must be an object."),
    **dict.fromkeys(("list_type", "tuple_type"), "Must be a list."),
    "string_type": "Must be a text.",
    "string_pattern_mismatch": "Holds characters that cannot stand here.",
    "bool_type": "Must be true or false.",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "Must be a whole number."),
}


def _sentence(error: Any) -> str:
    if error["type"] in _SENTENCES:
        return _SENTENCES[error["type"]]
    message = _COUNT.sub(_counted, str(error["msg"]).removeprefix("Value error, "))
    return message if message.endswith(".") else f"{message}."


def _counted(found: re.Match[str]) -> str:
    kind, bound, count = found.groups()
    verb, noun = ("be", "character") if kind == "Value" else ("have", "item")
    return f"Must {verb} at {bound} {count} {noun}{'' if count == '1' else 's'}"
