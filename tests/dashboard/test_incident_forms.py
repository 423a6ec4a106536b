"""The operators' forms on the page Status: refused to everybody else, each refusal a sentence beside its field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from reflex.state import State

from pulse_dash.core import incidents
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.incident_forms import IncidentFormsState
from pulse_dash.state.service_status import ServiceStatusState
from tests.hostile import NAMES
from tests.people import Town

TOLD = {"title": "Slow joins", "body": "We look.\nAnd wait.", "impact": "major", "component-livekit": "on"}
WINDOW = {"title": "New disks", "body": "An hour.", "starts_at": "2999-01-01T10:00", "ends_at": "2999-01-01T11:00"}


def working(monkeypatch: pytest.MonkeyPatch, work: Work) -> None:
    async def theirs(_: PulseState) -> Work:
        return work

    monkeypatch.setattr(PulseState, "_work", theirs)


@pytest.fixture
async def forms() -> IncidentFormsState:
    root = State(_reflex_internal_init=True)  # type: ignore[call-arg]
    return await root.get_state(IncidentFormsState)


@pytest.fixture
async def operator(town: Town, monkeypatch: pytest.MonkeyPatch) -> Work:
    person = await town.person()
    work = town.services.as_(replace(person.actor, operator=True))
    working(monkeypatch, work)
    return work


async def test_nobody_but_an_operator_tells_anything(
    town: Town, forms: IncidentFormsState, operator: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    await forms.declare(TOLD)  # type: ignore[operator]
    (told,) = incidents.listing(operator)
    working(monkeypatch, town.work(await town.person()))
    for handler in (forms.declare, forms.plan, forms.tell, forms.explain):
        form = {**TOLD, **WINDOW, "incident_id": told.id, "status": "resolved", "postmortem": "x"}
        await handler(form)  # type: ignore[operator]
        assert forms.errors == {"": "Only an operator of this installation may do this."}

    assert incidents.listing(operator) == [told]


async def test_an_incident_is_told_explained_and_closed(forms: IncidentFormsState, operator: Work) -> None:
    await forms.declare(TOLD)  # type: ignore[operator]
    (told,) = incidents.listing(operator)
    await forms.tell({"incident_id": told.id, "status": "resolved", "body": "Mended."})  # type: ignore[operator]
    await forms.explain({"incident_id": told.id, "postmortem": "A full disk."})  # type: ignore[operator]

    (after,) = incidents.listing(operator)
    assert [each.body for each in after.updates] == ["We look. And wait.", "Mended."]
    assert (after.components, after.impact, after.postmortem) == (("livekit",), "major", "A full disk.")
    assert (forms.errors, forms.changes) == ({}, 3)


async def test_a_window_is_planned_in_utc(forms: IncidentFormsState, operator: Work) -> None:
    await forms.plan(WINDOW)  # type: ignore[operator]

    (told,) = incidents.listing(operator)
    assert (told.kind, told.started_at.isoformat()) == ("maintenance", "2999-01-01T10:00:00+00:00")


@pytest.mark.parametrize(
    ("handler", "form", "field"),
    [
        ("declare", {**TOLD, "title": " "}, "title"),
        ("declare", {**TOLD, "body": ""}, "body"),
        ("declare", {**TOLD, "body": "x" * 5_000}, "body"),
        ("declare", {**TOLD, "impact": "huge"}, "impact"),
        ("declare", {**TOLD, "component-moon": "on"}, "components"),
        ("plan", {**WINDOW, "starts_at": ""}, "starts_at"),
        ("plan", {**WINDOW, "ends_at": "2998-01-01T10:00"}, "ends_at"),
        ("plan", {**WINDOW, "ends_at": {"x": 1}}, "ends_at"),
        ("tell", {"incident_id": "inc_none", "status": "resolved", "body": ""}, "body"),
        ("tell", {"incident_id": "inc_none", "status": "resolved", "body": "x"}, ""),
    ],
)
async def test_what_cannot_be_told_is_a_sentence_beside_its_field(
    forms: IncidentFormsState, operator: Work, handler: str, form: dict[str, Any], field: str
) -> None:
    await getattr(forms, handler)(form)

    assert forms.errors.keys() == {field}
    assert forms.changes == 0
    assert list(incidents.listing(operator)) == []


async def test_hostile_titles_are_kept_as_they_are(forms: IncidentFormsState, operator: Work) -> None:
    for name in NAMES.values():
        await forms.declare({**TOLD, "title": name})  # type: ignore[operator]

    assert {each.title for each in incidents.listing(operator)} == {name.strip() for name in NAMES.values()}


async def test_only_an_operators_page_offers_the_forms(town: Town, operator: Work) -> None:
    root = State(_reflex_internal_init=True)  # type: ignore[call-arg]
    page = await root.get_state(ServiceStatusState)
    offered: list[bool] = []
    for work in (operator, town.work(await town.person()), operator):
        page._fill(work)
        offered.append(page.operator)

    # The first account of an installation is an operator, every later one is none.
    assert offered == [True, False, True]
