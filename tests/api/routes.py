"""Every route of the OpenAPI as rows, so that no test lists them by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

from pulse_dash.api.app import make_fastapi
from pulse_dash.services import Services

VERBS = frozenset({"get", "post", "put", "patch", "delete"})


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One operation as it is described."""

    verb: str
    path: str
    operation: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.verb.upper()} {self.path}"

    @property
    def public(self) -> bool:
        """Declared open to everybody, credentials or none."""
        security = self.operation.get("security")
        return security == [] or (self.path.startswith("/v1/") and {} in (security or ()))

    @property
    def ids(self) -> list[str]:
        """The ids of ours in the path."""
        return [name for name in re.findall(r"{(\w+)}", self.path) if name.endswith("_id")]

    @property
    def takes_project(self) -> bool:
        """Whether a user names the project in the query."""
        named = {(each["name"], each["in"]) for each in self.operation.get("parameters", ())}
        return ("project_id", "query") in named

    def at(self, **ids: str) -> str:
        """The path with these ids, and with a name for whatever else stands in it."""
        return re.sub(r"{(\w+)}", lambda found: ids.get(found[1], "lobby"), self.path)


def described() -> dict[str, Any]:
    """The OpenAPI, made without an installation: describing opens no store."""

    class Unopened:
        settings = None

    document: dict[str, Any] = make_fastapi(cast("Services", Unopened())).openapi()
    return document


def every_route() -> list[Route]:
    """All operations, in a steady order."""
    return [
        Route(verb, path, operation)
        for path, operations in sorted(described()["paths"].items())
        for verb, operation in sorted(operations.items())
        if verb in VERBS
    ]
