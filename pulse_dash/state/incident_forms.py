"""What operators write on the page Status: an incident, how it goes, what it came from, a maintenance window."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import reflex as rx

from pulse_dash.core import incidents
from pulse_dash.core.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from pulse_dash.core.incidents import LONGEST_BODY, LONGEST_POSTMORTEM
from pulse_dash.core.names import on_one_line
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.dialogs import DialogState
from pulse_dash.state.forms import text

_COMPONENT = "component-"


class IncidentFormsState(DialogState, PulseState):
    """The forms of the page; `changes` closes the dialog of what was done. Who may is asked in core."""

    @rx.event
    async def declare(self, form_data: dict[str, Any]) -> None:
        """Tell of an incident that goes on."""
        await self._do(
            lambda work: incidents.declare(
                work,
                title=text(form_data, "title"),
                body=_words(form_data, "body"),
                impact=text(form_data, "impact"),
                components=_components(form_data),
            )
        )

    @rx.event
    async def plan(self, form_data: dict[str, Any]) -> None:
        """Tell of a maintenance window to come."""
        await self._do(
            lambda work: incidents.declare(
                work,
                title=text(form_data, "title"),
                body=_words(form_data, "body"),
                kind="maintenance",
                components=_components(form_data),
                starts_at=_moment(form_data, "starts_at"),
                ends_at=_moment(form_data, "ends_at"),
            )
        )

    @rx.event
    async def tell(self, form_data: dict[str, Any]) -> None:
        """One more word on how it goes."""
        await self._do(
            lambda work: incidents.update(
                work, text(form_data, "incident_id"), status=text(form_data, "status"), body=_said(form_data)
            )
        )

    @rx.event
    async def explain(self, form_data: dict[str, Any]) -> None:
        """What it came from, and what keeps it from coming again."""
        postmortem = _words(form_data, "postmortem", LONGEST_POSTMORTEM)
        await self._do(lambda work: incidents.update(work, text(form_data, "incident_id"), postmortem=postmortem))

    async def _do(self, act: Callable[[Work], Awaitable[object]]) -> None:
        work = await self._work()
        try:
            await act(work)
        except (Invalid, Conflict, Forbidden, NotFound) as refused:
            self.errors = self._sentences(refused)
            return
        # The page itself hears of it by the bus.
        self.errors = {}
        self.changes += 1


def _words(form: Mapping[str, Any], name: str, most: int = LONGEST_BODY) -> str:
    """A text of several lines as one, as it is kept and told everywhere."""
    return " ".join(text(form, name, most=most).split())


def _said(form: Mapping[str, Any]) -> str:
    """The words of an update, which has some. Raises Invalid."""
    body = _words(form, "body")
    if not body:
        raise Invalid(FieldError("body", "Say what is known by now."))
    return body


def _components(form: Mapping[str, Any]) -> list[str]:
    """The names whose boxes are ticked; one that nobody checks is refused by core."""
    return [on_one_line(name.removeprefix(_COMPONENT)) for name in list(form)[:50] if name.startswith(_COMPONENT)]


def _moment(form: Mapping[str, Any], name: str) -> datetime:
    """A time as the browser's field gives it, which the page says is UTC. Raises Invalid."""
    try:
        return datetime.fromisoformat(text(form, name)).replace(tzinfo=UTC)
    except ValueError:
        raise Invalid(FieldError(name, "Choose a day and a time.")) from None
