"""The webhooks of the dashboard: what its form does not show is not lost by it."""

from __future__ import annotations

import pytest
from reflex.state import State

from pulse_dash.core import project_webhooks
from pulse_dash.core.project_webhooks import GivenWebhook
from pulse_dash.core.webhook_events import SAMPLES
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.project import ProjectState
from pulse_dash.state.webhooks import WHEN, WebhooksState, _told
from tests.people import Town


@pytest.mark.parametrize(
    ("ticked", "then"),
    [([], ("recording_available",)), (["room_ended"], ("room_ended", "recording_available"))],
)
async def test_an_event_that_was_chosen_over_the_api_outlives_the_form(
    town: Town, monkeypatch: pytest.MonkeyPatch, ticked: list[str], then: tuple[str, ...]
) -> None:
    owner = await town.person()
    house, work = await town.project(owner), town.work(owner)
    given = GivenWebhook("https://1.1.1.1/hooks", ["room_started", "recording_available"])
    made = (await project_webhooks.create(work, house.id, given)).webhook

    async def theirs(_: PulseState) -> Work:
        return work

    monkeypatch.setattr(PulseState, "_work", theirs)
    root = State(_reflex_internal_init=True)  # type: ignore[call-arg]
    project, webhooks = [await root.get_state(kind) for kind in (ProjectState, WebhooksState)]
    project.id, project._org_id = house.id, owner.organization.id
    await webhooks._read(work, project)

    form = {"webhook_id": made.id, "url": made.url, **{f"event-{event}": "on" for event in ticked}}
    await WebhooksState.event_handlers["change"].fn(webhooks, form)

    assert (await project_webhooks.read(work, house.id, made.id)).events == then


@pytest.mark.parametrize(
    ("events", "told"),
    [
        (None, "Told of everything."),
        (["room_ended"], "Told when a room ends."),
        (
            ["room_ended", "room_started", "participant_left"],
            "Told when a room starts, a room ends or somebody leaves.",
        ),
        (["egress_ended", "room_ended"], "Told when a room ends and of egress_ended."),
        (["egress_started", "egress_ended"], "Told of egress_started, egress_ended."),
    ],
)
def test_what_a_webhook_is_told_is_a_sentence(events: list[str] | None, told: str) -> None:
    assert _told(events) == told


def test_each_event_that_is_sent_today_has_its_box() -> None:
    assert set(WHEN) == set(SAMPLES)
