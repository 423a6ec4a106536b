"""The one assertion about refusals: the right status and code, in the one shape that every problem has."""

from __future__ import annotations

from typing import Any

import httpx

from pulse_dash.api.problems import MEDIA_TYPE, Problem, status_of
from pulse_dash.core.errors import PulseError


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body, once it is a problem of this status and code and tells the request's id."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    problem = Problem.model_validate_json(answer.content, extra="forbid")
    assert problem.status == status
    assert problem.request_id == answer.headers["x-request-id"] != ""
    return answer.json()


def assert_refused(answer: httpx.Response, error: type[PulseError]) -> dict[str, Any]:
    """The body, once it is the problem that this error of ours becomes."""
    return assert_problem(answer, status_of(error.__new__(error)), error.code)


def fields(answer: httpx.Response) -> list[str]:
    """The fields that a refusal names."""
    return [wrong["field"] for wrong in answer.json()["errors"]]
